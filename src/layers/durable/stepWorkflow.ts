/**
 * The `Step` service on a workflow engine: each step an activity, each event in the store before anyone sees it.
 *
 * @module
 */
import * as Activity from "effect/workflow/Activity"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { CurrentStep, ExecutorError, Step } from "../../services/durable/Step.ts"
import { TaskStore, type TaskStoreError } from "../../services/durable/TaskStore.ts"
import type { TaskFeed } from "./taskFeed.ts"

/** A store that fails fails the step: an answer that could not be kept was not given. */
export const storeFailure = (error: TaskStoreError) =>
  new ExecutorError({
    reason: "unavailable",
    detail: error.message,
    remedy: "check the disk that holds the workspace's state directory"
  })

/** The `Step` service of one run of one task. It needs the workflow that it runs in. */
export const make = Effect.fnUntraced(function* (taskId: string, feed: TaskFeed) {
  const store = yield* TaskStore
  const engine = Context.make(WorkflowEngine, yield* WorkflowEngine).pipe(
    Context.add(WorkflowInstance, yield* WorkflowInstance)
  )
  const numbers = new Map<string, number>()

  return Step.of({
    step: (name, schema, effect) =>
      Activity.make({
        name,
        success: schema,
        error: ExecutorError,
        execute: Effect.flatMap(Effect.mapError(store.begin(taskId, name), storeFailure), (attempt) =>
          Effect.provideService(effect, CurrentStep, { name, attempt })
        )
      }).pipe(Effect.provideContext(engine)),

    emit: Effect.fnUntraced(function* (event) {
      const { attempt, name } = yield* CurrentStep
      const key = `${name}/${attempt}`
      const number = (numbers.get(key) ?? 0) + 1
      numbers.set(key, number)
      yield* Effect.mapError(feed.append({ taskId, step: name, attempt, number, event }), storeFailure)
    })
  })
})
