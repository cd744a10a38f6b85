/**
 * Calls of a task store, as its tests make them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { ExecutorError, output, question } from "../../../src/services/durable/Step.ts"
import { type TaskEvent, type TaskState, TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { saidBy } from "../../support/events.ts"

export const message = (more: Partial<Parameters<TaskStore["Service"]["submit"]>[0]> = {}) => ({
  caller: "admin",
  contextId: "c-1",
  messageId: "m-1",
  text: "hello",
  ...more
})

export const eventOf = (taskId: string, step: string, attempt: number, number: number, text: string) => ({
  taskId,
  step,
  attempt,
  number,
  event: output(text)
})

export const changeTo = (state: TaskState) => {
  switch (state) {
    case "completed":
      return { state, output: new TaskOutput({ text: "done" }) }
    case "failed":
    case "rejected":
      return { state, error: new ExecutorError({ reason: "failed", detail: "why" }) }
    case "input-required":
    case "auth-required":
      return { state, message: question("what?") }
    default:
      return { state }
  }
}

export const submitted = Effect.fnUntraced(function* (messageId = "m-1") {
  const store = yield* TaskStore
  const { task } = yield* store.submit(message({ messageId }), 100)
  return { store, taskId: task.input.taskId }
})

export const told = (events: ReadonlyArray<TaskEvent>) => events.map(({ event, sequence }) => [sequence, saidBy(event)])

/** Lets fibers take turns every few operations (fewer than three would never get on), so that what can come apart does. */
export const interleaved = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Scheduler.MaxOpsBeforeYield, 3)

/** Each look at the clock is a millisecond later than the one before. */
export const ticking = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    let now = 0
    const currentTimeMillisUnsafe = () => ++now
    return Effect.updateService(effect, Clock.Clock, (clock) => ({
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }))
  })
