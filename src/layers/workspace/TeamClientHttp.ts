/**
 * The client of what a workspace asks about its team.
 *
 * @module
 */
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TeamApi, TeamClient } from "../../services/platform/TeamApi.ts"
import { defaults, type Options, transform } from "./platformRequests.ts"

/** The client over whatever `HttpClient` is in context. */
export const layerWith = (options: Partial<Options> = {}) =>
  Layer.effect(
    TeamClient,
    Effect.flatMap(transform({ ...defaults, ...options }), (transformClient) =>
      HttpApiClient.make(TeamApi, { transformClient })
    )
  )

/** {@link layerWith} the defaults. */
export const layer = layerWith()
