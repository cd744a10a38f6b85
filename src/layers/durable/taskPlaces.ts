/**
 * The places of the tasks that run at once, and the queue for them.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { TaskInput } from "../../services/durable/AgentTask.ts"
import type { Activity } from "../../services/durable/TaskRunner.ts"

const headline = (text: string) => {
  const line = text.trim().split("\n", 1)[0] ?? ""
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}

/** Makes `limit` places. A task that is suspended has no run, and so holds none. */
export const make = Effect.fnUntraced(function* (limit: number) {
  const free = yield* Semaphore.make(limit)
  const activity = yield* SubscriptionRef.make<Activity>({ running: 0, queued: 0, current: "" })
  // Tasks that run or wait for a place, by the segment that they are in; and the first words of those that run.
  const active = new Map<string, number>()
  const running = new Map<string, string>()
  const queued = new Set<string>()

  const count = SubscriptionRef.update(activity, (): Activity => {
    const [current = ""] = Array.from(running.values()).slice(-1)
    return { running: running.size, queued: active.size - running.size, current }
  })

  return {
    activity: SubscriptionRef.get(activity),
    changes: SubscriptionRef.changes(activity),
    /** It runs, or stands in the queue: that it should is not enough. */
    has: (taskId: string) => running.has(taskId) || queued.has(taskId),
    segmentOf: (taskId: string) => active.get(taskId),
    tasks: () => Array.from(active.keys()),

    /** The task wants a place. */
    enter: (taskId: string, segment: number) =>
      Effect.suspend(() => {
        active.set(taskId, segment)
        return count
      }),

    /** The task wants none any more, unless it has gone on to another segment. */
    leave: (taskId: string, segment: number) =>
      Effect.suspend(() => {
        if (active.get(taskId) === segment) active.delete(taskId)
        return count
      }),

    /** Runs with a place, waiting for one. */
    use: <A, E, R>({ taskId, text }: TaskInput, effect: Effect.Effect<A, E, R>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          queued.add(taskId)
          yield* Effect.ensuring(
            restore(free.take(1)),
            Effect.sync(() => queued.delete(taskId))
          )
          running.set(taskId, headline(text))
          yield* count
          return yield* Effect.ensuring(
            restore(effect),
            Effect.suspend(() => {
              running.delete(taskId)
              return free.release(1)
            })
          )
        })
      )
  }
})
