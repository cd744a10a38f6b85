/**
 * What the relay makes of an agent's answer.
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

/** How an answer begins. */
export type Head = Pick<AgentAnswer, "status" | "headers">

/** What the request was made over: it decides what an error looks like. */
export type Binding = "rpc" | "rest"

const phrase = (status: number) => STATUS_CODES[status] ?? `status ${status}`

// Statuses that a proxy cannot pass on: 1xx is no answer, and what is not a status would break ours.
const isFinal = (status: number) => status >= 200 && status <= 599

/** Does the answer come event by event? */
export const isStream = ({ headers, status }: Head): boolean =>
  status < 300 && /^text\/event-stream\b/i.test(headers["content-type"] ?? "")

const isJson = /^(?:application\/(?:[\w.+-]+\+)?json|text\/json)\s*(?:;|$)/i

/** What of an answer's headers is the caller's business. */
const passedOn = ["a2a-version", "a2a-extensions", "x-a2a-extensions", "etag"]

/** The headers of an answer that go on to the caller, besides the content type. */
export const passedHeaders = ({ headers }: Head): Record<string, string> => {
  const passed: Record<string, string> = {}
  for (const name of passedOn) {
    const value = headers[name]
    if (value !== undefined) passed[name] = value
  }
  // Whole seconds only: the original's Python client cannot read a date.
  const retryAfter = headers["retry-after"]
  if (retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter)) passed["retry-after"] = retryAfter
  return passed
}

/** Seconds after which a busy agent wants to be asked again, if that is what the answer says. */
export const busyFor = (head: Head): number | undefined => {
  const seconds = passedHeaders(head)["retry-after"]
  return (head.status === 429 || head.status === 503) && seconds !== undefined ? Number(seconds) : undefined
}

/** The whole body; more than `maxBytes` of it is a 502, never cut. */
export const collect = Effect.fnUntraced(function* ({ body, small, status }: AgentAnswer, maxBytes: number) {
  const delivered = status >= 200 && status < 400
  const size = yield* Ref.make(0)
  const tooLarge = new BadGateway({
    error: `agent response is larger than ${maxBytes} bytes`,
    delivery_confirmed: delivered
  })
  const broken = () => new BadGateway({ error: "failed to read agent response", delivery_confirmed: delivered })
  if (small !== undefined) {
    const bytes = yield* Effect.mapError(small, broken)
    return bytes.length > maxBytes ? yield* tooLarge : Buffer.from(bytes.buffer)
  }
  const chunks = yield* body.pipe(
    Stream.mapError(broken),
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

/** What cannot be passed on: a status that is none, and redirects, which are not followed. */
export const refusal = ({ status }: Head): BadGateway | undefined => {
  if (!isFinal(status))
    return new BadGateway({ error: "workspace agent answered with an unknown status", delivery_confirmed: false })
  if (status >= 300 && status < 400) {
    return new BadGateway({
      error: "workspace agent answered with a redirect, which is not followed",
      delivery_confirmed: false
    })
  }
  return undefined
}

/**
 * The answer for the caller, from a whole body.
 *
 * **Details**
 *
 * Below 300 status and body go on as they are, as JSON. From 400 on a body in the form of the binding goes on, any other
 * is told as `{"error": …}`. `Retry-After` and the protocol's own headers go with it.
 */
export const toResponse = (head: Head, body: Uint8Array, binding: Binding): HttpServerResponse.HttpServerResponse => {
  const { status } = head
  const headers = passedHeaders(head)
  const given = head.headers["content-type"] ?? ""
  const contentType = binding === "rest" && isJson.test(given) ? given : "application/json"
  if (status < 300) return HttpServerResponse.uint8Array(body, { status, contentType, headers })
  const text = Buffer.from(body).toString("utf8")
  return (binding === "rest" ? A2AEnvelope.isObjectText(text) : A2AEnvelope.isRpcError(text))
    ? HttpServerResponse.text(text, { status, contentType, headers })
    : errorJson(status, A2AEnvelope.errorText(text) ?? phrase(status), { headers })
}

/** The answer for the caller, piece by piece as it comes. */
export const toStream = (head: Head, body: Stream.Stream<Uint8Array, unknown>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(body, {
    status: head.status,
    contentType: "text/event-stream",
    headers: { ...passedHeaders(head), "x-accel-buffering": "no" }
  })
