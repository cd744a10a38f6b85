/**
 * Being there: from the registration on the platform to the last heartbeat.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * The workspace's presence on the platform, for as long as the layer lives: registered, heartbeating, and signed off at
 * the end.
 */
export class Presence extends Context.Service<
  Presence,
  {
    /** Completes, with the reason, when the platform says that this workspace should stop. */
    readonly stopped: Effect.Effect<string>
  }
>()("molecule-effect/services/workspace/Presence") {}
