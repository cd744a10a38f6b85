import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import {
  ended,
  type InWorkflow,
  interrupt,
  outcomeOf,
  poll,
  register,
  signal,
  start,
  step,
  Subject,
  suspended,
  tell,
  tellExit,
  wait
} from "./calls.ts"
import { quiet, Runs } from "./runs.ts"
import type { Suite } from "./suite.ts"

const raced = (...names: readonly [string, ...Array<string>]) => {
  const [first, ...rest] = names
  return DurableDeferred.raceAll({
    name: names.join(" or "),
    success: Schema.String,
    error: Schema.String,
    effects: [wait(first), ...rest.map(wait)]
  })
}

type Branch = Effect.Effect<string, string, InWorkflow>

const succeedOwn = Effect.fnUntraced(function* (name: string, value: string) {
  const token = yield* DurableDeferred.token(signal(name))
  yield* DurableDeferred.succeed(signal(name), { token, value })
})

/** A named result that an execution waits for and anybody may give. */
export const deferreds = ({ test }: Suite) =>
  describe("deferreds", () => {
    test(
      "given before it is awaited",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(wait("first"), Effect.andThen(step("a"), wait("second"))))
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "second")
        yield* quiet
        assert.deepStrictEqual(yield* runs.counts, {})
        yield* tell(Subject, "first")
        assert.strictEqual(yield* ended(Subject), "second")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "given to an execution that does not exist yet",
      Effect.gen(function* () {
        yield* register(Subject, () => wait("go"))
        yield* tell(Subject, "go", "early")
        yield* quiet
        yield* start(Subject)
        assert.strictEqual(yield* ended(Subject), "early")
      })
    )

    test(
      "given twice: the first counts, whether it is awaited yet or not",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Effect.map(Effect.all([wait("one"), wait("two"), wait("three")]), (all) => all.join(" "))
        )
        yield* tell(Subject, "one", "1")
        yield* tell(Subject, "one", "2")
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "two", "1")
        yield* tell(Subject, "two", "2")
        yield* tell(Subject, "one", "3")
        yield* Effect.all([tell(Subject, "three", "1"), tell(Subject, "three", "2")], { concurrency: 2 })
        assert.include(["1 1 1", "1 1 2"], yield* ended(Subject))
      })
    )

    test(
      "errors and defects arrive as such",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const first = yield* Effect.exit(wait("error"))
            const second = yield* Effect.exit(wait("defect"))
            return [first, second].map(outcomeOf).join(", ")
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tellExit(Subject, "error", Exit.fail("no"))
        yield* suspended(Subject)
        yield* tellExit(Subject, "defect", Exit.die(new Error("a bug")))
        assert.strictEqual(yield* ended(Subject), "error no, defect a bug")
      })
    )

    test(
      "several at once are given in any order",
      Effect.gen(function* () {
        const names = ["a", "b", "c", "d", "e"]
        yield* register(Subject, () =>
          Effect.map(Effect.forEach(names, wait, { concurrency: "unbounded" }), (all) => all.join(""))
        )
        yield* start(Subject)
        for (const name of ["d", "a", "e", "c", "b"]) {
          yield* suspended(Subject)
          yield* tell(Subject, name)
        }
        assert.strictEqual(yield* ended(Subject), "abcde")
      })
    )

    test(
      "belongs to one execution and has one name",
      Effect.gen(function* () {
        const ids = ["1", "1/go", "2"]
        yield* register(Subject, (id) => Effect.map(wait("go"), (value) => `${id} ${value}`))
        yield* Effect.forEach(ids, (id) => start(Subject, id))
        yield* Effect.forEach(ids, (id) => suspended(Subject, id))
        yield* tell(Subject, "go/go", "wrong", "1")
        yield* tell(Subject, "go", "right", "2")
        assert.strictEqual(yield* ended(Subject, "2"), "2 right")
        yield* quiet
        for (const id of ["1", "1/go"]) assert.include(yield* poll(Subject, id), { _tag: "Some" })
        yield* suspended(Subject, "1")
        yield* suspended(Subject, "1/go")
        yield* tell(Subject, "go", "late", "1/go")
        yield* tell(Subject, "go", "later", "1")
        assert.strictEqual(yield* ended(Subject, "1/go"), "1/go late")
        assert.strictEqual(yield* ended(Subject, "1"), "1 later")
      })
    )

    test(
      "given by the workflow itself",
      Effect.gen(function* () {
        yield* register(Subject, () => Effect.andThen(succeedOwn("own", "mine"), wait("own")))
        yield* start(Subject)
        assert.strictEqual(yield* ended(Subject), "mine")
      })
    )

    for (const [order, words] of [
      [(giving, waiting) => [giving, waiting], "another branch then waits"],
      [(giving, waiting) => [waiting, giving], "another branch already waits"]
    ] as const satisfies ReadonlyArray<readonly [(giving: Branch, waiting: Branch) => ReadonlyArray<Branch>, string]>) {
      test(
        `given by a branch of the workflow for which ${words}`,
        Effect.gen(function* () {
          const runs = yield* Runs
          const give = DurableDeferred.into(step("a", Effect.succeed("mine")), signal("own"))
          yield* register(Subject, () =>
            Effect.map(Effect.all(order(give, wait("own")), { concurrency: 2 }), (all) => all.join(" "))
          )
          yield* start(Subject)
          assert.strictEqual(yield* ended(Subject), "mine mine")
          assert.deepStrictEqual(yield* runs.counts, { a: 1 })
        })
      )

      test(
        `given by an activity of the workflow for which ${words}`,
        Effect.gen(function* () {
          const runs = yield* Runs
          const give = Effect.andThen(step("a"), step("b", Effect.as(succeedOwn("own", "mine"), "mine")))
          yield* register(Subject, () =>
            Effect.map(Effect.all(order(give, wait("own")), { concurrency: 2 }), (all) => all.join(" "))
          )
          yield* start(Subject)
          assert.strictEqual(yield* ended(Subject), "mine mine")
          assert.strictEqual((yield* runs.counts)["a"], 1)
        })
      )
    }

    test(
      "what an effect gives is kept, and the effect is not run again",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const both = [DurableDeferred.into(step("a"), signal("into a")), wait("go")]
            const all = yield* Effect.all(both, { concurrency: 2 })
            return [...all, yield* wait("into a"), yield* wait("on")].join(" ")
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        yield* suspended(Subject)
        yield* tell(Subject, "on")
        assert.strictEqual(yield* ended(Subject), "a go a on")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "given by what a workflow does at its end, to another and to itself",
      Effect.gen(function* () {
        yield* register(Subject, (id) =>
          Effect.gen(function* () {
            if (id === "1") return yield* wait("go")
            yield* Workflow.addFinalizer(() =>
              Effect.andThen(tell(Subject, "own", "mine", "2"), tell(Subject, "go", "from the other", "1"))
            )
            yield* wait("go")
            return "done"
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* start(Subject, "2")
        yield* suspended(Subject, "2")
        yield* tell(Subject, "go", "go", "2")
        assert.strictEqual(yield* ended(Subject, "2"), "done")
        assert.strictEqual(yield* ended(Subject), "from the other")
      })
    )

    test(
      "given to one that has ended changes nothing",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), wait("go")))
        yield* start(Subject)
        yield* tell(Subject, "go", "yes")
        assert.strictEqual(yield* ended(Subject), "yes")
        yield* tell(Subject, "go", "no")
        yield* tell(Subject, "other")
        yield* interrupt(Subject)
        yield* quiet
        assert.strictEqual(yield* ended(Subject), "yes")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "the first of several ends a race, and what comes later does not change it",
      Effect.gen(function* () {
        yield* register(Subject, () =>
          Effect.gen(function* () {
            const first = yield* raced("a", "b")
            return `${first} ${yield* wait("go")}`
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "b")
        yield* suspended(Subject)
        yield* tell(Subject, "a")
        yield* quiet
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "b go")
      })
    )
  })
