import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { ended, interrupt, poll, register, resume, start, step, Subject, suspended, tell, wait } from "./calls.ts"
import { quiet, Runs } from "./runs.ts"
import { ends, type Suite } from "./suite.ts"

const day = 24 * 60 * 60 * 1000
const hours = Array.from({ length: 4 }, (_, index) => index + 1)

/** A clock that an execution is suspended on, however short. */
const sleep = (duration: Duration.Input, name = "clock") => DurableClock.sleep({ name, duration, inMemoryThreshold: 0 })

/** Asserts that the execution is still suspended, after having given it time to be otherwise. */
const stillSuspended = (id = "1") => Effect.andThen(quiet, suspended(Subject, id))

const sleepThenStep = Effect.andThen(sleep("1 hour"), step("after"))

const signalOrTimeout = DurableDeferred.raceAll({
  name: "signal or timeout",
  success: Schema.String,
  error: Schema.String,
  effects: [wait("signal"), Effect.as(sleep("1 hour"), "timeout")]
})

/** Durable clocks: deadlines, not durations that begin again. */
export const clocks = ({ durable, machine, test }: Suite) =>
  describe("clocks", () => {
    test(
      "fires when the time has come, not before, and once",
      Effect.gen(function* () {
        yield* register(Subject, () => sleepThenStep)
        yield* start(Subject)
        yield* suspended(Subject)
        yield* TestClock.adjust("59 minutes")
        yield* stillSuspended()
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* ended(Subject), "after")
        yield* TestClock.adjust("3 days")
        yield* quiet
        assert.deepStrictEqual(yield* (yield* Runs).counts, { after: 1 })
      })
    )

    test(
      "does not begin again when the execution is replayed",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Effect.map(Effect.all([sleepThenStep, wait("go"), wait("on")], { concurrency: 3 }), (all) => all.join(" "))
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* TestClock.adjust("30 minutes")
        yield* tell(Subject, "go")
        yield* suspended(Subject)
        yield* resume(Subject)
        yield* stillSuspended()
        yield* TestClock.adjust("30 minutes")
        yield* (yield* Runs).reached("after")
        yield* tell(Subject, "on")
        assert.strictEqual(yield* ended(Subject), "after go on")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { after: 1 })
      })
    )

    test(
      "of two with one name the first counts",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Effect.andThen(Effect.all([sleep("1 hour"), sleep("2 hours")], { concurrency: 2 }), step("after"))
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* ended(Subject), "after")
        yield* TestClock.adjust("5 hours")
        yield* quiet
        assert.deepStrictEqual(yield* (yield* Runs).counts, { after: 1 })
      })
    )

    test(
      "one after another",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Effect.forEach([1, 2], (hour) =>
            Effect.andThen(sleep(Duration.hours(hour), `${hour}`), step(`${hour}`))
          ).pipe(Effect.map((all) => all.join(" ")))
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* TestClock.adjust("1 hour")
        yield* (yield* Runs).reached("1")
        yield* TestClock.adjust("119 minutes")
        yield* stillSuspended()
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* ended(Subject), "1 2")
        assert.deepStrictEqual(yield* (yield* Runs).log, ["1", "2"])
      })
    )

    test(
      "side by side, each by its own deadline",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.forEach([3, 1, 2], (hour) => Effect.andThen(sleep(Duration.hours(hour), `${hour}`), step(`${hour}`)), {
            concurrency: 3
          }).pipe(Effect.map((all) => all.join(" ")))
        )
        yield* start(Subject)
        for (const hour of [1, 2, 3]) {
          yield* suspended(Subject)
          yield* TestClock.adjust("1 hour")
          yield* runs.reached(`${hour}`)
        }
        assert.strictEqual(yield* ended(Subject), "3 1 2")
        assert.deepStrictEqual(yield* runs.log, ["1", "2", "3"])
      })
    )

    test(
      "of one name in many executions, each once",
      Effect.gen(function* () {
        const ids = Array.from({ length: 100 }, (_, index) => `${index}`)
        yield* register(Subject, () => sleepThenStep)
        yield* Effect.forEach(ids, (id) => start(Subject, id))
        yield* Effect.forEach(ids, (id) => suspended(Subject, id))
        yield* TestClock.adjust("1 hour")
        for (const id of ids) assert.strictEqual(yield* ended(Subject, id), "after")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { after: 100 })
      })
    )

    test(
      "a signal before the timeout, and the timeout then changes nothing",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const first = yield* signalOrTimeout
            yield* step("after")
            return `${first} ${yield* wait("go")}`
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "signal")
        yield* runs.reached("after")
        yield* TestClock.adjust("2 hours")
        yield* stillSuspended()
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "signal go")
        assert.deepStrictEqual(yield* runs.counts, { after: 1 })
      })
    )

    test(
      "the timeout before the signal, and the signal then changes nothing",
      Effect.gen(function* () {
        yield* register(Subject, () => Effect.andThen(signalOrTimeout, (first) => Effect.as(wait("go"), first)))
        yield* start(Subject)
        yield* suspended(Subject)
        yield* TestClock.adjust("1 hour")
        yield* stillSuspended()
        yield* tell(Subject, "signal")
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "timeout")
      })
    )

    test(
      "an execution that has ended otherwise is not disturbed",
      Effect.gen(function* () {
        yield* register(Subject, () => sleepThenStep)
        yield* start(Subject)
        yield* suspended(Subject)
        yield* interrupt(Subject)
        assert.strictEqual(yield* ended(Subject), "interrupted")
        yield* TestClock.adjust("2 hours")
        yield* quiet
        assert.strictEqual(yield* ended(Subject), "interrupted")
        assert.deepStrictEqual(yield* (yield* Runs).counts, {})
      })
    )

    // Node's own timers fire at once when they are asked for more than 24.8 days.
    test(
      "two months of real time are not over at once",
      TestClock.withLive(Clock.Clock).pipe(
        Effect.flatMap((live) =>
          Effect.gen(function* () {
            yield* register(Subject, () => Effect.andThen(sleep("60 days"), step("after")))
            yield* Effect.provideService(start(Subject), Clock.Clock, live)
            yield* stillSuspended()
            assert.deepStrictEqual(yield* (yield* Runs).counts, {})
          })
        )
      )
    )

    for (const [by, words] of [
      [day, "a day forward"],
      [-day, "a day back"]
    ] as const) {
      machine(
        `the wall clock is set ${words}: each fires once, and none later than its time has really passed`,
        (box) =>
          Effect.gen(function* () {
            const { use } = yield* box.boot(
              register(Subject, (id) => Effect.andThen(sleep(Duration.hours(Number(id))), step(`after ${id}`)))
            )
            yield* use(Effect.forEach(hours, (hour) => start(Subject, `${hour}`)))
            yield* use(Effect.forEach(hours, (hour) => suspended(Subject, `${hour}`)))
            yield* TestClock.adjust("30 minutes")
            yield* box.stepWall(by)
            yield* TestClock.adjust("30 minutes")
            for (const hour of hours) {
              assert.strictEqual(yield* use(ended(Subject, `${hour}`)), `after ${hour}`)
              yield* TestClock.adjust("1 hour")
            }
            yield* TestClock.adjust("2 days")
            yield* quiet
            assert.deepStrictEqual(
              yield* box.runs.counts,
              Object.fromEntries(hours.map((hour) => [`after ${hour}`, 1]))
            )
          })
      )
    }

    machine("the wall clock is set a day forward: what is then due fires within a minute", (box) =>
      Effect.gen(function* () {
        const { use } = yield* box.boot(register(Subject, () => sleepThenStep))
        yield* use(start(Subject))
        yield* use(suspended(Subject))
        yield* box.stepWall(day)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* use(ended(Subject)), "after")
      })
    )

    machine("the wall clock is set to and fro: each fires once", (box) =>
      Effect.gen(function* () {
        const { use } = yield* box.boot(
          register(Subject, (id) => Effect.andThen(sleep(Duration.hours(Number(id))), step(`after ${id}`)))
        )
        yield* use(Effect.forEach(hours, (hour) => start(Subject, `${hour}`)))
        yield* use(Effect.forEach(hours, (hour) => suspended(Subject, `${hour}`)))
        for (const by of [day, -2 * day, day, -day, 3 * day, -2 * day]) {
          yield* box.stepWall(by)
          yield* TestClock.adjust("1 hour")
        }
        for (const hour of hours) assert.strictEqual(yield* use(ended(Subject, `${hour}`)), `after ${hour}`)
        yield* TestClock.adjust("4 days")
        yield* quiet
        assert.deepStrictEqual(yield* box.runs.counts, Object.fromEntries(hours.map((hour) => [`after ${hour}`, 1])))
      })
    )

    for (const [how, words] of ends) {
      const boot = (box: Parameters<Parameters<typeof durable>[1]>[0]) =>
        box.boot(register(Subject, () => sleepThenStep))

      durable(`only the rest of the time is waited for ${words}`, (box) =>
        Effect.gen(function* () {
          const first = yield* boot(box)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* TestClock.adjust("40 minutes")
          yield* first.down(how)
          yield* TestClock.adjust("10 minutes")
          const second = yield* boot(box)
          yield* TestClock.adjust("9 minutes")
          yield* second.use(stillSuspended())
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* second.use(ended(Subject)), "after")
          yield* TestClock.adjust("2 hours")
          yield* quiet
          assert.deepStrictEqual(yield* box.runs.counts, { after: 1 })
        })
      )

      durable(`a deadline that passed meanwhile fires at once ${words}`, (box) =>
        Effect.gen(function* () {
          const first = yield* boot(box)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* TestClock.adjust("1 minute")
          yield* first.down(how)
          yield* TestClock.adjust("3 hours")
          const second = yield* boot(box)
          assert.strictEqual(yield* second.use(ended(Subject)), "after")
          assert.deepStrictEqual(yield* box.runs.counts, { after: 1 })
        })
      )

      durable(`one that has fired does not fire again ${words}`, (box) =>
        Effect.gen(function* () {
          const program = register(Subject, () =>
            Effect.gen(function* () {
              yield* sleepThenStep
              yield* wait("go")
              return yield* step("last")
            })
          )
          const first = yield* box.boot(program)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* TestClock.adjust("1 hour")
          yield* box.runs.reached("after")
          yield* first.use(suspended(Subject))
          yield* first.down("stop")
          const second = yield* box.boot(program)
          yield* TestClock.adjust("2 hours")
          yield* second.use(stillSuspended())
          yield* second.down(how)
          const third = yield* box.boot(program)
          yield* third.use(tell(Subject, "go"))
          assert.strictEqual(yield* third.use(ended(Subject)), "last")
          assert.deepStrictEqual(yield* box.runs.counts, { after: 1, last: 1 })
        })
      )

      durable(`the wall clock was set forward and back while nothing ran, ${words}: it fires once`, (box) =>
        Effect.gen(function* () {
          for (const by of [-day, 2 * day]) {
            const id = `${by}`
            const first = yield* boot(box)
            yield* first.use(start(Subject, id))
            yield* first.use(suspended(Subject, id))
            yield* TestClock.adjust("30 minutes")
            yield* first.down(how)
            yield* box.stepWall(by)
            const second = yield* boot(box)
            yield* TestClock.adjust("25 hours")
            assert.strictEqual(yield* second.use(ended(Subject, id)), "after")
            yield* second.down("stop")
          }
          const last = yield* boot(box)
          yield* TestClock.adjust("3 days")
          yield* last.use(Effect.andThen(quiet, poll(Subject, "1")))
          assert.deepStrictEqual(yield* box.runs.counts, { after: 2 })
        })
      )
    }
  })
