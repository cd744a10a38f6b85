/**
 * What one execution of a task has done so far, and when it must stop and let the next go on.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { History } from "../../services/durable/TaskStore.ts"
import { missedName } from "./stepNames.ts"

/** Why a run of a task stops in the middle: the next execution goes on, or a person must look at it. */
export type Verdict =
  | { readonly _tag: "Continue"; readonly steps: Readonly<Record<string, Schema.Json>> }
  | { readonly _tag: "Hold"; readonly detail: string }

/** The most steps of one execution: resuming reads and replays no more than these. The figure. */
export const maxSteps = 500

/** How long other branches of an executor are given to ask for what the journal has, before its code counts as changed. */
const settle = "1 second"

/** A branch beside others looks this often whether what it waits for has come. */
const glance = "20 millis"

/**
 * So many looks in a row that find nothing in flight, 200 ms, and the run is suspended, although there may be a branch that
 * does something else than steps. An executor without branches is suspended at once.
 */
const patience = 10

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** The book of a run. */
export interface Segment {
  readonly verdict: Deferred.Deferred<Verdict>
  /** The result that a former run left, in this execution or in one before; asking counts as the code's asking for it. */
  readonly former: (name: string) => Schema.Json | undefined
  /** Has this execution completed the step before this run of it? */
  readonly hasCompleted: (name: string) => boolean
  /** Passes when the step may run in this execution; never does where the task goes on in the next, or is held. */
  readonly enter: (name: string) => Effect.Effect<void>
  /** Runs something that must have ended before the execution may, and before the run is suspended. */
  readonly within: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Waits for what `look` finds: here while another branch works, else in a suspended run. */
  readonly rest: <A, E, R>(
    look: Effect.Effect<Option.Option<A>, E, R>,
    suspend: Effect.Effect<never>
  ) => Effect.Effect<A, E, R>
  readonly keep: (name: string, encoded: Schema.Json) => void
  /** This fiber asks for steps: it is the executor's own or a branch of it, and the run is not suspended while it works. */
  readonly seen: (fiber: AnyFiber) => void
  /** Runs the executor. */
  readonly executing: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Makes the book of a run of a task that has done what is given. */
export const make = (history: History, limit: number): Segment => {
  const verdict = Deferred.makeUnsafe<Verdict>()
  // What this execution adds to the results that it was given, which may be thousands.
  const results = new Map(history.results)
  // What came in between is known from now on, whether this execution gets as far as to ask for it or not.
  for (const [name, exit] of Object.entries(history.missed)) results.set(missedName(name), exit)
  const completed = new Set(history.completed)
  const unasked = new Set(history.completed)
  const entered = new Set<string>()
  // The executor's own fiber, those of its branches that were seen here, and those of them that wait.
  let root: AnyFiber | undefined
  const fibers = new Set<AnyFiber>()
  const resting = new Set<AnyFiber>()
  let inFlight = 0
  let ending: (() => Verdict) | undefined
  // Nothing begins any more: the run ends as soon as it is interrupted.
  let closed = false

  const endIfIdle = Effect.suspend(() => {
    if (ending === undefined || inFlight > 0) return Effect.void
    closed = true
    return Effect.asVoid(Deferred.succeed(verdict, ending()))
  })
  const goOn = (): Verdict => ({ _tag: "Continue", steps: { ...history.steps, ...Object.fromEntries(results) } })

  const seen = (fiber: AnyFiber) => {
    if (fibers.size > 64) for (const one of fibers) if (one.pollUnsafe() !== undefined) fibers.delete(one)
    fibers.add(fiber)
  }
  const othersMayWork = (own: AnyFiber) =>
    own !== root ||
    Array.from(fibers).some((fiber) => fiber !== own && !resting.has(fiber) && fiber.pollUnsafe() === undefined)

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
    seen,
    executing: (effect) =>
      Effect.withFiber((fiber) => {
        root = fiber
        return effect
      }),
    within: (effect) =>
      Effect.withFiber((fiber) => {
        if (closed) return Effect.never
        seen(fiber)
        inFlight++
        return Effect.ensuring(
          effect,
          Effect.suspend(() => {
            inFlight--
            return endIfIdle
          })
        )
      }),
    rest: (look, suspend) =>
      Effect.withFiber((fiber) => {
        seen(fiber)
        resting.add(fiber)
        const waiting = Effect.gen(function* () {
          for (let quiet = 0; ; quiet = inFlight > 0 ? 0 : quiet + 1) {
            const found = yield* look
            if (Option.isSome(found)) return found.value
            if (ending === undefined && inFlight === 0 && (quiet >= patience || !othersMayWork(fiber))) {
              closed = true
              return yield* suspend
            }
            yield* Effect.sleep(glance)
          }
        })
        return Effect.ensuring(
          waiting,
          Effect.sync(() => resting.delete(fiber))
        )
      }),
    enter: Effect.fnUntraced(function* (name) {
      unasked.delete(name)
      if (completed.has(name) || entered.has(name)) return
      if (unasked.size > 0 && !(yield* othersHaveAsked)) {
        const detail = `the journal's next step is ${Array.from(unasked)[0]}, but the code asks for ${name}: it is not the code that began the task`
        ending = () => ({ _tag: "Hold", detail })
        yield* endIfIdle
        return yield* Effect.never
      }
      if (ending !== undefined || completed.size + entered.size >= limit) {
        ending ??= goOn
        yield* endIfIdle
        return yield* Effect.never
      }
      entered.add(name)
    })
  }
}
