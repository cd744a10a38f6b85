/**
 * The platform's client under the admin token.
 *
 * @module
 */
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"

/** How long one request may take; the proxy answers a non-blocking message at once. */
const requestTimeout = "30 seconds"

/** `PlatformClient` for whoever runs the platform. */
export const layerWith = (options: { readonly platformUrl: string; readonly adminToken: Redacted.Redacted }) =>
  Layer.effect(
    PlatformClient,
    HttpApiClient.make(PlatformApi, {
      transformClient: flow(
        HttpClient.mapRequest(
          flow(HttpClientRequest.prependUrl(options.platformUrl), HttpClientRequest.bearerToken(options.adminToken))
        ),
        HttpClient.transform((effect, request) =>
          Effect.timeoutOrElse(effect, {
            duration: requestTimeout,
            orElse: () =>
              Effect.fail(new HttpClientError({ reason: new TransportError({ request, description: "timeout" }) }))
          })
        )
      )
    })
  )
