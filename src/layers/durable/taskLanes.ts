/**
 * Tasks that run without an execution of the workflow engine, until they need one.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { TaskInput } from "../../services/durable/AgentTask.ts"
import type { Execution } from "./stepWorkflow.ts"

interface Lane<A, E> {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly execution: Deferred.Deferred<Execution>
  readonly done: Deferred.Deferred<A, E>
  /** An execution has been asked for. */
  asked: boolean
}

/**
 * Makes the lanes. `begin` begins the execution of a task, which calls `join`.
 *
 * **Details**
 *
 * A step, a wait and a sleep need an execution, which keeps what became of them. Many tasks only say something and end:
 * for them an execution is two rows and, with the engine's own fibers and scopes, a quarter of the task's time. Such a task
 * is resumed as any other, from its acceptance: a start begins an execution for it.
 */
export const make = <A, E>(begin: (input: TaskInput) => Effect.Effect<void>) => {
  const lanes = new Map<string, Lane<A, E>>()

  /** Runs a task in this fiber, giving it the way to an execution. */
  const run = (input: TaskInput, work: (execution: Effect.Effect<Execution>) => Effect.Effect<A, E>) =>
    Effect.withFiber((fiber) => {
      const { taskId } = input
      const lane: Lane<A, E> = { fiber, execution: Deferred.makeUnsafe(), done: Deferred.makeUnsafe(), asked: false }
      lanes.set(taskId, lane)
      const execution = Effect.suspend(() => {
        const given = Deferred.await(lane.execution)
        if (lane.asked) return given
        lane.asked = true
        return begin(input).pipe(
          Effect.onError((cause) => Deferred.failCause(lane.execution, cause)),
          Effect.uninterruptible,
          Effect.andThen(given)
        )
      })
      return Effect.onExit(work(execution), (exit) => {
        lanes.delete(taskId)
        Deferred.doneUnsafe(lane.done, exit)
        return Effect.void
      })
    })

  return {
    run,
    /** The outcome of the task, if it runs here; from now on it is in that execution, and is interrupted with it. */
    join: (taskId: string, execution: Execution): Effect.Effect<A, E> | undefined => {
      const lane = lanes.get(taskId)
      if (lane === undefined) return undefined
      Deferred.doneUnsafe(lane.execution, Effect.succeed(execution))
      return Effect.onInterrupt(Deferred.await(lane.done), () => Fiber.interrupt(lane.fiber))
    },
    /** Does the task wait for its execution to begin? */
    isWaiting: (taskId: string) => {
      const lane = lanes.get(taskId)
      return lane?.asked === true && !Deferred.isDoneUnsafe(lane.execution)
    },
    /** Ends the task's run, if it runs here. */
    interrupt: (taskId: string) =>
      Effect.suspend(() => {
        const lane = lanes.get(taskId)
        return lane === undefined ? Effect.void : Fiber.interrupt(lane.fiber)
      })
  }
}
