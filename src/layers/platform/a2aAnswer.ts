/**
 * What the proxy makes of an agent's answer.
 *
 * @module
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { STATUS_CODES } from "node:http"
import type { AgentAnswer } from "../../services/platform/AgentTransport.ts"
import { BadGateway } from "../../services/platform/PlatformErrors.ts"
import * as A2AEnvelope from "./a2aEnvelope.ts"
import { errorJson } from "./httpAnswers.ts"

const phrase = (status: number) => STATUS_CODES[status] ?? `status ${status}`

const collect = Effect.fnUntraced(function* ({ body, status }: AgentAnswer, maxBytes: number) {
  const delivered = status >= 200 && status < 400
  const size = yield* Ref.make(0)
  const tooLarge = new BadGateway({
    error: `agent response is larger than ${maxBytes} bytes`,
    delivery_confirmed: delivered
  })
  const chunks = yield* body.pipe(
    Stream.mapError(() => new BadGateway({ error: "failed to read agent response", delivery_confirmed: delivered })),
    Stream.tap((chunk) =>
      Effect.flatMap(
        Ref.updateAndGet(size, (before) => before + chunk.length),
        (now) => (now > maxBytes ? Effect.fail(tooLarge) : Effect.void)
      )
    ),
    Stream.runCollect
  )
  return Buffer.concat(chunks)
})

// Statuses that a proxy cannot pass on: 1xx is no answer, and what is not a status would break ours.
const isFinal = (status: number) => status >= 200 && status <= 599

/**
 * The answer for the caller.
 *
 * **Details**
 *
 * Below 300 status and body go on as they are, as JSON; an event stream goes on piece by piece as it comes. Redirects are
 * not followed: 502. From 400 on a body of JSON-RPC goes on, any other is told as `{"error": …}`; `Retry-After` goes with
 * it. An answer larger than the limit is a 502, never cut.
 */
export const toResponse = Effect.fnUntraced(function* (answer: AgentAnswer, maxBytes: number) {
  const { headers, status } = answer
  if (!isFinal(status))
    return yield* new BadGateway({
      error: "workspace agent answered with an unknown status",
      delivery_confirmed: false
    })
  if (status >= 300 && status < 400) {
    return yield* new BadGateway({
      error: "workspace agent answered with a redirect, which is not followed",
      delivery_confirmed: false
    })
  }
  const isStream = /^text\/event-stream\b/i.test(headers["content-type"] ?? "")
  if (status < 300 && isStream) {
    return HttpServerResponse.stream(answer.body, {
      status,
      contentType: "text/event-stream",
      headers: { "x-accel-buffering": "no" }
    })
  }
  const body = yield* collect(answer, maxBytes)
  if (status < 300) return HttpServerResponse.uint8Array(body, { status, contentType: "application/json" })

  const retryAfter = headers["retry-after"]
  // Whole seconds only: the original's Python client cannot read a date.
  const more = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? { "retry-after": retryAfter } : {}
  const text = body.toString("utf8")
  if (A2AEnvelope.isRpcError(text)) {
    return HttpServerResponse.text(text, { status, contentType: "application/json", headers: more })
  }
  return errorJson(status, A2AEnvelope.errorText(text) ?? phrase(status), { headers: more })
})
