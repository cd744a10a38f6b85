/**
 * The A2A server: JSON-RPC in every version that is given, and HTTP+JSON in 1.0, on one router.
 *
 * @module
 */
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { A2AError } from "../../services/a2a/A2AError.ts"
import { A2AOperations } from "../../services/a2a/A2AOperations.ts"
import { AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { CallerVerifier } from "../../services/a2a/CallerVerifier.ts"
import { within } from "./capabilities.ts"
import { restError } from "./errorBodies.ts"
import * as EventStream from "./eventStream.ts"
import * as JsonRpcEndpoint from "./jsonRpcEndpoint.ts"
import * as RequestReader from "./requestReader.ts"
import * as RestEndpoint from "./restEndpoint.ts"
import type { RpcDialect } from "./rpcDialect.ts"
import * as RpcMethods10 from "./rpcMethods10.ts"

/** How the server is to be. */
export interface Options {
  /** Where JSON-RPC is served, with and without a slash at the end. */
  readonly rpcPaths?: ReadonlyArray<`/${string}`>
  /** The versions over JSON-RPC besides 1.0. */
  readonly dialects?: ReadonlyArray<Effect.Effect<RpcDialect, never, A2AOperations | AgentIdentity>>
  /** The version of a request without `A2A-Version`: 0.3 unless set, as the text wants it. */
  readonly assumedVersion?: "0.3" | "1.0"
  /** Largest body of a request, in bytes: 10 MiB unless set. */
  readonly maxBodyBytes?: number
  /** A comment goes out on a stream that has been silent for so long: 15 seconds unless set. */
  readonly keepAlive?: Duration.Input
  /** A stream whose client takes nothing for so long is ended: a minute unless set. */
  readonly stall?: Duration.Input
  /** Whether every path that nobody else has is answered with an error of HTTP+JSON: yes unless set. */
  readonly catchAll?: boolean
}

/** The methods that a catch-all is for. `HEAD` is not among them: the router answers it as `GET`. */
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] as const

const onlyPost = new A2AError({ reason: "METHOD_NOT_FOUND", message: "JSON-RPC is asked by POST" })

/**
 * The routes. They are served by whatever provides an `HttpRouter`, and do what `A2AOperations` does.
 *
 * **Details**
 *
 * Tenants: the text gives each path another with `/{tenant}` before it. The tenants that are served so are those that the
 * card's HTTP+JSON interfaces name; a path with any other is unknown, as an agent without tenants has none.
 */
export const layerWith = (options: Options = {}) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const identity = yield* AgentIdentity
      const operations = within(yield* A2AOperations, identity.card)
      const verifier = yield* CallerVerifier
      const assumed = options.assumedVersion ?? "0.3"
      const reader = RequestReader.make(verifier, identity.card, options.maxBodyBytes ?? 10 * 1024 * 1024)
      const streams = yield* EventStream.make({
        keepAlive: options.keepAlive ?? "15 seconds",
        stall: options.stall ?? "1 minute"
      })
      const others = yield* Effect.forEach(options.dialects ?? [], (make) =>
        Effect.provideService(make, A2AOperations, operations)
      )
      const standard = yield* Effect.provideService(RpcMethods10.make, A2AOperations, operations)
      const rpc = JsonRpcEndpoint.make({ dialects: [standard, ...others], assumed, reader, streams })
      const rest = RestEndpoint.make({ operations, identity, assumed, reader, streams })

      const notPost = restError(onlyPost, "application/json", { status: 405, headers: { allow: "POST" } })
      for (const path of options.rpcPaths ?? ["/" as const]) {
        yield* router.add("POST", path, rpc)
        for (const method of methods) if (method !== "POST") yield* router.add(method, path, notPost)
      }

      const tenants = identity.card.supportedInterfaces.flatMap(({ protocolBinding, tenant = "" }) =>
        protocolBinding === "HTTP+JSON" && tenant !== "" ? [tenant] : []
      )
      for (const tenant of ["", ...new Set(tenants)]) {
        const prefix = tenant === "" ? "" : (`/${encodeURIComponent(tenant)}` as const)
        const handler = (request: HttpServerRequest.HttpServerRequest) => rest(request, prefix, tenant)
        for (const method of methods) {
          // A colon is written twice: alone it would begin a parameter.
          yield* router.add(method, `${prefix}/message::send`, handler)
          yield* router.add(method, `${prefix}/message::stream`, handler)
          yield* router.add(method, `${prefix}/tasks/*`, handler)
          yield* router.add(method, `${prefix}/extendedAgentCard`, handler)
        }
      }
      if (options.catchAll !== false) {
        for (const method of methods) yield* router.add(method, "*", (request) => rest(request))
      }
    })
  )

/** {@link layerWith} nothing but 1.0, and a request without a version taken for 0.3. */
export const layer = layerWith()
