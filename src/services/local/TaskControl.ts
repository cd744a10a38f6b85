/**
 * What a person at the machine can do about the tasks of a workspace.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { JournalUnavailable } from "../durable/Journal.ts"
import {
  Draining,
  type SubmitError,
  TaskCodeMissing,
  TaskNotCancelable,
  TaskNotEnded,
  TaskNotFound,
  TaskNotHeld,
  WaitNotOpen
} from "../durable/TaskRunner.ts"
import { MessageConflict, MessageForgotten, TaskRecord, TaskStoreError, TooManyTasks } from "../durable/TaskStore.ts"
import { WorkspaceHealth } from "../workspace/Health.ts"

/** The name of the socket in the state directory, mode 0600: its owner serves {@link TaskControlApi} there. */
export const socketName = "control.sock"

/** The process that holds the state directory does not answer on its socket. */
export class ControlUnreachable extends Schema.TaggedError<ControlUnreachable>()("ControlUnreachable", {
  pid: Schema.Int,
  socket: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `process ${this.pid} runs the workspace but does not answer on ${this.socket} (${this.detail}): it is starting or shutting down, or it is stuck; try again, or stop it`
  }
}

/** Nobody runs the workspace, and this cannot be done without its code. */
export class NobodyRuns extends Schema.TaggedError<NobodyRuns>()("NobodyRuns", { detail: Schema.String }) {
  override get message() {
    return `nobody runs the workspace, and ${this.detail}: start it, then try again`
  }
}

/** Why a change may not come about besides the task's own reasons. */
export type ControlError = TaskStoreError | JournalUnavailable | ControlUnreachable | NobodyRuns

const task = { taskId: Schema.String }
const notFound = TaskNotFound.pipe(HttpApiSchema.status(404))
const storeError = TaskStoreError.pipe(HttpApiSchema.status(503))
const diskError = JournalUnavailable.pipe(HttpApiSchema.status(503))

class Tasks extends HttpApiGroup.make("tasks").add(
  HttpApiEndpoint.post("cancel", "/tasks/cancel", {
    payload: Schema.Struct(task),
    success: TaskRecord,
    error: [notFound, storeError, diskError, TaskNotCancelable.pipe(HttpApiSchema.status(409))]
  }),
  HttpApiEndpoint.post("resume", "/tasks/resume", {
    payload: Schema.Struct(task),
    success: TaskRecord,
    error: [
      notFound,
      storeError,
      diskError,
      TaskNotHeld.pipe(HttpApiSchema.status(409)),
      TaskCodeMissing.pipe(HttpApiSchema.status(409))
    ]
  }),
  HttpApiEndpoint.post("retry", "/tasks/retry", {
    payload: Schema.Struct(task),
    success: TaskRecord,
    error: [
      notFound,
      storeError,
      TaskNotEnded.pipe(HttpApiSchema.status(409)),
      MessageConflict.pipe(HttpApiSchema.status(409)),
      MessageForgotten.pipe(HttpApiSchema.status(410)),
      diskError,
      TooManyTasks.pipe(HttpApiSchema.status(429)),
      Draining.pipe(HttpApiSchema.status(503))
    ]
  }),
  HttpApiEndpoint.post("provide", "/tasks/provide", {
    payload: Schema.Struct({ ...task, wait: Schema.String, value: Schema.Json }),
    success: Schema.Struct({}),
    error: [notFound, storeError, diskError, WaitNotOpen.pipe(HttpApiSchema.status(409))]
  })
) {}

class Workspace extends HttpApiGroup.make("workspace").add(
  HttpApiEndpoint.get("health", "/health", { success: WorkspaceHealth, error: storeError }),
  HttpApiEndpoint.get("pid", "/pid", { success: Schema.Struct({ pid: Schema.Int }) })
) {}

/**
 * The API of the owner's local socket. Whoever may open the socket may do all of it: that is the owner's own user.
 *
 * **Example**
 *
 * ```sh
 * curl --unix-socket ~/.molecule/<id>/control.sock http://local/health
 * ```
 */
export class TaskControlApi extends HttpApi.make("molecule-control").add(Tasks).add(Workspace) {}

/**
 * Changes to tasks, made by whoever owns the state directory.
 *
 * **Details**
 *
 * - `cancel` ends a task that has not ended, and the programs that it started.
 * - `resume` lets a task run again that was set aside.
 * - `retry` begins a new task with the message of one that has ended. The same task again gives the same new one.
 * - `provide` gives a suspended task the value, or the decision, that it waits for. The task's code checks it.
 * - `health` tells how the work is getting on.
 *
 * **Example**
 *
 * ```ts
 * const control = yield* TaskControl
 * yield* control.provide(taskId, "approval", { yes: true })
 * ```
 */
export class TaskControl extends Context.Service<
  TaskControl,
  {
    readonly cancel: (taskId: string) => Effect.Effect<TaskRecord, TaskNotFound | TaskNotCancelable | ControlError>
    readonly resume: (
      taskId: string
    ) => Effect.Effect<TaskRecord, TaskNotFound | TaskNotHeld | TaskCodeMissing | ControlError>
    readonly retry: (
      taskId: string
    ) => Effect.Effect<TaskRecord, TaskNotFound | TaskNotEnded | SubmitError | ControlError>
    readonly provide: (
      taskId: string,
      wait: string,
      value: Schema.Json
    ) => Effect.Effect<void, TaskNotFound | WaitNotOpen | ControlError>
    readonly health: Effect.Effect<WorkspaceHealth, ControlError>
  }
>()("molecule-effect/services/local/TaskControl") {}
