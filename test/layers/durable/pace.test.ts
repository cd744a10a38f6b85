import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/testing/TestClock"
import * as Pace from "../../../src/layers/durable/pace.ts"

it.effect("lets a burst pass at once, then one at a time, and fills up again when it is quiet", () =>
  Effect.gen(function* () {
    const { turn } = yield* Pace.make({ burst: 3, perSecond: 2 })
    const at = yield* Ref.make<ReadonlyArray<number>>([])
    const act = Effect.andThen(
      turn,
      Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(at, (all) => [...all, now]))
    )
    const many = yield* Effect.forkChild(Effect.repeat(act, { times: 5 }))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(many)
    assert.deepStrictEqual(yield* Ref.get(at), [0, 0, 0, 500, 1000, 1500])
    yield* Ref.set(at, [])
    const again = yield* Effect.forkChild(Effect.repeat(act, { times: 3 }))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(again)
    assert.deepStrictEqual(yield* Ref.get(at), [10_000, 10_000, 10_000, 10_500])
  })
)
