/**
 * What the workspace's tasks wait for.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** `signal`: a value that somebody provides; `person`: a decision; `timer`: time; `child`: another task. */
export const WaitKind = Schema.Literals(["signal", "person", "timer", "child"])

/**
 * One suspended task: for what, from whom, until when. Times are milliseconds since 1970. It is due when the deadline has
 * passed: an approval with a week to go is not.
 */
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
