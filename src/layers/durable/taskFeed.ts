/**
 * The task store together with the news that something was written to it.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import {
  isTerminal,
  type TaskEvent,
  type TaskRecord,
  TaskStore,
  type TaskStoreError
} from "../../services/durable/TaskStore.ts"

/** Writes tell those who follow a task; what they read is always the store, so that a slow reader loses nothing. */
export interface TaskFeed {
  readonly append: TaskStore["Service"]["append"]
  readonly setState: TaskStore["Service"]["setState"]
  /** What was said after `after`, then what is said, until the task's end. */
  readonly events: (taskId: string, after: number) => Stream.Stream<TaskEvent, TaskStoreError>
  /** The record once the task has ended; `None` if there is no such task. */
  readonly ended: (taskId: string) => Effect.Effect<Option.Option<TaskRecord>, TaskStoreError>
}

const isEnd = (event: TaskEvent) => event.event._tag === "State" && isTerminal(event.event.state)

/** Makes the feed of the store in context. */
export const make: Effect.Effect<TaskFeed, never, TaskStore> = Effect.gen(function* () {
  const store = yield* TaskStore
  const signals = new Map<string, Deferred.Deferred<void>>()

  // Taken before the store is read: a write that comes between the reading and the waiting completes it.
  const signal = (taskId: string) => {
    const known = signals.get(taskId)
    if (known !== undefined) return known
    const fresh = Deferred.makeUnsafe<void>()
    signals.set(taskId, fresh)
    return fresh
  }
  const notify = (taskId: string) =>
    Effect.suspend(() => {
      const waiting = signals.get(taskId)
      signals.delete(taskId)
      return waiting === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(waiting, undefined))
    })

  const ended: TaskFeed["ended"] = Effect.fnUntraced(function* (taskId) {
    while (true) {
      const news = signal(taskId)
      const task = yield* store.get(taskId)
      if (Option.isNone(task) || isTerminal(task.value.state)) {
        signals.delete(taskId)
        return task
      }
      yield* Deferred.await(news)
    }
  })

  const page = Effect.fnUntraced(function* (taskId: string, cursor: number) {
    while (true) {
      const news = signal(taskId)
      const events = yield* store.events(taskId, cursor)
      const last = events.at(-1)
      if (last !== undefined) {
        return [events, events.some(isEnd) ? Option.none<number>() : Option.some(last.sequence)] as const
      }
      const task = yield* store.get(taskId)
      if (Option.isNone(task) || isTerminal(task.value.state)) {
        const rest = yield* store.events(taskId, cursor)
        if (rest.length === 0) return [rest, Option.none<number>()] as const
        continue
      }
      yield* Deferred.await(news)
    }
  })

  return {
    append: (event) => Effect.tap(store.append(event), () => notify(event.taskId)),
    setState: (taskId, change) => Effect.tap(store.setState(taskId, change), () => notify(taskId)),
    events: (taskId, after) => Stream.paginate(after, (cursor) => page(taskId, cursor)),
    ended
  }
})
