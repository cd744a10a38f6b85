/**
 * How far each task has come: one row for each step of a workflow, kept where another process can read it.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"

/** Workflows of the workspace itself, which are none of its tasks, have names that begin like this. */
export const reservedPrefix = "molecule~"

/** Names one step of one workflow of one workspace; saving it again replaces what was saved. */
export const CheckpointKey = Schema.Struct({
  workspaceId: WorkspaceId,
  /** The task's id. A step inside a phase is kept under `<task>/<phase>`. 1 to 255 characters. */
  workflowId: Schema.NonEmptyString.check(Schema.isMaxLength(255)),
  /** 1 to 255 characters. */
  stepName: Schema.NonEmptyString.check(Schema.isMaxLength(255))
})

/** What {@link Checkpoint.save} takes: the step, its place in the order, and whatever resuming needs. */
export const CheckpointInput = Schema.Struct({
  ...CheckpointKey.fields,
  /** Position of the step in its workflow; int32, by which {@link Checkpoint.list} orders. */
  stepIndex: Schema.Int.check(Schema.isBetween({ minimum: -2147483648, maximum: 2147483647 })),
  payload: Schema.Json
})
/** The type of {@link CheckpointInput}. */
export type CheckpointInput = typeof CheckpointInput.Type

/** A checkpoint as it was saved. `id` stays over repeats; `completedAt` is the time of the last write. */
export class SavedStep extends Schema.Class<SavedStep>("molecule-effect/SavedStep")({
  ...CheckpointInput.fields,
  id: Schema.String,
  completedAt: Schema.DateTimeUtc
}) {}

/** The store could not be reached or failed: the same call may succeed later. */
export class CheckpointUnavailable extends Schema.TaggedError<CheckpointUnavailable>()("CheckpointUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `checkpoint ${this.operation} failed for now: ${String(this.cause)}`
  }
}

/** The store refused: the same call fails again, for the reason in `detail`. */
export class CheckpointRejected extends Schema.TaggedError<CheckpointRejected>()("CheckpointRejected", {
  operation: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `checkpoint ${this.operation} was refused: ${this.detail}`
  }
}

/** What every operation may fail with; told apart by what the caller does next (try later, or give up). */
export type CheckpointError = CheckpointUnavailable | CheckpointRejected

/**
 * A store of checkpoints. Every implementation passes the same suite, `test/layers/durable/checkpointConformance.ts`.
 *
 * **Details**
 *
 * - `save` inserts or replaces one step atomically; the row keeps its `id`.
 * - `latest` is the step written last over all workflows of the workspace, also within one millisecond.
 * - `list` holds the steps of one workflow by `stepIndex` descending, then newest first; empty if there is none.
 * - `clear` removes one workflow and answers how many steps went.
 *
 * **Example**
 *
 * ```ts
 * const checkpoint = yield* Checkpoint
 * yield* checkpoint.save({ workspaceId, workflowId: taskId, stepName: "task_receive", stepIndex: 0, payload: null })
 * ```
 */
export class Checkpoint extends Context.Service<
  Checkpoint,
  {
    readonly save: (input: CheckpointInput) => Effect.Effect<SavedStep, CheckpointError>
    readonly latest: (workspaceId: WorkspaceId) => Effect.Effect<Option.Option<SavedStep>, CheckpointError>
    readonly list: (
      workspaceId: WorkspaceId,
      workflowId: string
    ) => Effect.Effect<ReadonlyArray<SavedStep>, CheckpointError>
    readonly clear: (workspaceId: WorkspaceId, workflowId: string) => Effect.Effect<number, CheckpointError>
  }
>()("molecule-effect/services/durable/Checkpoint") {}
