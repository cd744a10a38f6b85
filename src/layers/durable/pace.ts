/**
 * A token bucket: bursts pass, a long run is slowed to a steady rate.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The bucket's size, and how fast it fills. */
export interface Options {
  /** How many may pass at once after a quiet time. */
  readonly burst: number
  /** How many may pass in the long run. */
  readonly perSecond: number
}

/** The bucket. */
export interface Pace {
  /** Stands before each action: no wait while there are tokens, else until the next one. */
  readonly turn: Effect.Effect<void>
}

/** Makes a full bucket. */
export const make = Effect.fnUntraced(function* ({ burst, perSecond }: Options) {
  let tokens = burst
  let filledAt = yield* Clock.currentTimeMillis

  const turn = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    // A clock that was set back fills nothing; it must not take anything either.
    tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1000) * perSecond)
    filledAt = now
    tokens -= 1
    if (tokens < 0) yield* Effect.sleep((-tokens / perSecond) * 1000)
  })
  return { turn } satisfies Pace
})
