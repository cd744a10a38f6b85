/**
 * Requests to agents over `undici`, by Effect's `HttpClient`.
 *
 * @module
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { LookupFunction } from "node:net"
import { AddressPolicy, AddressRefused } from "../../services/platform/AddressPolicy.ts"
import { AgentSilent, AgentTransport, AgentUnreachable } from "../../services/platform/AgentTransport.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"

/** How long a connection may take to be made. Milliseconds. */
const connectTimeout = 10_000

/**
 * How long a connection is kept for the next request. Milliseconds. Short: an agent that ends closes its connections, and
 * one whose machine is gone must not cost a request more than this window.
 */
const keepAliveTimeout = 2000

/** A body of so many bytes is read in one piece: a stream costs more than the rest of the exchange. */
const smallBody = 64 * 1024

// Failures after which the agent may have the request; all others came before there was a connection.
const afterConnection = new Set([
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"
])

const isRefused = Schema.is(AddressRefused)
const codeOf = (cause: unknown) => (Predicate.hasProperty(cause, "code") ? String(cause.code) : "")
const toError = (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause)))

/**
 * The transport.
 *
 * **Details**
 *
 * The policy is asked before a request, and answers again when the socket asks for the addresses of a name: a connection
 * goes only to an address that was checked for it, and a name that resolves differently a moment later gains nothing. A connection is kept for two seconds for the
 * next request: a restarted agent's are closed by then.
 */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const policy = yield* AddressPolicy
    const fork = Effect.runForkWith(yield* Effect.context<never>())

    const lookup: LookupFunction = (hostname, options, callback) => {
      fork(Effect.result(policy.resolve(hostname))).addObserver((exit) => {
        if (exit._tag === "Failure") return callback(new Error("the name was not resolved"), [])
        const result = exit.value
        if (result._tag === "Failure") return callback(result.failure, [])
        const fitting = result.success.filter(
          ({ family }) => options.family === family || !(options.family === 4 || options.family === 6)
        )
        const [first] = fitting
        if (first === undefined) return callback(new Error(`${hostname} has no address of the family asked for`), [])
        if (options.all === true) callback(null, [...fitting])
        else callback(null, first.address, first.family)
      })
    }

    const make = Effect.gen(function* () {
      const client = yield* NodeHttpClient.makeUndici
      const { agentIdleTimeout } = yield* PlatformSettings
      const silent = () => new AgentSilent({ cause: new Error("no sign of life within the idle time"), timedOut: true })
      const idle = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.timeoutOrElse(effect, {
          duration: agentIdleTimeout,
          orElse: () => Effect.fail(silent())
        })

      return AgentTransport.of({
        send: Effect.fn("AgentTransport.send")(function* ({ bearer, body, headers = {}, method, url }) {
          const target = yield* policy.check(url)
          const base = HttpClientRequest.make(method)(target.href).pipe(
            HttpClientRequest.setHeaders(headers),
            HttpClientRequest.bearerToken(bearer)
          )
          const request =
            body === ""
              ? base
              : HttpClientRequest.setBody(base, HttpBody.text(body, headers["content-type"] ?? "application/json"))
          const response = yield* HttpClient.withScope(client)
            .execute(request)
            .pipe(
              // Our traces are not the agent's business, and a span for each of these costs as much as its query.
              Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
              Effect.mapError((error) => {
                const cause = error.cause
                if (isRefused(cause)) return cause
                return afterConnection.has(codeOf(cause))
                  ? new AgentSilent({ cause: toError(cause) })
                  : new AgentUnreachable({ cause: toError(cause) })
              }),
              idle
            )
          // Within the idle time as a whole: that is stricter than piece by piece, and for so little it is enough.
          const length = Number(response.headers["content-length"] ?? Infinity)
          const small =
            length > smallBody
              ? undefined
              : idle(
                  Effect.mapBoth(response.arrayBuffer, {
                    onFailure: (cause) => new AgentSilent({ cause }),
                    onSuccess: (bytes) => new Uint8Array(bytes)
                  })
                )
          return {
            small,
            status: response.status,
            headers: response.headers,
            body: response.stream.pipe(
              Stream.mapError((cause) => new AgentSilent({ cause })),
              Stream.timeoutOrElse({
                duration: agentIdleTimeout,
                orElse: () => Stream.fail(silent())
              })
            )
          }
        })
      })
    })

    return Layer.effect(AgentTransport, make).pipe(
      Layer.provide(
        NodeHttpClient.layerDispatcherOptions({
          keepAliveTimeout,
          keepAliveMaxTimeout: keepAliveTimeout,
          connect: { timeout: connectTimeout, lookup }
        })
      )
    )
  })
)
