/**
 * The process of one of our servers: `node bench/a2a/server.ts '<ServerOrder as JSON>'`. It prints `{"port":…,"pid":…}`
 * and serves until its standard input ends.
 *
 * @module
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import * as CallerVerifierOff from "../../src/layers/a2a/CallerVerifierOff.ts"
import * as OperationsDurable from "../../src/layers/a2a/OperationsDurable.ts"
import * as RpcMethods03 from "../../src/layers/a2a/rpcMethods03.ts"
import * as ServerHttp from "../../src/layers/a2a/ServerHttp.ts"
import { AgentIdentity } from "../../src/services/a2a/AgentCard.ts"
import { endWithParent } from "../support/parent.ts"
import * as Agent from "./agent.ts"
import { ServerOrder, Serving } from "./model.ts"
import { tasksOf } from "./tasks.ts"

const Identity = Layer.succeed(AgentIdentity, {
  extendedCard: undefined,
  card: {
    name: "bench",
    description: "Does what the message says",
    supportedInterfaces: [{ url: "http://127.0.0.1/", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
    version: "1",
    capabilities: { streaming: true },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [{ id: "bench", name: "bench", description: "Does what the message says", tags: ["bench"] }]
  }
})

const serverOf = (order: ServerOrder) =>
  HttpRouter.serve(ServerHttp.layerWith({ dialects: [RpcMethods03.make] }), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(
    Layer.provide(OperationsDurable.layer),
    Layer.provide(tasksOf(order)),
    Layer.provide(Layer.mergeAll(Identity, CallerVerifierOff.layer, Agent.layer)),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  )

const announce = Effect.flatMap(HttpServer.HttpServer, ({ address }) => {
  const port = "port" in address ? address.port : 0
  return Effect.map(Schema.encodeEffect(Schema.fromJsonString(Serving))({ port, pid: process.pid }), (line) =>
    process.stdout.write(`${line}\n`)
  )
})

endWithParent()
Schema.decodeUnknownEffect(Schema.fromJsonString(ServerOrder))(process.argv[2]).pipe(
  Effect.flatMap((order) => Effect.andThen(announce, Effect.never).pipe(Effect.provide(serverOf(order)))),
  // The SDK logs nothing of what goes well, so we don't either.
  Effect.provideService(References.MinimumLogLevel, "Error"),
  NodeRuntime.runMain
)
