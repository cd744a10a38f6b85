/**
 * Requests of a workspace to the platform: its token, its id, time limits, and the retry of what is safe to repeat.
 *
 * @module
 */
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { Credentials } from "../../services/workspace/Credentials.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"

/** The client's limits. */
export interface Options {
  /** How long one request may take, its answer's body included. */
  readonly timeout: Duration.Input
  /** How long a message through the A2A proxy may take: a blocking one lasts as long as its task. */
  readonly proxyTimeout: Duration.Input
  /** How often a GET that met no answer, 429 or 5xx is sent again, after 200 ms, 400 ms …, or what `Retry-After` asks. */
  readonly retries: number
}

/** Ten seconds, as the original runtime; thirty minutes, as its platform; three times. */
export const defaults: Options = { timeout: "10 seconds", proxyTimeout: "30 minutes", retries: 3 }

/** A `Retry-After` beyond this is the caller's to wait for. */
const longestWait = Duration.seconds(30)

const noAnswer = (request: HttpClientRequest.HttpClientRequest, description: string) =>
  new HttpClientError({ reason: new TransportError({ request, description }) })

// Whole seconds, as the platform writes it. The other form, a date, is not worth trusting two clocks.
const askedFor = (response: HttpClientResponse.HttpClientResponse) => {
  const seconds = response.headers["retry-after"] ?? ""
  return /^\d+$/.test(seconds) ? Duration.seconds(Number(seconds)) : Duration.zero
}

const again = Effect.fnUntraced(function* (
  once: Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>,
  retries: number
) {
  for (let sent = 1; ; sent++) {
    const result = yield* Effect.result(once)
    const transient = Result.isSuccess(result)
      ? HttpClient.isTransientResponse(result.success)
      : HttpClient.isTransientError(result.failure)
    const asked = Result.isSuccess(result) ? askedFor(result.success) : Duration.zero
    if (!transient || sent > retries || Duration.isGreaterThan(asked, longestWait))
      return yield* Effect.fromResult(result)
    const spread = yield* Random.nextBetween(0.8, 1.2)
    yield* Effect.sleep(Duration.max(asked, Duration.millis(100 * 2 ** sent * spread)))
  }
})

/** What a client of the platform does to each request. */
export const transform = Effect.fnUntraced(function* (options: Options) {
  const { platformUrl, workspaceId } = yield* PlatformConfig
  const credentials = yield* Credentials

  // A token that cannot be read now is not a token that is missing: the request fails, and may be tried again.
  const authorize = Effect.fnUntraced(function* (request: HttpClientRequest.HttpClientRequest) {
    const token = yield* Effect.mapError(credentials.load, (error) => noAnswer(request, error.message))
    return Option.match(token, {
      onNone: () => request,
      onSome: (value) => HttpClientRequest.bearerToken(request, value)
    })
  })

  // Whoever waits for messages knows himself how long, and asks again himself.
  const isPull = (request: HttpClientRequest.HttpClientRequest) => request.url.endsWith("/a2a/queue")
  const limit = (request: HttpClientRequest.HttpClientRequest) =>
    request.url.endsWith("/a2a") || isPull(request) ? options.proxyTimeout : options.timeout

  return (client: HttpClient.HttpClient): HttpClient.HttpClient =>
    client.pipe(
      HttpClient.mapRequest(
        flow(HttpClientRequest.prependUrl(platformUrl), HttpClientRequest.setHeader("x-workspace-id", workspaceId))
      ),
      HttpClient.mapRequestEffect(authorize),
      HttpClient.transform((effect, request) => {
        const duration = limit(request)
        const once = effect.pipe(
          // The limit holds for the whole answer. It is kept by the response, which decodes it later.
          Effect.tap(({ arrayBuffer }) =>
            Effect.mapError(arrayBuffer, () => noAnswer(request, "the answer was cut off"))
          ),
          Effect.timeoutOrElse({
            duration,
            orElse: () =>
              Effect.fail(noAnswer(request, `no answer within ${Duration.format(Duration.fromInputUnsafe(duration))}`))
          })
        )
        return request.method === "GET" && !isPull(request) ? again(once, options.retries) : once
      })
    )
})
