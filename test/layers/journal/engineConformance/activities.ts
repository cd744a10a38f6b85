import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Activity from "effect/workflow/Activity"
import { ended, hit, register, start, step, Subject, suspended, tell, wait } from "./calls.ts"
import { Runs } from "./runs.ts"
import type { Suite } from "./suite.ts"

/** Results of activities are kept, and taken from the engine on every replay. */
export const activities = ({ test }: Suite) =>
  describe("activities", () => {
    test(
      "takes a result from the engine on replay and does not run it again",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const a = yield* step("a")
            const first = yield* wait("one")
            const b = yield* step("b")
            const second = yield* wait("two")
            return [a, first, b, second, yield* step("c")].join(" ")
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "one")
        yield* runs.reached("b")
        yield* suspended(Subject)
        yield* tell(Subject, "two")
        assert.strictEqual(yield* ended(Subject), "a one b two c")
        assert.deepStrictEqual(yield* runs.log, ["a", "b", "c"])
      })
    )

    test(
      "two hundred of them in a row are not run again",
      Effect.gen(function* () {
        const runs = yield* Runs
        const names = Array.from({ length: 200 }, (_, index) => `a${index}`)
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const results = yield* Effect.forEach(names, (name) => step(name))
            yield* wait("go")
            return results.join(" ")
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), names.join(" "))
        assert.deepStrictEqual(yield* runs.log, names)
      })
    )

    test(
      "keeps an error as a result",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(step("a", Effect.fail("no")))
            yield* wait("go")
            return `error ${error}`
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "error no")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "keeps a defect as a result",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const exit = yield* Effect.exit(step("a", Effect.die(new Error("a bug"))))
            yield* wait("go")
            return Exit.isFailure(exit) && Cause.hasDies(exit.cause) ? String(Cause.squash(exit.cause)) : "no defect"
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "Error: a bug")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "each attempt has a result of its own",
      Effect.gen(function* () {
        const runs = yield* Runs
        const flaky = Effect.gen(function* () {
          const attempt = yield* Activity.CurrentAttempt
          yield* hit(`attempt ${attempt}`)
          return attempt < 3 ? yield* Effect.fail(`no ${attempt}`) : `yes ${attempt}`
        })
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const result = yield* Activity.retry(step("a", flaky), { times: 5 })
            yield* wait("go")
            return result
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "yes 3")
        assert.deepStrictEqual(yield* runs.counts, { a: 3, "attempt 1": 1, "attempt 2": 1, "attempt 3": 1 })
      })
    )

    test(
      "names that only together look alike are not confused",
      Effect.gen(function* () {
        const names = ["a", "a/1", "a/1/1", "/a", "a/", "A", "a ", "%", "_"]
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const results = yield* Effect.forEach(names, (name) => step(name))
            yield* wait("go")
            return results.join(",")
          })
        )
        yield* start(Subject, "1")
        yield* start(Subject, "1/a")
        yield* suspended(Subject, "1")
        yield* suspended(Subject, "1/a")
        yield* tell(Subject, "go", "go", "1")
        yield* tell(Subject, "go", "go", "1/a")
        assert.strictEqual(yield* ended(Subject, "1"), names.join(","))
        assert.strictEqual(yield* ended(Subject, "1/a"), names.join(","))
        assert.deepStrictEqual(yield* (yield* Runs).counts, Object.fromEntries(names.map((name) => [name, 2])))
      })
    )

    test(
      "a name asked for again in the same run is the same result",
      Effect.gen(function* () {
        let number = 0
        const next = Effect.sync(() => `${++number}`)
        yield* register(Subject, () =>
          Effect.map(Effect.all([step("a", next), step("a", next)]), (both) => both.join(" "))
        )
        assert.strictEqual(yield* Subject.execute({ id: "1" }), "1 1")
      })
    )

    test(
      "side by side: the run is suspended when the last one is through, and none runs again",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.map(
            Effect.all([step("a"), wait("one"), step("b"), wait("two"), step("c")], { concurrency: "unbounded" }),
            (all) => all.join(" ")
          )
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "two")
        yield* tell(Subject, "one")
        assert.strictEqual(yield* ended(Subject), "a one b two c")
        assert.deepStrictEqual(yield* runs.counts, { a: 1, b: 1, c: 1 })
      })
    )

    test(
      "side by side with a wait they begin before the run is suspended, whichever comes first",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.map(Effect.all([wait("go"), step("a"), step("b")], { concurrency: 3 }), (all) => all.join(" "))
        )
        yield* start(Subject)
        yield* runs.reached("a")
        yield* runs.reached("b")
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go a b")
        assert.deepStrictEqual(yield* runs.counts, { a: 1, b: 1 })
      })
    )

    test(
      "an interruption is not a result",
      Effect.gen(function* () {
        const runs = yield* Runs
        let runsOfA = 0
        // The first run would go on for ever. The signal that the other branch waits for may end it, or let it be.
        const body = Effect.suspend(() => (++runsOfA === 1 ? Effect.never : Effect.as(hit("a done"), "a")))
        yield* register(Subject, () =>
          Effect.map(Effect.all([step("a", body), wait("go")], { concurrency: 2 }), (all) => all.join(" "))
        )
        yield* start(Subject)
        yield* runs.reached("a")
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "a go")
        assert.strictEqual((yield* runs.counts)["a done"], 1)
      })
    )

    test(
      "one that waits for a signal itself goes on when it comes",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Activity.make({
            name: "a",
            success: step("a").successSchema,
            error: step("a").errorSchema,
            execute: Effect.map(wait("go"), (value) => `a ${value}`)
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "a go")
      })
    )

    test(
      "the winner of a race stays the winner",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const winner = yield* Activity.raceAll("race", [step("quick"), step("slow", Effect.never)])
            yield* wait("go")
            return winner
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "quick")
        assert.strictEqual((yield* runs.counts)["quick"], 1)
      })
    )
  })
