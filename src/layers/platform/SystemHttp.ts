/**
 * Liveness and public keys.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Effect from "effect/Effect"
import { CallerTokenSigner } from "../../services/platform/CallerTokenSigner.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"

/** The handlers of the group `system`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const { publicKeys } = yield* CallerTokenSigner
    return handlers.handleAll({
      health: () => Effect.succeed({ status: "ok" as const }),
      keys: () => Effect.succeed(publicKeys)
    })
  })
)
