/**
 * Timers with absolute deadlines: one fiber for all of them.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/** The clocks of executions, each known by the execution and its name there. */
export interface Timers {
  /** `deadline` is wall time in milliseconds since 1970. A clock that is set already keeps its deadline. */
  readonly set: (executionId: string, name: string, deadline: number) => void
  readonly cancel: (executionId: string, name: string) => void
}

/** The wall clock may be set while we sleep: it is looked at this often, in milliseconds. */
const look = 30_000

const monotonic = (clock: Clock.Clock) => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)

/**
 * Makes the timers of a scope.
 *
 * **Details**
 *
 * A timer fires when the wall clock has reached its deadline, or when as much time has really passed as was left when it
 * was set, whichever comes first: a wall clock that is set back by a day delays nothing, and one that is set forward fires
 * what is then due, each timer once.
 */
export const make = Effect.fnUntraced(function* (fire: (executionId: string, name: string) => Effect.Effect<void>) {
  const clock = yield* Clock.Clock
  const news = yield* Latch.make(false)
  const timers = new Map<
    string,
    { readonly executionId: string; readonly name: string; readonly deadline: number; readonly passed: number }
  >()
  const keyOf = (executionId: string, name: string) => `${executionId.length}:${executionId}${name}`

  const step = Effect.gen(function* () {
    news.closeUnsafe()
    const wall = clock.currentTimeMillisUnsafe()
    const now = monotonic(clock)
    const due: Array<readonly [executionId: string, name: string]> = []
    let next = look
    for (const { deadline, executionId, name, passed } of timers.values()) {
      const left = Math.min(deadline - wall, passed - now)
      if (left <= 0) due.push([executionId, name])
      else next = Math.min(next, left)
    }
    for (const [executionId, name] of due) timers.delete(keyOf(executionId, name))
    yield* Effect.forEach(due, ([executionId, name]) => fire(executionId, name), { discard: true })
    if (due.length > 0) return
    if (timers.size === 0) yield* news.await
    else yield* Effect.timeoutOption(news.await, next)
  })
  yield* Effect.forkScoped(Effect.forever(step))

  const timersOf: Timers = {
    set: (executionId, name, deadline) => {
      const key = keyOf(executionId, name)
      if (timers.has(key)) return
      timers.set(key, {
        executionId,
        name,
        deadline,
        passed: monotonic(clock) + Math.max(0, deadline - clock.currentTimeMillisUnsafe())
      })
      news.openUnsafe()
    },
    cancel: (executionId, name) => {
      timers.delete(keyOf(executionId, name))
    }
  }
  return timersOf
})
