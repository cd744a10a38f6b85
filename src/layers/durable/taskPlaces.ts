/**
 * The places of the tasks that run at once, and the queue for them.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { TaskInput } from "../../services/durable/AgentTask.ts"
import type { Activity } from "../../services/durable/TaskRunner.ts"

const headline = (text: string) => {
  const line = text.trim().split("\n", 1)[0] ?? ""
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}

/** Makes `limit` places. A task that is suspended has no run, and so holds none. */
export const make = Effect.fnUntraced(function* (limit: number) {
  let free = limit
  const line: Array<Deferred.Deferred<void>> = []
  // Tasks that run or wait for a place, by the segment that they are in; and the texts of those that run.
  const active = new Map<string, number>()
  const running = new Map<string, string>()
  const queued = new Set<string>()
  // Branches of tasks that have given their place back.
  const resting = new Map<string, number>()
  // The newest of those that run, as long as it does.
  let newest = ""
  // Each change has a number; nobody who looks now and then is told of all of them.
  let version = 0
  let news: Deferred.Deferred<void> | undefined

  const changed = () => {
    version++
    const told = news
    news = undefined
    if (told !== undefined) Deferred.doneUnsafe(told, Effect.void)
  }
  const current = () => headline(running.get(newest) ?? Array.from(running.values()).at(-1) ?? "")
  const activity = (): Activity => ({ running: running.size, queued: active.size - running.size, current: current() })
  const changes = Stream.paginate(-1, (seen) =>
    Effect.suspend(() => {
      if (seen !== version) return Effect.void
      news ??= Deferred.makeUnsafe()
      return Deferred.await(news)
    }).pipe(Effect.map(() => [[activity()], Option.some(version)] as const))
  )

  const giveBack = () => {
    const next = line.shift()
    if (next === undefined) free++
    else Deferred.doneUnsafe(next, Effect.void)
  }
  // First come, first served. Whoever goes away while it waits passes on what it may have been given meanwhile.
  const take = Effect.suspend(() => {
    if (free > 0) {
      free--
      return Effect.void
    }
    const turn = Deferred.makeUnsafe<void>()
    line.push(turn)
    return Effect.onInterrupt(Deferred.await(turn), () =>
      Effect.sync(() => {
        const place = line.indexOf(turn)
        if (place >= 0) line.splice(place, 1)
        else giveBack()
      })
    )
  })

  const begin = (taskId: string, text: string) => {
    running.set(taskId, text)
    newest = taskId
    changed()
  }

  return {
    activity: Effect.sync(activity),
    /** The activity now, and again when it has changed. */
    changes,
    /** It runs, or stands in the queue: that it should is not enough. */
    has: (taskId: string) => running.has(taskId) || queued.has(taskId),
    segmentOf: (taskId: string) => active.get(taskId),
    tasks: () => Array.from(active.keys()),

    /** The task wants a place. */
    enter: (taskId: string, segment: number) => {
      active.set(taskId, segment)
      changed()
    },

    /** The task wants none any more, unless it has gone on to another segment. */
    leave: (taskId: string, segment: number) => {
      if (active.get(taskId) === segment) active.delete(taskId)
      changed()
    },

    /** Runs something, within `use`, that needs no place: others have it meanwhile. */
    rest: <A, E, R>({ taskId, text }: TaskInput, effect: Effect.Effect<A, E, R>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          const before = resting.get(taskId) ?? 0
          resting.set(taskId, before + 1)
          if (before === 0) {
            running.delete(taskId)
            active.delete(taskId)
            giveBack()
            changed()
          }
          return Effect.exit(restore(effect))
        }).pipe(
          Effect.tap(() => {
            const left = (resting.get(taskId) ?? 1) - 1
            if (left > 0) {
              resting.set(taskId, left)
              return Effect.void
            }
            // Whoever is interrupted here has none, and gives none back.
            return Effect.map(restore(take), () => {
              resting.delete(taskId)
              active.set(taskId, 0)
              begin(taskId, text)
            })
          }),
          Effect.flatten
        )
      ),

    /** Runs with a place, waiting for one. */
    use: <A, E, R>({ taskId, text }: TaskInput, effect: Effect.Effect<A, E, R>) =>
      Effect.uninterruptibleMask((restore) => {
        const run = Effect.suspend(() => {
          begin(taskId, text)
          return Effect.onExit(restore(effect), () => {
            running.delete(taskId)
            if (!resting.delete(taskId)) giveBack()
            return Effect.void
          })
        })
        if (free > 0) {
          free--
          return run
        }
        queued.add(taskId)
        return restore(take).pipe(
          Effect.onExit(() => {
            queued.delete(taskId)
            return Effect.void
          }),
          Effect.andThen(run)
        )
      })
  }
})
