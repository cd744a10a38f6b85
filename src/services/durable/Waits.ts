/**
 * What the workspace's tasks wait for, and whether any of it is overdue.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** `signal`: a value that somebody provides; `person`: a decision; `timer`: time; `child`: another task. */
export const WaitKind = Schema.Literals(["signal", "person", "timer", "child"])

/** One suspended task: for what, from whom, until when. Times are milliseconds since 1970. */
export const OpenWait = Schema.Struct({
  taskId: Schema.String,
  wait: Schema.String,
  kind: WaitKind,
  reason: Schema.String,
  from: Schema.String,
  since: Schema.Finite,
  deadline: Schema.Finite,
  /** How often its provider was asked again because the deadline had passed. */
  retries: Schema.Int
})
/** The type of {@link OpenWait}. */
export type OpenWait = typeof OpenWait.Type

/** The open waits could not be read. */
export class WaitsUnavailable extends Schema.TaggedError<WaitsUnavailable>()("WaitsUnavailable", {
  cause: Schema.Defect()
}) {
  override get message() {
    return `the open waits could not be read: ${String(this.cause)}`
  }
}

/**
 * The open waits.
 *
 * **Details**
 *
 * A wait is due when its deadline has passed; an approval with a week to go is not. `oldestDue` is the age in
 * milliseconds of the oldest due one, 0 if none is: the workspace's health is this number, not that it is up.
 *
 * **Example**
 *
 * ```ts
 * const { list } = yield* Waits
 * for (const wait of yield* list) yield* Effect.log(`${wait.taskId} waits for ${wait.reason} from ${wait.from}`)
 * ```
 */
export class Waits extends Context.Service<
  Waits,
  {
    readonly list: Effect.Effect<ReadonlyArray<OpenWait>, WaitsUnavailable>
    readonly oldestDue: Effect.Effect<number, WaitsUnavailable>
  }
>()("molecule-effect/services/durable/Waits") {}
