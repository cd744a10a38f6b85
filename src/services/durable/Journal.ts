/**
 * The journal: the one store of what happened in a workspace. Everything else that it keeps is derived from it.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskInput, TaskOutput } from "./AgentTask.ts"
import { Part } from "./Content.ts"
import { ExecutorError, UnknownOutcome } from "./Step.ts"
import { HoldReason, SaidEvent, TaskState } from "./TaskStore.ts"
import { WaitKind } from "./Waits.ts"

const execution = [
  /** An execution of a workflow begins. Its stream is the execution's id. */
  Schema.TaggedStruct("ExecutionStarted", {
    workflow: Schema.String,
    payload: Schema.Json,
    parent: Schema.optionalKey(Schema.String)
  }),
  /** The result of one attempt of an activity: an `Exit` as `WorkflowEngine` encodes it. */
  Schema.TaggedStruct("ActivityCompleted", { name: Schema.String, attempt: Schema.Int, exit: Schema.Json }),
  Schema.TaggedStruct("DeferredCompleted", { name: Schema.String, exit: Schema.Json }),
  /** A durable clock; `deadline` is wall time in milliseconds since 1970. */
  Schema.TaggedStruct("ClockScheduled", { name: Schema.String, deadline: Schema.Finite }),
  Schema.TaggedStruct("InterruptRequested", { unsafe: Schema.Boolean }),
  Schema.TaggedStruct("ExecutionCompleted", { exit: Schema.Json })
] as const

const task = [
  /** A message has become a task. The stream of this and of the kinds below is the task's id. */
  Schema.TaggedStruct("TaskAccepted", {
    input: TaskInput,
    /** Caller, context and `messageId` as one text: the key by which a repeat is recognised. */
    messageKey: Schema.String,
    /** Of the message's content: the same key with another digest is a conflict. */
    digest: Schema.String,
    /** The version of the workflow `AgentTask`. */
    version: Schema.Int,
    /** The executor and its tools, as `AgentExecutor.code` had it. */
    code: Schema.String,
    /** Rebuilt from the platform's checkpoints after the disk was lost. */
    restored: Schema.Boolean
  }),
  /** Something was said. `sequence` is the event's number within the task. */
  Schema.TaggedStruct("TaskSaid", {
    sequence: Schema.Int,
    step: Schema.String,
    attempt: Schema.Int,
    number: Schema.Int,
    event: SaidEvent
  }),
  /** A new state, which is an event too. */
  Schema.TaggedStruct("TaskMoved", {
    sequence: Schema.Int,
    state: TaskState,
    output: Schema.optionalKey(TaskOutput),
    error: Schema.optionalKey(ExecutorError),
    message: Schema.optionalKey(Schema.NonEmptyArray(Part))
  }),
  /** A run of a step begins; `effect` where it has an effect outside, whose id is thereby stored before it is sent. */
  Schema.TaggedStruct("StepBegan", {
    step: Schema.String,
    attempt: Schema.Int,
    effect: Schema.optionalKey(Schema.Struct({ id: Schema.String, unknown: UnknownOutcome }))
  }),
  /** The task goes on in execution number `segment`, knowing the encoded exits of the steps done so far. */
  Schema.TaggedStruct("SegmentBegan", { segment: Schema.Int, steps: Schema.Record(Schema.String, Schema.Json) }),
  /** The task is suspended: until when (milliseconds since 1970), for what, and who is to provide it. */
  Schema.TaggedStruct("WaitBegan", {
    wait: Schema.String,
    kind: WaitKind,
    reason: Schema.String,
    from: Schema.String,
    deadline: Schema.Finite
  }),
  /** `retried`: overdue, and its provider was asked again. */
  Schema.TaggedStruct("WaitEnded", { wait: Schema.String, how: Schema.Literals(["provided", "overdue", "cancelled"]) }),
  Schema.TaggedStruct("WaitRetried", { wait: Schema.String, deadline: Schema.Finite }),
  /** A start of the workspace takes the task up again. */
  Schema.TaggedStruct("TaskResumed", { boot: Schema.String }),
  /** The task is set aside and shown, and not run until it is released. */
  Schema.TaggedStruct("TaskHeld", {
    reason: HoldReason,
    detail: Schema.String
  }),
  Schema.TaggedStruct("TaskReleased", {}),
  /** The task's events after `after` are to be pushed. The configuration with this id, if there is one, is replaced. */
  Schema.TaggedStruct("PushConfigured", {
    id: Schema.String,
    version: Schema.Literals(["1.0", "0.3"]),
    after: Schema.Int,
    config: Schema.Json
  }),
  Schema.TaggedStruct("PushRemoved", { id: Schema.String }),
  /** The receiver has the task's events up to this one; `detail` says why it does not have this one. */
  Schema.TaggedStruct("PushDelivered", {
    id: Schema.String,
    upTo: Schema.Int,
    detail: Schema.optionalKey(Schema.String)
  }),
  /**
   * What stays of a task that was pruned: its message is still recognised, until then (milliseconds). It decides that these
   * streams, the task's and those of its executions, are over; their rows go a few at a time. In a stream of its own.
   */
  Schema.TaggedStruct("TaskForgotten", {
    taskId: Schema.String,
    streams: Schema.Array(Schema.String),
    messageKey: Schema.String,
    digest: Schema.String,
    state: TaskState,
    until: Schema.Finite
  })
] as const

const checkpoint = [
  /**
   * A checkpoint, also to be sent to the platform, unless it came from there. The stream is that of the task; of a
   * workflow of the workspace itself, and of the rows below, it is `~checkpoints`.
   */
  Schema.TaggedStruct("CheckpointSaved", {
    workspaceId: Schema.String,
    workflowId: Schema.String,
    stepName: Schema.String,
    stepIndex: Schema.Int,
    payload: Schema.Json,
    /** The platform has it already. */
    known: Schema.optionalKey(Schema.Literal(true))
  }),
  /** In the stream of the checkpoints that it removes, or in that of the `TaskForgotten` by which they go. */
  Schema.TaggedStruct("CheckpointsCleared", { workspaceId: Schema.String, workflowId: Schema.String }),
  /** The platform has confirmed everything up to this position. */
  Schema.TaggedStruct("CheckpointsForwarded", { upTo: Schema.Int }),
  /** The platform has refused the change at this position; it is passed over. */
  Schema.TaggedStruct("CheckpointRefused", { position: Schema.Int, detail: Schema.String }),
  /**
   * The outbox was full: the changes up to this position are reduced to what a lost disk needs (see
   * `checkpointProjection`). Of finished tasks more is left out until there are `keepEntries` and `keepBytes` at most.
   */
  Schema.TaggedStruct("OutboxCompacted", { upTo: Schema.Int, keepEntries: Schema.Int, keepBytes: Schema.Int }),
  /**
   * The stream begins anew with this row: what still counts of it comes again behind, and the rows before go. The platform
   * has dealt with everything up to this position; these changes it has refused.
   */
  Schema.TaggedStruct("CheckpointsRestated", {
    upTo: Schema.Int,
    refused: Schema.Array(Schema.Struct({ position: Schema.Int, detail: Schema.String }))
  }),
  /** A new journal has taken over what the platform knew of unfinished tasks. The one row of the stream `~restore`. */
  Schema.TaggedStruct("PlatformRestored", { tasks: Schema.Int })
] as const

/** One thing that happened. */
export const JournalRecord = Schema.Union([...execution, ...task, ...checkpoint])
/** The type of {@link JournalRecord}. */
export type JournalRecord = typeof JournalRecord.Type

/** A record and the stream that it belongs to. Within a stream, rows are numbered and each vouches for the one before. */
export interface JournalEntry {
  /** The id of a task or of an execution, or one of the streams of the workspace itself, which begin with `~`. */
  readonly stream: string
  readonly record: JournalRecord
  /** When it happened, in milliseconds since 1970; when it is staged, if not given. */
  readonly at?: number
}

/** An entry as it stands in the journal. */
export interface JournalRow extends JournalEntry {
  /** Over all streams, growing. */
  readonly position: number
  /** Within the stream, from 1, without a gap. */
  readonly sequence: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** The journal cannot be written to now. What was refused was not kept. */
export class JournalUnavailable extends Schema.TaggedError<JournalUnavailable>()("JournalUnavailable", {
  file: Schema.String,
  reason: Schema.Literals(["full", "readonly", "failed"]),
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message() {
    return `the journal ${this.file} cannot be written (${this.reason}): ${this.detail}; ${this.remedy}`
  }
}

/** What is in the file is not what was written. */
export class JournalDamaged extends Schema.TaggedError<JournalDamaged>()("JournalDamaged", {
  file: Schema.String,
  stream: Schema.String,
  sequence: Schema.Int,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message() {
    return `the journal ${this.file} is damaged at row ${this.sequence} of ${this.stream}: ${this.detail}; ${this.remedy}`
  }
}

/** May new work be accepted? `staged` is how many rows wait to be written. */
export interface JournalState {
  readonly refused: JournalUnavailable | undefined
  readonly staged: number
}

/**
 * A durable log of one writer.
 *
 * **Details**
 *
 * - `stage` puts entries into the next commit, all or none of them, in this order behind all that were staged before. It
 *   does not wait: they are on disk within a few milliseconds, or when somebody waits for them. They are never lost
 *   while the process lives: a full disk delays them.
 * - A record that its schema cannot encode is a defect of whoever stages it; nothing of that call is staged.
 * - `settled` completes when everything staged so far is on disk. Many fibers that wait at once share one commit.
 * - `append` does both.
 * - `accept` is `append` for what may be refused: where it cannot be written now, it is as if it had never been staged.
 * - `remove` takes streams out of the file that nobody needs any more: those that it is given, those that a
 *   `TaskForgotten` named, and what a `CheckpointsRestated` replaced. It removes at most so many rows, in a commit of its own, and answers how many; once that is 0,
 *   nothing is left to remove. Between two calls, and after a crash, the rest of such a stream counts for nothing.
 * - `read` gives a stream's rows after a sequence number (0 for all), at most `limit` of them, checked against their
 *   checksums.
 *
 * Whoever reads sees what is committed, never what is only staged.
 *
 * **Example**
 *
 * ```ts
 * const journal = yield* Journal
 * yield* journal.append([{ stream: taskId, record: { _tag: "TaskReleased" } }])
 * ```
 */
export class Journal extends Context.Service<
  Journal,
  {
    /** The path, for messages. */
    readonly file: string
    /** Made with the file, and part of every cursor: a cursor from before a lost disk is recognised. */
    readonly epoch: string
    /** Gives a journal that has lost its end a new epoch: numbers may be given again, and cursors tell the two apart. */
    readonly renew: Effect.Effect<void, JournalUnavailable>
    readonly stage: (entries: ReadonlyArray<JournalEntry>) => Effect.Effect<void>
    /**
     * `stage` in the middle of synchronous code, for numbers that must be staged in their order. Given `written`, the rows
     * are committed soon, and it is called when they are on disk: in the order of staging, before anybody who waits for
     * them goes on. It must not throw.
     */
    readonly stageUnsafe: (entries: ReadonlyArray<JournalEntry>, written?: () => void) => void
    readonly settled: Effect.Effect<void>
    readonly append: (entries: ReadonlyArray<JournalEntry>) => Effect.Effect<void>
    readonly accept: (entries: ReadonlyArray<JournalEntry>) => Effect.Effect<void, JournalUnavailable>
    readonly remove: (streams: ReadonlyArray<string>, limit: number) => Effect.Effect<number, JournalUnavailable>
    readonly read: (
      stream: string,
      after?: number,
      limit?: number
    ) => Effect.Effect<ReadonlyArray<JournalRow>, JournalUnavailable | JournalDamaged>
    readonly state: Effect.Effect<JournalState>
  }
>()("molecule-effect/services/durable/Journal") {}

/**
 * What belongs into the commit of something else: the list of whoever stages that, to be added to.
 *
 * **Details**
 *
 * The journal engine gives one to each activity and stages list and result as one. Whoever calls its `deferredDone`, or
 * `TaskStore.setState` or `note`, under a list of his own has it staged with the value, the new state, or the note.
 * `undefined` elsewhere: then stage directly.
 */
export const Staging = Context.Reference<Array<JournalEntry> | undefined>(
  "molecule-effect/services/durable/Journal/Staging",
  { defaultValue: () => undefined }
)
