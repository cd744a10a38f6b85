/**
 * The platform as its clients see it: the methods of {@link PlatformApi}, typed, over Effect's `HttpClient`.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as HttpApiClient from "effect/http-api/HttpApiClient"
import type { PlatformApi } from "./PlatformApi.ts"

/**
 * The client derived from {@link PlatformApi}, with base URL, bearer, time limit and the retry of what is safe to repeat.
 *
 * **Details**
 *
 * Nothing else knows a path or a field. Failures are the API's own errors (see `PlatformErrors`), or an
 * `HttpClientError` where no answer came.
 *
 * **Example**
 *
 * ```ts
 * const client = yield* PlatformClient
 * const state = yield* client.workspaces.state({ params: { id } })
 * ```
 */
export class PlatformClient extends Context.Service<PlatformClient, HttpApiClient.ForApi<typeof PlatformApi>>()(
  "molecule-effect/services/platform/PlatformClient"
) {}
