/**
 * `TaskRunner` on a workflow engine: messages become executions of `AgentTask`.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { AgentTask, type TaskInput } from "../../services/durable/AgentTask.ts"
import type { Checkpoint } from "../../services/durable/Checkpoint.ts"
import { ExecutorError } from "../../services/durable/Step.ts"
import {
  type Activity,
  Draining,
  TaskNotCancelable,
  TaskNotFound,
  TaskRunner
} from "../../services/durable/TaskRunner.ts"
import { isTerminal, TaskStore } from "../../services/durable/TaskStore.ts"
import type { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import * as AgentTaskWorkflow from "./agentTaskWorkflow.ts"
import * as TaskFeed from "./taskFeed.ts"

/** The runner's bounds. */
export interface Options {
  /** How many tasks run at once. */
  readonly maxRunning: number
  /** How many tasks may be unfinished, those that run included; beyond it a message is refused. */
  readonly maxUnfinished: number
  /** What a refused sender is told to wait, in seconds. */
  readonly retryAfterSeconds: number
}

/** Four at once, a hundred in all, five seconds: enough to keep a machine busy, little enough to fit into memory. */
export const defaults: Options = { maxRunning: 4, maxUnfinished: 100, retryAfterSeconds: 5 }

const headline = (text: string) => {
  const line = text.trim().split("\n", 1)[0] ?? ""
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}

const make = Effect.fnUntraced(function* (options: Options) {
  const engine = yield* WorkflowEngine
  const store = yield* TaskStore
  const feed = yield* TaskFeed.make
  const places = yield* Semaphore.make(options.maxRunning)
  const tasks = yield* FiberMap.make<string, void, never>()
  const activity = yield* SubscriptionRef.make<Activity>({ running: 0, queued: 0, current: "" })
  const phases = yield* Effect.context<AgentExecutor | Checkpoint | PlatformConfig | TaskStore>()
  let draining = false

  yield* engine.register(AgentTask, (input) => AgentTaskWorkflow.run(input, feed))

  const change = (running: number, queued: number, current?: string) =>
    SubscriptionRef.update(activity, (now) => {
      const left = now.running + running
      return { running: left, queued: now.queued + queued, current: left === 0 ? "" : (current ?? now.current) }
    })

  // The workflow records its own end. What is left here is the end that it could not record; a terminal state stays.
  const recordEnd = Effect.fnUntraced(function* (taskId: string, cause: Cause.Cause<ExecutorError>) {
    if (Cause.hasInterruptsOnly(cause)) return
    const failure = Cause.findErrorOption(cause)
    if (Option.isNone(failure)) yield* Effect.logError("task ended by a defect", cause)
    const error = Option.getOrElse(
      failure,
      () =>
        new ExecutorError({
          reason: "failed",
          detail: "internal error",
          remedy: "the workspace's log has the cause under this task's id"
        })
    )
    yield* feed
      .setState(taskId, { state: "failed", error })
      .pipe(Effect.catch((storeError) => Effect.logError("the task's end could not be saved", storeError)))
  })

  const execute = (input: TaskInput) =>
    Effect.uninterruptibleMask((restore) =>
      restore(places.take(1)).pipe(
        Effect.onInterrupt(() => change(0, -1)),
        Effect.andThen(change(1, -1, headline(input.text))),
        Effect.andThen(
          restore(engine.execute(AgentTask, { executionId: input.taskId, payload: input })).pipe(
            Effect.ensuring(Effect.andThen(change(-1, 0), places.release(1)))
          )
        )
      )
    ).pipe(
      Effect.asVoid,
      Effect.catchCause((cause) => recordEnd(input.taskId, cause)),
      Effect.annotateLogs({ taskId: input.taskId })
    )

  const start = (input: TaskInput) =>
    Effect.andThen(change(0, 1), FiberMap.run(tasks, input.taskId, execute(input), { onlyIfMissing: true }))

  const get = Effect.fn("TaskRunner.get")(function* (taskId: string) {
    const task = yield* store.get(taskId)
    return Option.isSome(task) ? task.value : yield* new TaskNotFound({ taskId })
  })

  const unfinished = yield* store.unfinished
  if (unfinished.length > 0) yield* Effect.logInfo("resuming unfinished tasks", { count: unfinished.length })
  yield* Effect.forEach(unfinished, (task) => start(task.input), { discard: true })

  return TaskRunner.of({
    submit: Effect.fn("TaskRunner.submit")(function* (input) {
      if (draining) return yield* new Draining({ retryAfter: options.retryAfterSeconds })
      const { created, task } = yield* store.submit(input, options.maxUnfinished)
      if (created) yield* start(task.input)
      return task
    }, Effect.uninterruptible),

    get,

    result: Effect.fn("TaskRunner.result")(function* (taskId) {
      const task = yield* feed.ended(taskId)
      return Option.isSome(task) ? task.value : yield* new TaskNotFound({ taskId })
    }),

    past: Effect.fn("TaskRunner.past")(function* (taskId) {
      yield* get(taskId)
      return yield* store.events(taskId, 0)
    }),

    events: (taskId, after) => Stream.unwrap(Effect.as(get(taskId), feed.events(taskId, after))),

    cancel: Effect.fn("TaskRunner.cancel")(function* (taskId) {
      const before = yield* get(taskId)
      if (isTerminal(before.state)) return yield* new TaskNotCancelable({ taskId, state: before.state })
      const { task } = yield* feed.setState(taskId, { state: "canceled" })
      // It may have ended by itself between the two: the store decides, once.
      if (task.state !== "canceled") return yield* new TaskNotCancelable({ taskId, state: task.state })
      yield* FiberMap.remove(tasks, taskId)
      yield* engine.interruptUnsafe(AgentTask, taskId)
      yield* AgentTaskWorkflow.savePhase(taskId, "task_complete", { task_id: taskId, status: "canceled" }).pipe(
        Effect.provideContext(phases),
        Effect.annotateLogs({ taskId })
      )
      return task
    }, Effect.uninterruptible),

    activity: SubscriptionRef.get(activity),
    activityChanges: SubscriptionRef.changes(activity),

    drain: Effect.suspend(() => {
      draining = true
      return FiberMap.awaitEmpty(tasks)
    }).pipe(Effect.withSpan("TaskRunner.drain"))
  })
})

/** The runner with {@link defaults}. It resumes what a former process left unfinished, as soon as it is built. */
export const layerWith = (options: Partial<Options> = {}) => Layer.effect(TaskRunner, make({ ...defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
