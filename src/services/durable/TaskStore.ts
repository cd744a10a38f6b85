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
import { AgentEvent, ExecutorError } from "./Step.ts"

/** A task's state, in the words of A2A 0.3. */
export const TaskState = Schema.Literals(["submitted", "working", "completed", "failed", "canceled"])
/** The type of {@link TaskState}. */
export type TaskState = typeof TaskState.Type

/** Has the task ended? */
export const isTerminal = (state: TaskState): boolean =>
  state === "completed" || state === "failed" || state === "canceled"

/** One task as it stands. */
export class TaskRecord extends Schema.Class<TaskRecord>("molecule-effect/TaskRecord")({
  input: TaskInput,
  state: TaskState,
  createdAt: Schema.DateTimeUtc,
  updatedAt: Schema.DateTimeUtc,
  /** The answer, once completed. */
  output: Schema.optionalKey(TaskOutput),
  /** Why it failed, once failed. */
  error: Schema.optionalKey(ExecutorError)
}) {}

/** One thing a task said: `sequence` counts from 1 within the task and never repeats or goes back. */
export class TaskEvent extends Schema.Class<TaskEvent>("molecule-effect/TaskEvent")({
  taskId: Schema.String,
  sequence: Schema.Int,
  step: Schema.String,
  attempt: Schema.Int,
  number: Schema.Int,
  event: Schema.Union([AgentEvent, Schema.TaggedStruct("State", { state: TaskState })])
}) {}

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
 *   At most `limit` tasks may be unfinished.
 * - `begin` counts a run of a step and answers its attempt, from 1.
 * - `append` numbers and records an event unless one with the same (step, attempt, number) is there; it answers the new
 *   event, or `None` for a repeat.
 * - `setState` moves a task forward; a terminal state is never left, and then the record is answered unchanged.
 * - `unfinished` holds the tasks to resume after a restart, oldest first.
 */
export class TaskStore extends Context.Service<
  TaskStore,
  {
    readonly submit: (
      input: Omit<TaskInput, "taskId">,
      limit: number
    ) => Effect.Effect<
      { readonly task: TaskRecord; readonly created: boolean },
      TaskStoreError | MessageConflict | TooManyTasks
    >
    readonly get: (taskId: string) => Effect.Effect<Option.Option<TaskRecord>, TaskStoreError>
    readonly begin: (taskId: string, step: string) => Effect.Effect<number, TaskStoreError>
    readonly append: (event: Omit<TaskEvent, "sequence">) => Effect.Effect<Option.Option<TaskEvent>, TaskStoreError>
    readonly events: (taskId: string, after: number) => Effect.Effect<ReadonlyArray<TaskEvent>, TaskStoreError>
    readonly setState: (
      taskId: string,
      change:
        | { readonly state: "submitted" | "working" | "canceled" }
        | { readonly state: "completed"; readonly output: TaskOutput }
        | { readonly state: "failed"; readonly error: ExecutorError }
    ) => Effect.Effect<{ readonly task: TaskRecord; readonly event: Option.Option<TaskEvent> }, TaskStoreError>
    readonly unfinished: Effect.Effect<ReadonlyArray<TaskRecord>, TaskStoreError>
  }
>()("molecule-effect/services/durable/TaskStore") {}
