/**
 * What one execution of a task has done so far, and when it must stop and let the next go on.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { History } from "../../services/durable/TaskStore.ts"

/** Why a run of a task stops in the middle: the next execution goes on, or a person must look at it. */
export type Verdict =
  | { readonly _tag: "Continue"; readonly steps: Readonly<Record<string, Schema.Json>> }
  | { readonly _tag: "Hold"; readonly detail: string }

/** The most steps of one execution: resuming reads and replays no more than these. The figure. */
export const maxSteps = 500

/** How long other branches of an executor are given to ask for what the journal has, before its code counts as changed. */
const settle = "1 second"

/** The book of a run. */
export interface Segment {
  readonly verdict: Deferred.Deferred<Verdict>
  /** The result that a former run left, in this execution or in one before; asking counts as the code's asking for it. */
  readonly former: (name: string) => Schema.Json | undefined
  /** Has this execution completed the step before this run of it? */
  readonly hasCompleted: (name: string) => boolean
  /** Passes when the step may run in this execution; never does where the task goes on in the next, or is held. */
  readonly enter: (name: string) => Effect.Effect<void>
  /** Runs something that must have ended before the execution may. */
  readonly within: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly keep: (name: string, encoded: Schema.Json) => void
}

/** Makes the book of a run of a task that has done what is given. */
export const make = (history: History, limit: number): Segment => {
  const verdict = Deferred.makeUnsafe<Verdict>()
  // What this execution adds to the results that it was given, which may be thousands.
  const results = new Map(history.results)
  const completed = new Set(history.completed)
  const unasked = new Set(history.completed)
  const entered = new Set<string>()
  let inFlight = 0
  let stopping = false

  const stopIfIdle = Effect.suspend(() =>
    stopping && inFlight === 0
      ? Effect.asVoid(
          Deferred.succeed(verdict, { _tag: "Continue", steps: { ...history.steps, ...Object.fromEntries(results) } })
        )
      : Effect.void
  )

  // Branches run at their own pace: what one has not asked for yet, it may still ask for, as long as anything moves.
  const othersHaveAsked = Effect.gen(function* () {
    for (let round = 0; round < 100 && unasked.size > 0; round++) yield* Effect.yieldNow
    if (unasked.size > 0) yield* Effect.sleep(settle)
    return unasked.size === 0
  })

  return {
    verdict,
    former: (name) => {
      if (Object.hasOwn(history.steps, name)) return history.steps[name]
      const result = history.results?.get(name)
      if (result !== undefined) unasked.delete(name)
      return result
    },
    hasCompleted: (name) => completed.has(name),
    keep: (name, encoded) => {
      results.set(name, encoded)
    },
    within: (effect) =>
      Effect.suspend(() => {
        inFlight++
        return Effect.ensuring(
          effect,
          Effect.suspend(() => {
            inFlight--
            return stopIfIdle
          })
        )
      }),
    enter: Effect.fnUntraced(function* (name) {
      unasked.delete(name)
      if (completed.has(name) || entered.has(name)) return
      if (unasked.size > 0 && !(yield* othersHaveAsked)) {
        const detail = `the journal's next step is ${Array.from(unasked)[0]}, but the code asks for ${name}: it is not the code that began the task`
        yield* Deferred.succeed(verdict, { _tag: "Hold", detail })
        return yield* Effect.never
      }
      if (stopping || completed.size + entered.size >= limit) {
        stopping = true
        yield* stopIfIdle
        return yield* Effect.never
      }
      entered.add(name)
    })
  }
}
