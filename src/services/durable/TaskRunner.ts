/**
 * Runs messages as durable tasks: what the A2A server, and an app that embeds an agent, talk to.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { TaskInput } from "./AgentTask.ts"
import type { Message } from "./Content.ts"
import type { Cursor, Gap } from "./Cursor.ts"
import type { JournalUnavailable } from "./Journal.ts"
import type {
  HoldReason,
  MessageConflict,
  MessageForgotten,
  TaskEvent,
  TaskPage,
  TaskQuery,
  TaskRecord,
  TaskStoreError,
  TooManyTasks
} from "./TaskStore.ts"

/** No task has this id, or it belongs to somebody else: the two are not told apart. */
export class TaskNotFound extends Schema.TaggedError<TaskNotFound>()("TaskNotFound", { taskId: Schema.String }) {
  override get message() {
    return `task ${this.taskId} not found`
  }
}

/** The task has ended and cannot be cancelled any more. */
export class TaskNotCancelable extends Schema.TaggedError<TaskNotCancelable>()("TaskNotCancelable", {
  taskId: Schema.String,
  state: Schema.String
}) {
  override get message() {
    return `task ${this.taskId} is ${this.state} and cannot be cancelled`
  }
}

/** The task does not wait for anything of this name, or for no value of this form. */
export class WaitNotOpen extends Schema.TaggedError<WaitNotOpen>()("WaitNotOpen", {
  taskId: Schema.String,
  wait: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `task ${this.taskId}, wait ${this.wait}: ${this.detail}`
  }
}

/** The task has not ended, but has not asked for anything either. */
export class TaskTakesNoMessage extends Schema.TaggedError<TaskTakesNoMessage>()("TaskTakesNoMessage", {
  taskId: Schema.String,
  state: Schema.String
}) {
  override get message() {
    return `task ${this.taskId} is ${this.state} and takes no message: leave the task's id out to begin a new task`
  }
}

/** The task is not set aside. */
export class TaskNotHeld extends Schema.TaggedError<TaskNotHeld>()("TaskNotHeld", { taskId: Schema.String }) {
  override get message() {
    return `task ${this.taskId} is not held: there is nothing to release`
  }
}

/** The code that began the task is not in this program: it is never run by other code. */
export class TaskCodeMissing extends Schema.TaggedError<TaskCodeMissing>()("TaskCodeMissing", {
  taskId: Schema.String,
  /** The last step, and the versions on both sides. */
  detail: Schema.String
}) {
  override get message() {
    return `task ${this.taskId} cannot go on: ${this.detail}`
  }
}

/** Only a task that has ended can be tried again. */
export class TaskNotEnded extends Schema.TaggedError<TaskNotEnded>()("TaskNotEnded", {
  taskId: Schema.String,
  state: Schema.String
}) {
  override get message() {
    return `task ${this.taskId} is ${this.state}: cancel it, or wait for its end, before it is tried again`
  }
}

/** A task that is set aside, and why. */
export interface HeldTask {
  readonly taskId: string
  readonly reason: typeof HoldReason.Type
  readonly detail: string
}

/** How the work is getting on. */
export interface WorkHealth {
  /** Milliseconds: how long the oldest due work is overdue; 0 if none is. An approval with a week to go is not due. */
  readonly oldestDue: number
  readonly held: ReadonlyArray<HeldTask>
}

/** The workspace is shutting down and takes no new work. */
export class Draining extends Schema.TaggedError<Draining>()("Draining", { retryAfter: Schema.Int }) {
  override get message() {
    return `the workspace is shutting down: try again in ${this.retryAfter} s`
  }
}

/**
 * The task is accepted and goes on, but the platform has not confirmed it, so the loss of this disk would be its end. The
 * same message again is the same task.
 */
export class NotConfirmed extends Schema.TaggedError<NotConfirmed>()("NotConfirmed", {
  taskId: Schema.String,
  detail: Schema.String,
  retryAfter: Schema.Int
}) {
  override get message() {
    return `task ${this.taskId} runs, but the platform has not confirmed it (${this.detail}): send the same message again in ${this.retryAfter} s, or poll the task`
  }
}

/** What the workspace is doing: tasks that run, tasks that wait for a place, and a line about the one started last. */
export interface Activity {
  readonly running: number
  readonly queued: number
  /** The first 60 characters of the message of the latest task that runs; empty if none does. */
  readonly current: string
}

/** Why a message is not taken. `JournalUnavailable`: it could not be kept, so that it is as if it had never come. */
export type SubmitError =
  | TaskStoreError
  | MessageConflict
  | MessageForgotten
  | TooManyTasks
  | JournalUnavailable
  | Draining

/**
 * Durable tasks.
 *
 * **Details**
 *
 * - `submit` answers once the task is on disk (and confirmed by the platform, where that is asked for); the work goes on
 *   by itself, at most so many at a time. The same message again is the same task.
 * - `result` waits for the end and answers the record as it then stands; `settled` waits for the end, or until the task needs
 *   something of its sender.
 * - `events` replays what was said after the cursor and goes on live until the task ends: each event once, in order, the
 *   same for everyone. Where something is missing in between, a `Gap` stands in its place. It holds a page of events at a
 *   time, however slow its reader.
 * - `epoch` makes an event's sequence a cursor.
 * - `cancel` ends a task that has not ended, and the processes it started.
 * - `provide` gives a suspended task the value that it waits for.
 * - `receive` gives a task that asked for something the message that it waits for; the same message again changes nothing.
 * - Where the disk takes nothing, `cancel`, `provide`, `receive` and `release` say so (`JournalUnavailable`). One that
 *   finds it out on the way comes about when there is room, if the process lives until then; the same call again is safe.
 * - `list` gives a page of tasks, the latest change first.
 * - `release` lets a task run that was set aside; `retry` begins a new task with the message of one that has ended.
 * - `health` is the age of the oldest due work, and the tasks that are set aside.
 * - `activity` tells how many tasks run and how many wait, for heartbeat and health.
 * - `drain` refuses new work and waits for what runs.
 *
 * **Example**
 *
 * ```ts
 * const runner = yield* TaskRunner
 * const task = yield* runner.submit({ caller: "me", contextId: "c", messageId: "m-1", text: "hello" })
 * const done = yield* runner.result(task.input.taskId)
 * ```
 */
export class TaskRunner extends Context.Service<
  TaskRunner,
  {
    readonly submit: (input: Omit<TaskInput, "taskId">) => Effect.Effect<TaskRecord, SubmitError | NotConfirmed>
    readonly get: (taskId: string) => Effect.Effect<TaskRecord, TaskNotFound | TaskStoreError>
    readonly result: (taskId: string) => Effect.Effect<TaskRecord, TaskNotFound | TaskStoreError>
    readonly settled: (taskId: string) => Effect.Effect<TaskRecord, TaskNotFound | TaskStoreError>
    /** What was said so far. */
    readonly past: (taskId: string) => Effect.Effect<ReadonlyArray<TaskEvent>, TaskNotFound | TaskStoreError>
    readonly epoch: string
    readonly events: (
      taskId: string,
      after: Cursor | "start"
    ) => Stream.Stream<TaskEvent | Gap, TaskNotFound | TaskStoreError>
    readonly cancel: (
      taskId: string
    ) => Effect.Effect<TaskRecord, TaskNotFound | TaskNotCancelable | TaskStoreError | JournalUnavailable>
    readonly provide: (
      taskId: string,
      wait: string,
      value: Schema.Json
    ) => Effect.Effect<void, TaskNotFound | WaitNotOpen | TaskStoreError | JournalUnavailable>
    readonly receive: (
      taskId: string,
      message: Message
    ) => Effect.Effect<
      TaskRecord,
      TaskNotFound | TaskTakesNoMessage | MessageConflict | TaskStoreError | JournalUnavailable
    >
    readonly list: (query: TaskQuery) => Effect.Effect<TaskPage, TaskStoreError>
    readonly release: (
      taskId: string
    ) => Effect.Effect<TaskRecord, TaskNotFound | TaskNotHeld | TaskCodeMissing | TaskStoreError | JournalUnavailable>
    readonly retry: (taskId: string) => Effect.Effect<TaskRecord, TaskNotFound | TaskNotEnded | SubmitError>
    readonly health: Effect.Effect<WorkHealth, TaskStoreError>
    readonly activity: Effect.Effect<Activity>
    /** The activity now, and again each time it changes. */
    readonly activityChanges: Stream.Stream<Activity>
    readonly drain: Effect.Effect<void>
  }
>()("molecule-effect/services/durable/TaskRunner") {}
