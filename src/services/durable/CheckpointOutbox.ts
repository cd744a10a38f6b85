/**
 * What has been saved here and not yet sent to the platform.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CheckpointUnavailable } from "./Checkpoint.ts"

/**
 * The queue behind a `Checkpoint` that answers from the local disk and forwards in the background.
 *
 * **Example**
 *
 * ```ts
 * // At shutdown: give what is left a moment to go out; the rest goes out at the next start.
 * yield* Effect.timeoutOption(outbox.flush, "5 seconds")
 * ```
 */
export class CheckpointOutbox extends Context.Service<
  CheckpointOutbox,
  {
    /** How many changes wait to be sent. Those that the platform refused are kept, but wait for nothing. */
    readonly pending: Effect.Effect<number, CheckpointUnavailable>
    /**
     * Completes when nothing waits; while the platform is away that may be never, so give it a time limit. Also when the
     * local database cannot tell, which is logged.
     */
    readonly flush: Effect.Effect<void>
  }
>()("molecule-effect/services/durable/CheckpointOutbox") {}
