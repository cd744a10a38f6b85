/**
 * What has been saved here and not yet sent to the platform.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { CheckpointError, CheckpointUnavailable } from "./Checkpoint.ts"

/** The outbox was full and has been compacted: the platform has been away, or slower than the work, for too long. */
export interface OutboxAlarm {
  /** Of the first compaction since everything was sent. */
  readonly since: DateTime.Utc
  /** For people. */
  readonly detail: string
}

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
    /** Set from the time that the outbox was full until what it held then is sent. It is logged once, as an error. */
    readonly alarm: Effect.Effect<Option.Option<OutboxAlarm>>
    /**
     * Completes when the platform has confirmed the task's acceptance, so that the task survives the loss of this disk, or
     * when that does not matter any more, since the task has ended. While the platform is away that may be long: give it a
     * time limit. Fails with `CheckpointRejected` where the platform has refused.
     */
    readonly confirmed: (taskId: string) => Effect.Effect<void, CheckpointError>
  }
>()("molecule-effect/services/durable/CheckpointOutbox") {}
