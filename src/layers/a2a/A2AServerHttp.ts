/**
 * The agent's HTTP server: card, JSON-RPC and health, as `A2AApi` declares them.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { A2AApi, NotReady, NotWell } from "../../services/a2a/A2AApi.ts"
import { CallerVerifier } from "../../services/a2a/CallerVerifier.ts"
import * as JsonRpc from "../../services/a2a/JsonRpc.ts"
import { LocalAgent } from "../../services/a2a/LocalAgent.ts"
import * as Cursor from "../../services/durable/Cursor.ts"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { Health } from "../../services/workspace/Health.ts"
import { Lifecycle } from "../../services/workspace/Lifecycle.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"
import * as RpcMethods from "./rpcMethods.ts"

/** A comment line on an idle stream this often, so that nothing between us and the client takes it for dead. */
const keepAliveInterval = "15 seconds"

// What goes out we made ourselves, and a stream has no other place to encode it.
// @effect-diagnostics-next-line schemaSync:off
const encodeResponse = Schema.encodeSync(Schema.fromJsonString(JsonRpc.Response))

const rpcJson = (response: JsonRpc.Response, status: number, headers: Record<string, string> = {}) =>
  HttpServerResponse.text(encodeResponse(response), { status, headers, contentType: "application/json" })

// Failures before JSON-RPC begins (who calls, how much do they send) are told by the HTTP status; the body stays JSON-RPC.
const refused = (status: number, message: string, headers: Record<string, string> = {}) =>
  rpcJson(
    JsonRpc.failure(null, new JsonRpc.RpcError({ code: JsonRpc.ErrorCode.InvalidRequest, message })),
    status,
    headers
  )

const sse = (responses: Stream.Stream<RpcMethods.StreamedResponse>) =>
  HttpServerResponse.stream(
    responses.pipe(
      Stream.map(({ cursor, response }) => {
        const id = cursor === undefined ? "" : `id: ${Cursor.format(cursor)}\n`
        return `${id}data: ${encodeResponse(response)}\n\n`
      }),
      Stream.merge(
        Stream.map(Stream.drop(Stream.tick(keepAliveInterval), 1), () => ": keep-alive\n\n"),
        { haltStrategy: "left" }
      ),
      Stream.encodeText
    ),
    { contentType: "text/event-stream", headers: { "cache-control": "no-store", "x-accel-buffering": "no" } }
  )

const bearer = (request: HttpServerRequest.HttpServerRequest) => {
  const [, token] = /^Bearer +(\S+)$/.exec(request.headers["authorization"] ?? "") ?? []
  return token === undefined ? Option.none() : Option.some(Redacted.make(token))
}

const readBody = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, limit: number) {
  if (Number(request.headers["content-length"] ?? 0) > limit) return Option.none<string>()
  return yield* request.text.pipe(
    Effect.asSome,
    // The limit is the one thing that can be wrong with a body that is merely read; a lost connection has nobody to answer.
    Effect.catch(() => Effect.succeedNone),
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit))
  )
})

const handlers = HttpApiBuilder.group(
  A2AApi,
  "agent",
  Effect.fnUntraced(function* (group) {
    const { card } = yield* LocalAgent
    const { maxBodyBytes } = yield* WorkspaceSettings
    const verifier = yield* CallerVerifier
    const runner = yield* TaskRunner
    const lifecycle = yield* Lifecycle
    const rpc = yield* RpcMethods.make

    const { forAll: health } = yield* Health

    const readiness = Effect.gen(function* () {
      const { queued, running } = yield* runner.activity
      return { status: yield* SubscriptionRef.get(lifecycle), running, queued }
    })

    const answer = Effect.fnUntraced(
      function* (request: HttpServerRequest.HttpServerRequest) {
        const caller = yield* verifier.verify(bearer(request))
        const body = yield* readBody(request, maxBodyBytes)
        if (Option.isNone(body)) {
          return refused(413, `the request body is larger than ${maxBodyBytes} bytes`, { connection: "close" })
        }
        const result = yield* rpc({ caller, body: body.value, lastEventId: request.headers["last-event-id"] })
        if (result._tag === "Streamed") return sse(result.responses)
        const { busy, response } = result
        return busy === undefined
          ? rpcJson(response, 200)
          : rpcJson(response, busy.status, { "retry-after": String(busy.retryAfter) })
      },
      Effect.catchTags({
        CallerRefused: (refusal) => Effect.succeed(refused(401, refusal.message, { "www-authenticate": "Bearer" })),
        KeysUnavailable: (failure) =>
          Effect.as(Effect.logWarning(failure.message), refused(503, failure.message, { "retry-after": "5" }))
      })
    )

    return group
      .handle("card", () => Effect.succeed(card))
      .handle("cardOfOldName", () => Effect.succeed(card))
      .handle("health", () =>
        Effect.filterOrFail(
          health,
          ({ wrong }) => wrong.length === 0,
          (now) => new NotWell(now)
        )
      )
      .handle("ready", () =>
        Effect.filterOrFail(
          readiness,
          (now) => now.status === "ok",
          (now) => new NotReady(now)
        )
      )
      .handleRaw("rpc", ({ request }) => answer(request))
  })
)

/** The routes of the agent. They are served by whatever provides an `HttpRouter`. */
export const layer = HttpApiBuilder.layer(A2AApi).pipe(Layer.provide(handlers))
