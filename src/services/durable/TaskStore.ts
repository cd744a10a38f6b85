/**
 * The workspace's record of its tasks and of everything they said.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskInput, TaskOutput } from "./AgentTask.ts"
import { Message, Part } from "./Content.ts"
import type { JournalUnavailable } from "./Journal.ts"
import { AgentEvent, ExecutorError, type UnknownOutcome } from "./Step.ts"
import type { OpenWait, WaitKind } from "./Waits.ts"

/** A task's state, in the words of A2A 0.3. */
export const TaskState = Schema.Literals([
  "submitted",
  "working",
  "input-required",
  "auth-required",
  "completed",
  "failed",
  "canceled",
  "rejected"
])
/** The type of {@link TaskState}. */
export type TaskState = typeof TaskState.Type

/** Has the task ended? */
export const isTerminal = (state: TaskState): boolean =>
  state === "completed" || state === "failed" || state === "canceled" || state === "rejected"

/** Does the task wait for its sender? */
export const isInterrupted = (state: TaskState): boolean => state === "input-required" || state === "auth-required"

/** Has it ended, or does it need something of its sender? */
export const isSettled = (state: TaskState): boolean => isTerminal(state) || isInterrupted(state)

/** How far a state is: 0 not begun, 1 under way, 2 ended. A task never moves to a lower rank, nor from an end. */
export const rank = (state: TaskState): number => (state === "submitted" ? 0 : isTerminal(state) ? 2 : 1)

/** One task as it stands. */
export const TaskRecord = Schema.Struct({
  input: TaskInput,
  state: TaskState,
  createdAt: Schema.DateTimeUtc,
  updatedAt: Schema.DateTimeUtc,
  /** The answer, once completed. */
  output: Schema.optionalKey(TaskOutput),
  /** Why it failed or was rejected, once it is. */
  error: Schema.optionalKey(ExecutorError)
})
/** The type of {@link TaskRecord}. */
export type TaskRecord = typeof TaskRecord.Type

/** A further message to the task, from its sender. Nobody is told of it; it is part of the task's history. */
export const Received = Schema.TaggedStruct("Received", { message: Message })

/** What is said of a task besides its states. */
export const SaidEvent = Schema.Union([AgentEvent, Received])

/** A new state, with what there is to say about it. */
export const StateEvent = Schema.TaggedStruct("State", {
  state: TaskState,
  message: Schema.optionalKey(Schema.NonEmptyArray(Part))
})

/** One thing a task said: `sequence` counts from 1 within the task, without a gap, and never repeats or goes back. */
export const TaskEvent = Schema.Struct({
  taskId: Schema.String,
  sequence: Schema.Int,
  /** When it was recorded; with the event, so that whoever reads it, and whenever, reads the same. */
  at: Schema.DateTimeUtc,
  step: Schema.String,
  attempt: Schema.Int,
  number: Schema.Int,
  event: Schema.Union([AgentEvent, Received, StateEvent])
})
/** The type of {@link TaskEvent}. */
export type TaskEvent = typeof TaskEvent.Type

/** An event that is still to be recorded: the store adds number and time. */
export type NewTaskEvent = Omit<TaskEvent, "sequence" | "at">

/** What a new task is begun with. */
export interface Origin {
  /** Of the workflow `AgentTask`. */
  readonly version: number
  /** Of the executor; see `AgentExecutor.code`. */
  readonly code: string
}

/** Why a task is set aside: it brought the process down, its code is not there any more, or its rows are damaged. */
export const HoldReason = Schema.Literals(["crashes", "code", "damage"])

/** Where a task stands, in short. */
export interface Standing extends Origin {
  /** The execution that it is in; each carries what the former ones have done. */
  readonly segment: number
  /** Set aside, and not to be run. */
  readonly held: { readonly reason: typeof HoldReason.Type; readonly detail: string } | undefined
  /** How many starts took it up since it last got on. */
  readonly boots: number
  /** It was rebuilt from the platform's checkpoints. */
  readonly restored: boolean
}

/** What a task has done so far: what a run of it needs to go on. It grows with the task; ask for it only to run it. */
export interface History {
  /** Encoded exits of the steps that former segments completed. */
  readonly steps: Readonly<Record<string, Schema.Json>>
  /** Names of the steps that this segment has completed. */
  readonly completed: ReadonlyArray<string>
  /** Encoded exits of those of them that succeeded, where the store has them at hand. */
  readonly results?: ReadonlyMap<string, Schema.Json>
  /** The open waits. */
  readonly waits: ReadonlyArray<Pick<OpenWait, "wait" | "deadline">>
  /** Encoded exits of waits that ended while the former segment did: it did not hear of them any more. */
  readonly missed: Readonly<Record<string, Schema.Json>>
}

/** What is noted of a task besides its states and what it says. Times are milliseconds since 1970. */
export type TaskNote =
  | { readonly _tag: "SegmentBegan"; readonly segment: number; readonly steps: Readonly<Record<string, Schema.Json>> }
  | {
      readonly _tag: "WaitBegan"
      readonly wait: string
      readonly kind: typeof WaitKind.Type
      readonly reason: string
      readonly from: string
      readonly deadline: number
    }
  | { readonly _tag: "WaitRetried"; readonly wait: string; readonly deadline: number }
  | { readonly _tag: "WaitEnded"; readonly wait: string; readonly how: "provided" | "overdue" | "cancelled" }
  | { readonly _tag: "TaskResumed"; readonly boot: string }
  | { readonly _tag: "TaskHeld"; readonly reason: typeof HoldReason.Type; readonly detail: string }
  | { readonly _tag: "TaskReleased" }

/** The id of an outside effect, stored before the step runs, and what to do where its outcome is not known. */
export interface EffectIntent {
  readonly id: string
  readonly unknown: typeof UnknownOutcome.Type
}

/** Which tasks are wanted, the latest change first. Times are milliseconds since 1970. */
export interface TaskQuery {
  /** Of this sender only. */
  readonly caller?: string
  /** Of this context only; a task without one is a context of its own, with the task's id. */
  readonly contextId?: string
  readonly state?: TaskState
  /** Changed at this time or later. */
  readonly since?: number
  /** Behind this task, which changed at that time. */
  readonly after?: { readonly updatedAt: number; readonly taskId: string }
  readonly limit: number
}

/** Some of the tasks that were asked for, and how many there are in all. */
export interface TaskPage {
  readonly tasks: ReadonlyArray<TaskRecord>
  readonly total: number
}

/** The store failed: a full disk, a broken file. The caller must not claim to have kept anything. */
export class TaskStoreError extends Schema.TaggedError<TaskStoreError>()("TaskStoreError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `task store: ${this.operation} failed: ${String(this.cause)}`
  }
}

/** The same caller, context and `messageId` came before with another text. */
export class MessageConflict extends Schema.TaggedError<MessageConflict>()("MessageConflict", {
  messageId: Schema.String,
  taskId: Schema.String
}) {
  override get message() {
    return `message ${this.messageId} was sent before with another content (task ${this.taskId}): use a new messageId for a new message`
  }
}

/**
 * The message came before. Its task has ended and was pruned: what it answered is not kept any more, and the message is not
 * taken for a new one.
 */
export class MessageForgotten extends Schema.TaggedError<MessageForgotten>()("MessageForgotten", {
  messageId: Schema.String,
  taskId: Schema.String,
  /** How it ended. */
  state: TaskState
}) {
  override get message() {
    return `message ${this.messageId} was task ${this.taskId}, which is ${this.state}; what it answered is no longer kept: use a new messageId to have it done again`
  }
}

/** There are as many unfinished tasks as the workspace takes. */
export class TooManyTasks extends Schema.TaggedError<TooManyTasks>()("TooManyTasks", {
  limit: Schema.Int,
  /** Seconds after which trying again makes sense. */
  retryAfter: Schema.Int
}) {
  override get message() {
    return `${this.limit} tasks are queued or running: try again in ${this.retryAfter} s`
  }
}

/**
 * The record of tasks. What `submit`, `append` and `finish` have answered for survives the process.
 *
 * **Details**
 *
 * - `submit` records a message once: the same caller, context and `messageId` give the first record, `created: false`.
 *   At most `limit` tasks may be unfinished. Of a task that was pruned the message is known for some time more.
 * - `begin` counts a run of a step and answers its attempt, from 1; `begun` is how many there were.
 * - `append` numbers and records an event unless one with the same (step, attempt, number) is there; it answers the new
 *   event, or `None` for a repeat. Given `written`, it does not wait for the disk: that is called once the event can be
 *   read, which is before anything can that is recorded later.
 * - `epoch` is made with the store, of letters and digits, and lives as long as what it keeps: with an event's sequence it
 *   is the event's cursor (`Cursor.ts`).
 * - `events` gives what was said after a sequence number (0 for all), in order, at most `limit` of it. An event can be read
 *   once all before it can, and reads the same ever after; `get` is never behind what `events` shows.
 * - `firstKept` is the sequence of the oldest event that is kept: 1, also where nothing was said yet, unless old events
 *   were trimmed. The newest event of a task is never trimmed.
 * - `setState` moves a task forward; a terminal state is never left, and then the record is answered unchanged. `written`
 *   is what it is for `append`; the record that is answered is then the one to come.
 * - `unfinished` holds the tasks to resume after a restart, oldest first; `standing` and `history` are
 *   what resuming one needs.
 * - `list` gives a page of tasks. Who asks for the next one by `after` gets no task twice; one that changes meanwhile is
 *   among the first again.
 * - `note` records what is not said to anyone: waits, segments, holds. It is on disk when it answers.
 * - `begin` with an effect is on disk when it answers; without, it is so before anything that comes after it.
 * - `waits` are the open waits, oldest deadline first; `due` those of them whose deadline is before a time.
 * - `refusal` never ends while the store can be written to; while it cannot, it fails with the reason. What was said or moved
 *   before is kept in memory meanwhile, and its calls wait.
 * - `withoutWait` holds the unfinished tasks that wait for nothing, and those that are held, oldest first: those of them
 *   that neither run nor are held were forgotten. Like `due` it is asked every second, and reads no more than it answers.
 */
export class TaskStore extends Context.Service<
  TaskStore,
  {
    readonly epoch: string
    readonly submit: (
      input: Omit<TaskInput, "taskId">,
      limit: number,
      origin?: Origin
    ) => Effect.Effect<
      { readonly task: TaskRecord; readonly created: boolean },
      TaskStoreError | MessageConflict | MessageForgotten | TooManyTasks | JournalUnavailable
    >
    readonly get: (taskId: string) => Effect.Effect<Option.Option<TaskRecord>, TaskStoreError>
    readonly begin: (taskId: string, step: string, effect?: EffectIntent) => Effect.Effect<number, TaskStoreError>
    /** How often the step was begun. */
    readonly begun: (taskId: string, step: string) => Effect.Effect<number, TaskStoreError>
    readonly append: (
      event: NewTaskEvent,
      written?: () => void
    ) => Effect.Effect<Option.Option<TaskEvent>, TaskStoreError>
    readonly events: (
      taskId: string,
      after: number,
      limit?: number
    ) => Effect.Effect<ReadonlyArray<TaskEvent>, TaskStoreError>
    readonly firstKept: (taskId: string) => Effect.Effect<number, TaskStoreError>
    readonly setState: (
      taskId: string,
      change:
        | { readonly state: "submitted" | "working" | "canceled" }
        | {
            readonly state: "input-required" | "auth-required"
            readonly message: readonly [Part, ...ReadonlyArray<Part>]
          }
        | { readonly state: "completed"; readonly output: TaskOutput }
        | { readonly state: "failed" | "rejected"; readonly error: ExecutorError },
      written?: () => void
    ) => Effect.Effect<{ readonly task: TaskRecord; readonly event: Option.Option<TaskEvent> }, TaskStoreError>
    readonly unfinished: Effect.Effect<ReadonlyArray<TaskRecord>, TaskStoreError>
    readonly list: (query: TaskQuery) => Effect.Effect<TaskPage, TaskStoreError>
    readonly standing: (taskId: string) => Effect.Effect<Standing, TaskStoreError>
    readonly history: (taskId: string) => Effect.Effect<History, TaskStoreError>
    readonly note: (taskId: string, note: TaskNote) => Effect.Effect<void, TaskStoreError>
    readonly waits: Effect.Effect<ReadonlyArray<OpenWait>, TaskStoreError>
    readonly due: (before: number) => Effect.Effect<ReadonlyArray<OpenWait>, TaskStoreError>
    readonly refusal: Effect.Effect<never, JournalUnavailable>
    readonly withoutWait: Effect.Effect<
      ReadonlyArray<{ readonly taskId: string; readonly held: Standing["held"] }>,
      TaskStoreError
    >
  }
>()("molecule-effect/services/durable/TaskStore") {}
