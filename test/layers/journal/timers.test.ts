import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Timers from "../../../src/layers/journal/timers.ts"

const day = 24 * 60 * 60 * 1000

/** Timers under a wall clock that can be set, apart from the time that passes. */
const make = Effect.gen(function* () {
  const real = yield* Clock.Clock
  let wallOffset = 0
  const wall = () => real.currentTimeMillisUnsafe() + wallOffset
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
  const fired: Array<string> = []
  const timers = yield* Timers.make((executionId, name) =>
    Effect.sync(() => {
      fired.push(`${executionId}/${name}`)
    })
  ).pipe(Effect.provideService(Clock.Clock, clock))
  return {
    fired,
    timers,
    now: () => clock.currentTimeMillisUnsafe(),
    stepWall: (by: number) =>
      Effect.sync(() => {
        wallOffset += by
      })
  }
})

describe("timers", () => {
  it.effect("fire each once, at its deadline, in whatever order they were set", () =>
    Effect.gen(function* () {
      const { fired, now, timers } = yield* make
      timers.set("b", "t", now() + 2000)
      timers.set("a", "t", now() + 1000)
      timers.set("a", "t", now() + 9000)
      timers.set("c", "t", now() - 5)
      timers.set("d", "t", now() + 1500)
      timers.cancel("d", "t")
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(fired, ["c/t"])
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(fired, ["c/t", "a/t"])
      yield* TestClock.adjust(7 * day)
      assert.deepStrictEqual(fired, ["c/t", "a/t", "b/t"])
    })
  )

  it.effect("a wall clock that is set forward by a day fires what is then due, once", () =>
    Effect.gen(function* () {
      const { fired, now, stepWall, timers } = yield* make
      timers.set("hour", "t", now() + 3_600_000)
      timers.set("week", "t", now() + 7 * day)
      yield* TestClock.adjust(1000)
      yield* stepWall(day)
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual(fired, ["hour/t"])
      yield* TestClock.adjust(6 * day)
      assert.deepStrictEqual(fired, ["hour/t", "week/t"])
      yield* TestClock.adjust(2 * day)
      assert.strictEqual(fired.length, 2)
    })
  )

  it.effect("a wall clock that is set back by a day delays nothing, and fires nothing twice", () =>
    Effect.gen(function* () {
      const { fired, now, stepWall, timers } = yield* make
      timers.set("hour", "t", now() + 3_600_000)
      yield* TestClock.adjust(1000)
      yield* stepWall(-day)
      yield* TestClock.adjust(3_600_000)
      assert.deepStrictEqual(fired, ["hour/t"])
      yield* TestClock.adjust(2 * day)
      assert.strictEqual(fired.length, 1)
    })
  )
})
