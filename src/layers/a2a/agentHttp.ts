/**
 * HTTP to another agent: time limits, size limits, redirects that carry no secrets elsewhere, and the repetition of what
 * may be repeated.
 *
 * @module
 */
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { AgentTimeout, AgentUnreachable, InvalidAgentResponse, type Limits } from "../../services/a2a/AgentClient.ts"

/** A request. `secrets` are headers that no other origin gets. */
export interface Request {
  readonly method: HttpMethod
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly body?: { readonly json: unknown; readonly type: string }
}

/** An answer that was read to its end. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
}

/** Why there is no answer. */
export type NoReply = AgentUnreachable | AgentTimeout | InvalidAgentResponse

/** HTTP with its manners. */
export interface AgentHttp {
  /** One request, until its answer's head; its body ends with the scope. */
  readonly open: (
    request: Request
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, AgentUnreachable | InvalidAgentResponse, Scope.Scope>
  /** The rest of an answer. */
  readonly read: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<string, NoReply>
  /** A request and its answer; repeated while that may help, if `again` (or if it was never received). */
  readonly exchange: (request: Request, limit: Duration.Input, again: boolean) => Effect.Effect<Reply, NoReply>
  readonly limits: Limits
}

const redirects = new Set([301, 302, 303, 307, 308])
const mostRedirects = 5

/** A `Retry-After` beyond this is the caller's to wait for. */
const longestWait = Duration.seconds(30)

// The connection was never made, so the agent has nothing of the request.
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ERR_INVALID_URL"])

const text = (value: unknown) => (Predicate.isString(value) ? value : "")

// The innermost cause says it best: fetch says "fetch failed", a pair of addresses nothing.
const causeOf = (error: unknown): { readonly code: string; readonly detail: string } => {
  if (!Predicate.isObject(error)) return { code: "", detail: text(error) }
  const inner = Predicate.hasProperty(error, "cause") ? causeOf(error.cause) : { code: "", detail: "" }
  const code = inner.code || (Predicate.hasProperty(error, "code") ? text(error.code) : "")
  const own = Predicate.hasProperty(error, "message") ? text(error.message) : ""
  return { code, detail: inner.detail || own || code }
}

const isTls = (code: string) => /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)

const unreachable = (url: string, error: HttpClientError) => {
  const { reason } = error
  if (reason._tag === "InvalidUrlError") return new AgentUnreachable({ url, detail: "it is no URL", sent: false })
  const { code, detail } = causeOf("cause" in reason ? reason.cause : undefined)
  return new AgentUnreachable({
    url,
    detail: detail || reason.description || "the connection broke",
    sent: !(reason._tag === "TransportError" && (neverSent.has(code) || isTls(code)))
  })
}

/** Seconds of `Retry-After`. The other form, a date, is not worth trusting two clocks. */
export const retryAfter = (headers: Readonly<Record<string, string | undefined>>): number | undefined => {
  const seconds = headers["retry-after"] ?? ""
  return /^\d{1,9}$/.test(seconds) ? Number(seconds) : undefined
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : "")

/** The URL without what may be a secret in it, for messages. */
export const shown = (url: string): string => {
  if (!URL.canParse(url)) return url
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** Backoff before a further attempt: 200 ms, doubling, up to 5 s, a little at random. */
export const pause = Effect.fnUntraced(function* (attempt: number, asked?: number) {
  const spread = yield* Random.nextBetween(0.8, 1.2)
  yield* Effect.sleep(Duration.millis(Math.max((asked ?? 0) * 1000, Math.min(100 * 2 ** attempt, 5000) * spread)))
})

/** HTTP by a client; one that follows redirects by itself (fetch does) is told not to. */
export const make = (client: HttpClient.HttpClient, limits: Limits): AgentHttp => {
  const scoped = HttpClient.withScope(client)

  const send = (request: Request, url: string, secrets: boolean) =>
    scoped
      .execute(
        HttpClientRequest.make(request.method)(url, {
          headers: secrets ? { ...request.headers, ...request.secrets } : request.headers
        }).pipe((made) =>
          request.body === undefined
            ? made
            : HttpClientRequest.setBody(made, HttpBody.jsonUnsafe(request.body.json, request.body.type))
        )
      )
      .pipe(
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.mapError((error) => unreachable(shown(url), error))
      )

  const open = Effect.fnUntraced(function* (request: Request) {
    let url = request.url
    let secrets = true
    for (let followed = 0; ; followed++) {
      const response = yield* send(request, url, secrets)
      const { location } = response.headers
      if (!redirects.has(response.status) || location === undefined) return response
      const fail = (detail: string) => new InvalidAgentResponse({ url: shown(url), detail })
      if (followed === mostRedirects) return yield* fail("it redirects too often")
      if (!URL.canParse(location, url)) return yield* fail("it redirects to what is no URL")
      const next = new URL(location, url)
      if (!/^https?:$/.test(next.protocol)) return yield* fail(`it redirects to ${next.protocol}`)
      const stays = next.origin === originOf(request.url)
      // What is said to one agent is not for another, and a POST must stay one.
      if (request.method !== "GET" && !(stays && response.status >= 307))
        return yield* fail(`it redirects to ${shown(next.href)}`)
      secrets = secrets && stays
      url = next.href
    }
  })

  const read = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
    const url = shown(response.request.url)
    const decoder = new TextDecoder()
    let size = 0
    let content = ""
    yield* response.stream.pipe(
      Stream.mapError((error) => unreachable(url, error)),
      Stream.runForEach((chunk) => {
        size += chunk.byteLength
        if (size > limits.bytes) {
          return Effect.fail(new InvalidAgentResponse({ url, detail: `it has more than ${limits.bytes} bytes` }))
        }
        content += decoder.decode(chunk, { stream: true })
        return Effect.void
      })
    )
    return content + decoder.decode()
  })

  const once = (request: Request, limit: Duration.Input) =>
    open(request).pipe(
      Effect.flatMap((response) =>
        Effect.map(read(response), (content): Reply => ({
          status: response.status,
          headers: response.headers,
          text: content
        }))
      ),
      Effect.scoped,
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () =>
          Effect.fail(
            new AgentTimeout({ url: shown(request.url), seconds: Duration.toSeconds(Duration.fromInputUnsafe(limit)) })
          )
      })
    )

  const exchange = Effect.fnUntraced(function* (request: Request, limit: Duration.Input, again: boolean) {
    for (let attempt = 1; ; attempt++) {
      const result = yield* Effect.result(once(request, limit))
      if (attempt > limits.retries) return yield* Effect.fromResult(result)
      if (result._tag === "Failure") {
        const { failure } = result
        if (failure._tag !== "AgentUnreachable" || (failure.sent && !again)) return yield* failure
        yield* Effect.logDebug("no answer, trying again", { url: failure.url, attempt, detail: failure.detail })
        yield* pause(attempt)
        continue
      }
      const { headers, status } = result.success
      // Refused before any work; or, where that does no harm, lost on the way.
      const transient = status === 429 || status === 503 || (again && (status === 502 || status === 504))
      const asked = retryAfter(headers)
      if (!transient || (asked ?? 0) > Duration.toSeconds(longestWait)) return result.success
      yield* Effect.logDebug("not now, trying again", { url: shown(request.url), attempt, status })
      yield* pause(attempt, asked)
    }
  })

  return { open, read, exchange, limits }
}
