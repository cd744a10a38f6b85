/**
 * No push notifications: for an agent whose tasks end with its process.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PushConfigs, PushTargetRefused } from "../../services/a2a/PushConfigs.ts"

/** Every configuration is refused, and none is there. Say so on the card: `capabilities.pushNotifications: false`. */
export const layer = Layer.succeed(
  PushConfigs,
  PushConfigs.of({
    set: (_taskId, { url }) =>
      Effect.fail(new PushTargetRefused({ url, detail: "this agent keeps nothing that it could push from" })),
    get: () => Effect.succeedNone,
    list: () => Effect.succeed([]),
    remove: () => Effect.void,
    dead: () => Effect.succeed([])
  })
)
