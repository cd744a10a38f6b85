/**
 * The embedded platform: one process, and one SQLite file or a Postgres database.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as HttpServer from "effect/http/HttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CheckpointSql from "../layers/durable/CheckpointSql.ts"
import { listenError } from "../layers/platform/listenError.ts"
import * as PlatformEmbedded from "../layers/platform/PlatformEmbedded.ts"
import * as PlatformServer from "../layers/platform/PlatformServer.ts"
import * as PlatformSettingsEnv from "../layers/platform/PlatformSettingsEnv.ts"
import * as PostgresClient from "../layers/sql/PostgresClient.ts"
import * as SqliteClient from "../layers/sql/SqliteClient.ts"
import * as StateDirectoryNode from "../layers/workspace/StateDirectoryNode.ts"
import { AdminToken } from "../services/platform/AdminToken.ts"
import { PlatformSettings } from "../services/platform/PlatformSettings.ts"
import { StateDirectory } from "../services/workspace/StateDirectory.ts"
import { makeServer } from "./httpServer.ts"
import { graceful } from "./teardown.ts"

/** Open requests have this long to end at a shutdown. */
const gracefulShutdownTimeout = "5 seconds"

const State = Layer.unwrap(
  Effect.map(PlatformSettings, ({ stateDirectory }) => StateDirectoryNode.layerWith({ path: stateDirectory }))
)

const Database = Layer.unwrap(
  Effect.gen(function* () {
    const state = yield* StateDirectory
    const { databaseUrl: url } = yield* PlatformSettings
    return url === undefined
      ? SqliteClient.layer({ filename: state.file("platform.db") })
      : PostgresClient.layerWith({ url })
  })
)

const Listener = Layer.unwrap(
  Effect.map(PlatformSettings, ({ host, port }) =>
    NodeHttpServer.layer(makeServer, { host, port, gracefulShutdownTimeout }).pipe(
      Layer.catch((error) => Layer.effectContext(Effect.fail(listenError(error, { host, port }))))
    )
  )
)

// What it says when it is up: where it is, and where the token lies, but never the token.
const Announce = Layer.effectDiscard(
  Effect.gen(function* () {
    const admin = yield* AdminToken
    const { address } = yield* HttpServer.HttpServer
    const settings = yield* PlatformSettings
    const port = "port" in address ? address.port : settings.port
    const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host
    yield* Effect.logInfo(
      `the platform listens on http://${host}:${port}, its documentation is at http://${host}:${port}/docs`
    )
    yield* Effect.logInfo(`the admin token is in ${admin.path}`)
  })
)

const Platform = Announce.pipe(
  Layer.provideMerge(PlatformServer.layer),
  Layer.provide(PlatformEmbedded.layer),
  Layer.provide(CheckpointSql.layer),
  Layer.provide(Listener),
  Layer.provide(Database),
  Layer.provide(State),
  Layer.provide(PlatformSettingsEnv.layer),
  Layer.provide(Layer.mergeAll(NodeServices.layer, NodeDns.layer, NodeCrypto.layer))
)

Layer.launch(Platform).pipe(
  Effect.tapError((error) => Console.error(`molecule-platform: ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: graceful })
)
