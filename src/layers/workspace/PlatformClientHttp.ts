/**
 * The platform's client of a workspace.
 *
 * @module
 */
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import { defaults, type Options, transform } from "./platformRequests.ts"

export type { Options }

/** The client over whatever `HttpClient` is in context. */
export const layerWith = (options: Partial<Options> = {}) =>
  Layer.effect(
    PlatformClient,
    Effect.flatMap(transform({ ...defaults, ...options }), (transformClient) =>
      HttpApiClient.make(PlatformApi, { transformClient })
    )
  )

/** {@link layerWith} the {@link defaults}. */
export const layer = layerWith()
