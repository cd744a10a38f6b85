/**
 * The platform's client of a workspace: its token, its id, time limits, and the retry of what is safe to repeat.
 *
 * @module
 */
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import { Credentials } from "../../services/workspace/Credentials.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"

/** The client's limits. */
export interface Options {
  /** How long one request may take. */
  readonly timeout: Duration.Input
  /** How long a message through the A2A proxy may take: a blocking one lasts as long as its task. */
  readonly proxyTimeout: Duration.Input
  /** How often a GET that met no answer, 429 or 5xx is sent again. */
  readonly retries: number
}

/** Ten seconds, as the original runtime; thirty minutes, as its platform; three times. */
export const defaults: Options = { timeout: "10 seconds", proxyTimeout: "30 minutes", retries: 3 }

const make = Effect.fnUntraced(function* (options: Options) {
  const { platformUrl, workspaceId } = yield* PlatformConfig
  const credentials = yield* Credentials

  // A token that cannot be read is no token: the platform's 401 then says what is missing, and the log why.
  const authorize = Effect.fnUntraced(function* (request: HttpClientRequest.HttpClientRequest) {
    const token = yield* Effect.catch(credentials.load, (error) =>
      Effect.as(Effect.logError(error.message), Option.none())
    )
    return Option.match(token, {
      onNone: () => request,
      onSome: (value) => HttpClientRequest.bearerToken(request, value)
    })
  })

  const limit = (request: HttpClientRequest.HttpClientRequest) =>
    request.url.endsWith("/a2a") ? options.proxyTimeout : options.timeout

  return yield* HttpApiClient.make(PlatformApi, {
    transformClient: flow(
      HttpClient.mapRequest(
        flow(HttpClientRequest.prependUrl(platformUrl), HttpClientRequest.setHeader("x-workspace-id", workspaceId))
      ),
      HttpClient.mapRequestEffect(authorize),
      HttpClient.transform((effect, request) => {
        const limited = Effect.timeoutOrElse(effect, {
          duration: limit(request),
          orElse: () =>
            Effect.fail(
              new HttpClientError({
                reason: new TransportError({
                  request,
                  description: `no answer within ${Duration.format(Duration.fromInputUnsafe(limit(request)))}`
                })
              })
            )
        })
        return request.method === "GET"
          ? HttpClient.retryTransient(
              HttpClient.make(() => limited),
              {
                schedule: Schedule.jittered(Schedule.exponential("200 millis")),
                times: options.retries
              }
            ).execute(request)
          : limited
      })
    )
  })
})

/** The client over whatever `HttpClient` is in context. */
export const layerWith = (options: Partial<Options> = {}) =>
  Layer.effect(PlatformClient, make({ ...defaults, ...options }))

/** {@link layerWith} the {@link defaults}. */
export const layer = layerWith()
