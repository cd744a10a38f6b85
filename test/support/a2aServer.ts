/**
 * The A2A server on a real port over a scripted agent: what tests of the bindings and of clients talk to.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:http"
import * as ServerHttp from "../../src/layers/a2a/ServerHttp.ts"
import { type A2AOperations, streamResumption } from "../../src/services/a2a/A2AOperations.ts"
import { type AgentCard, AgentIdentity } from "../../src/services/a2a/AgentCard.ts"
import { CallerRefused, CallerVerifier } from "../../src/services/a2a/CallerVerifier.ts"
import * as ScriptedAgent from "./scriptedAgent.ts"

/** A card that promises everything. */
export const card: AgentCard = {
  name: "scripted",
  description: "does what the message says",
  supportedInterfaces: [
    { url: "http://127.0.0.1/", protocolBinding: "JSONRPC", protocolVersion: "1.0" },
    { url: "http://127.0.0.1/", protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
    { url: "http://127.0.0.1/", protocolBinding: "HTTP+JSON", protocolVersion: "1.0", tenant: "acme" }
  ],
  version: "1",
  capabilities: {
    streaming: true,
    pushNotifications: true,
    extendedAgentCard: true,
    extensions: [{ uri: streamResumption.uri }]
  },
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [{ id: "script", name: "script", description: "does what the message says", tags: ["test"] }]
}

/** The card for those who have authenticated. */
export const extendedCard: AgentCard = { ...card, description: "does what the message says, and more" }

/** Whoever has a token is whom it names; whoever has none is `anonymous`; `forged` is refused. */
export const Trusting = Layer.succeed(CallerVerifier, {
  verify: (token) =>
    Option.isNone(token)
      ? Effect.succeed("anonymous")
      : Redacted.value(token.value) === "forged"
        ? Effect.fail(new CallerRefused({ detail: "forged caller token" }))
        : Effect.succeed(Redacted.value(token.value))
})

/** What is different from the usual. */
export interface Options extends ServerHttp.Options {
  readonly card?: AgentCard
  /** A free one unless set. */
  readonly port?: number
  /** `null` for none. */
  readonly extendedCard?: AgentCard | null
  readonly operations?: Layer.Layer<A2AOperations>
}

/** The server on a free port of loopback, in context as `HttpServer`. */
export const layer = ({ operations = ScriptedAgent.layer, ...options }: Options = {}) =>
  HttpRouter.serve(ServerHttp.layerWith(options), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(Trusting),
    Layer.provide(
      Layer.succeed(AgentIdentity, {
        card: options.card ?? card,
        extendedCard: options.extendedCard === null ? undefined : (options.extendedCard ?? extendedCard)
      })
    ),
    Layer.provide(operations),
    Layer.provideMerge(
      NodeHttpServer.layer(() => createServer(), {
        host: "127.0.0.1",
        port: options.port ?? 0,
        gracefulShutdownTimeout: "100 millis"
      })
    )
  )
