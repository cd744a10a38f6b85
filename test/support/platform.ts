/**
 * A real platform for tests: HTTP on a free loopback port, SQLite in a temporary directory or a Postgres database.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:http"
import * as CheckpointSql from "../../src/layers/durable/CheckpointSql.ts"
import * as PlatformEmbedded from "../../src/layers/platform/PlatformEmbedded.ts"
import * as PlatformServer from "../../src/layers/platform/PlatformServer.ts"
import { AdminToken } from "../../src/services/platform/AdminToken.ts"
import { PlatformSettings, type Settings, settingsDefaults } from "../../src/services/platform/PlatformSettings.ts"
import { StateDirectory } from "../../src/services/workspace/StateDirectory.ts"
import * as Databases from "./databases.ts"

/** Where the platform under test is, and its admin token. */
export class TestPlatform extends Context.Service<
  TestPlatform,
  { readonly url: string; readonly adminToken: string; readonly stateDirectory: string }
>()("molecule-effect/test/support/platform/TestPlatform") {}

/** How the platform under test differs from the default. Its rate limit is out of the way unless one is given. */
export interface Options extends Partial<Omit<Settings, "stateDirectory">> {
  /** Use this directory, and leave it, instead of a temporary one. */
  readonly stateDirectory?: string
}

const directory = (path: string) =>
  Layer.succeed(StateDirectory, StateDirectory.of({ path, file: (name) => `${path}/${name}` }))

const at = (path: string, options: Options) => {
  const settings = PlatformSettings.of({
    ...settingsDefaults,
    requestsPerMinute: 1_000_000,
    ...options,
    port: options.port ?? 0,
    stateDirectory: path
  })
  const Described = Layer.effect(
    TestPlatform,
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const { value } = yield* AdminToken
      const port = "port" in address ? address.port : 0
      return { url: `http://127.0.0.1:${port}`, adminToken: Redacted.value(value), stateDirectory: path }
    })
  )
  return Layer.provideMerge(Described, PlatformServer.layer).pipe(
    Layer.provideMerge(PlatformEmbedded.layer),
    Layer.provideMerge(CheckpointSql.layer),
    Layer.provideMerge(Databases.layerFor(`${path}/platform.db`)),
    Layer.provideMerge(directory(path)),
    Layer.provideMerge(Layer.succeed(PlatformSettings, settings)),
    Layer.provideMerge(
      NodeHttpServer.layer(() => createServer(), {
        host: settings.host,
        port: settings.port,
        gracefulShutdownTimeout: "1 second"
      })
    ),
    Layer.provideMerge(Layer.mergeAll(NodeDns.layer, NodeCrypto.layer))
  )
}

/**
 * The platform for as long as the layer lives; every service of it can be had beside {@link TestPlatform}.
 *
 * **Example**
 *
 * ```ts
 * layer(PlatformSupport.layerWith({}))("…", (it) => {
 *   it.effect("…", () => Effect.gen(function* () {
 *     const { adminToken, url } = yield* TestPlatform
 *   }))
 * })
 * ```
 */
export const layerWith = (options: Options) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = options.stateDirectory ?? (yield* files.makeTempDirectoryScoped({ prefix: "molecule-platform-" }))
      return at(path, options)
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))
