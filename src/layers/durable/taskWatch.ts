/**
 * The watcher: finds work that should have gone on and has not, first asks again, and then says so in an error.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { ExecutorError } from "../../services/durable/Step.ts"
import { TaskStore, type TaskStoreError } from "../../services/durable/TaskStore.ts"
import type { OpenWait } from "../../services/durable/Waits.ts"

/** The watcher's times, in milliseconds. */
export interface Options {
  /** How often it looks. */
  readonly every: number
  /** How long a timer may be late before it counts as lost. */
  readonly timerGrace: number
  /** How long the second try of an overdue wait has. */
  readonly retryGrace: number
}

/** Every second; two seconds for timers, which fire within milliseconds; ten for whoever is asked again. */
export const defaults: Options = { every: 1000, timerGrace: 2000, retryGrace: 10_000 }

/** What the watcher can do about it. */
export interface Remedies {
  /** Fires the timer behind a wait once more. */
  readonly fire: (wait: OpenWait) => Effect.Effect<void, TaskStoreError>
  /** Has the task look again. */
  readonly resume: (taskId: string) => Effect.Effect<void, TaskStoreError>
  /** Ends a wait with an error. */
  readonly give: (wait: OpenWait, error: ExecutorError) => Effect.Effect<void, TaskStoreError>
  /** Unfinished tasks that neither run nor are queued, nor wait for anything, nor are held. */
  readonly idle: Effect.Effect<ReadonlyArray<string>, TaskStoreError>
}

/** The unfinished tasks that are held, and those that are idle: neither busy, nor waiting, nor held. */
export const survey = Effect.fnUntraced(function* (isBusy: (taskId: string) => boolean) {
  const store = yield* TaskStore
  const found = yield* store.withoutWait
  return {
    idle: found.flatMap(({ held, taskId }) => (held === undefined && !isBusy(taskId) ? [taskId] : [])),
    held: found.flatMap(({ held, taskId }) => (held === undefined ? [] : [{ taskId, ...held }]))
  }
})

/** By how much a wait is overdue, in milliseconds; 0 if it is not. */
export const overdue = (wait: OpenWait, now: number, options: Options): number =>
  Math.max(0, now - wait.deadline - (wait.kind === "timer" ? options.timerGrace : 0))

/** What a wait ends with that was not kept. */
export const broken = ({ deadline, from, reason, since }: OpenWait) => {
  const seconds = Math.round((deadline - since) / 1000)
  return new ExecutorError({
    reason: "timeout",
    detail: `waited ${seconds} s for ${reason} from ${from}, asked again, and nothing came`,
    remedy: `see what has become of ${from}, then send the message again`
  })
}

/** Looks once, and acts. `suspects` are the tasks that were idle at the last look. */
export const look = Effect.fnUntraced(function* (options: Options, remedies: Remedies, suspects: ReadonlySet<string>) {
  const store = yield* TaskStore
  const { epochMilliseconds: now } = yield* DateTime.now
  for (const wait of yield* store.due(now)) {
    if (overdue(wait, now, options) === 0) continue
    const about = { taskId: wait.taskId, wait: wait.wait, for: wait.reason, from: wait.from }
    if (wait.retries === 0) {
      yield* Effect.logWarning("a wait is overdue: asking again", about)
      yield* store.note(wait.taskId, { _tag: "WaitRetried", wait: wait.wait, deadline: now + options.retryGrace })
      yield* wait.kind === "timer" ? remedies.fire(wait) : remedies.resume(wait.taskId)
    } else {
      const error = broken(wait)
      yield* Effect.logError("a wait was not kept", { ...about, detail: error.detail })
      yield* remedies.give(wait, error)
    }
  }
  // A task is seldom idle for a moment between two runs: only who is so at two looks was forgotten.
  const idle = yield* remedies.idle
  for (const taskId of idle) {
    if (!suspects.has(taskId)) continue
    yield* Effect.logWarning("an unfinished task neither runs nor waits: a wake-up was lost; resuming it", { taskId })
    yield* remedies.resume(taskId)
  }
  return new Set(idle)
})

/** Looks for ever. A look that fails is logged, and the next one tries again. */
export const watch = (options: Options, remedies: Remedies) =>
  Effect.gen(function* () {
    let suspects: ReadonlySet<string> = new Set()
    while (true) {
      yield* Effect.sleep(options.every)
      suspects = yield* look(options, remedies, suspects).pipe(
        Effect.catchCause((cause) => Effect.as(Effect.logError("the watcher could not look", cause), suspects))
      )
    }
  })
