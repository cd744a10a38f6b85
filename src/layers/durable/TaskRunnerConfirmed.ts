/**
 * A task runner that acknowledges a message only when the task survives the loss of this disk.
 *
 * @module
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CheckpointOutbox } from "../../services/durable/CheckpointOutbox.ts"
import { NotConfirmed, TaskRunner } from "../../services/durable/TaskRunner.ts"

/** How long a message waits for the platform, and what its sender is told to wait then, in seconds. */
export interface Options {
  readonly timeout: Duration.Input
  readonly retryAfterSeconds: number
}

/** Thirty seconds are longer than a restart of the platform, and shorter than clients wait. */
export const defaults: Options = { timeout: "30 seconds", retryAfterSeconds: 5 }

const make = Effect.fnUntraced(function* ({ retryAfterSeconds: retryAfter, timeout }: Options) {
  const runner = yield* TaskRunner
  const outbox = yield* CheckpointOutbox

  const confirmed = Effect.fnUntraced(function* (taskId: string) {
    const failed = (detail: string) => new NotConfirmed({ taskId, detail, retryAfter })
    const answer = yield* outbox.confirmed(taskId).pipe(
      Effect.mapError((error) => failed(error.message)),
      Effect.timeoutOption(timeout)
    )
    if (Option.isNone(answer)) return yield* failed("it has not answered in time")
  })

  return TaskRunner.of({
    ...runner,
    submit: Effect.fn("TaskRunner.submit")(function* (input) {
      const task = yield* runner.submit(input)
      yield* confirmed(task.input.taskId)
      return task
    })
  })
})

/**
 * The runner in context, but that `submit` answers only after the platform has confirmed the task's acceptance
 * (`ack: "platform"`).
 *
 * **Details**
 *
 * The task is accepted, and begins to run, before. Where the platform does not confirm it in time, or refuses it, the
 * answer is `NotConfirmed`; the same message again is the same task, and waits again.
 *
 * **Example**
 *
 * ```ts
 * const Runner = TaskRunnerConfirmed.layerWith({ timeout: "10 seconds" }).pipe(Layer.provide(TaskRunnerWorkflow.layer))
 * ```
 */
export const layerWith = (options: Partial<Options> = {}) => Layer.effect(TaskRunner, make({ ...defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
