import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  Child,
  ended,
  Grandchild,
  hit,
  interrupt,
  type InWorkflow,
  outcomeOf,
  Parent,
  register,
  start,
  step,
  suspended,
  tell,
  undoable,
  wait
} from "./calls.ts"
import { quiet, Runs } from "./runs.ts"
import type { Suite } from "./suite.ts"

const childOf = (id: string) => Child.execute({ id: `of ${id}` })
const waitThenStep = Effect.andThen(undoable("c"), Effect.andThen(wait("go"), step("c2")))

/** A parent that executes its child after a step of its own and does another one with the result. */
const registerFamily = (child: Effect.Effect<string, string, InWorkflow>) =>
  Effect.andThen(
    register(Child, () => child),
    register(Parent, (id) =>
      Effect.gen(function* () {
        yield* undoable("p")
        const result = yield* childOf(id)
        return `${result} ${yield* step("p2")}`
      })
    )
  )

/** Executions that execute others. */
export const children = ({ test }: Suite) =>
  describe("parent and child", () => {
    test(
      "a child that needs no time",
      Effect.gen(function* () {
        yield* registerFamily(step("c"))
        yield* start(Parent)
        assert.strictEqual(yield* ended(Parent), "c p2")
        assert.deepStrictEqual(yield* (yield* Runs).log, ["p", "c", "p2"])
      })
    )

    test(
      "the result of a child that was suspended wakes its parent, and each step ran once",
      Effect.gen(function* () {
        yield* registerFamily(waitThenStep)
        yield* start(Parent)
        yield* suspended(Parent)
        yield* suspended(Child, "of 1")
        yield* tell(Child, "go", "go", "of 1")
        assert.strictEqual(yield* ended(Parent), "c2 p2")
        assert.strictEqual(yield* ended(Child, "of 1"), "c2")
        assert.deepStrictEqual(yield* (yield* Runs).log, ["p", "c", "c2", "p2"])
      })
    )

    test(
      "over three generations",
      Effect.gen(function* () {
        yield* register(Grandchild, () => Effect.andThen(step("g"), wait("go")))
        yield* registerFamily(
          Effect.gen(function* () {
            yield* step("c")
            const result = yield* Grandchild.execute({ id: "g" })
            return `${result} ${yield* step("c2")}`
          })
        )
        yield* start(Parent)
        yield* suspended(Grandchild, "g")
        yield* suspended(Parent)
        yield* tell(Grandchild, "go", "go", "g")
        assert.strictEqual(yield* ended(Parent), "go c2 p2")
        assert.deepStrictEqual(yield* (yield* Runs).log, ["p", "c", "g", "c2", "p2"])
      })
    )

    test(
      "the error of a child reaches its parent, at once and after a wait",
      Effect.gen(function* () {
        yield* register(Child, (id) =>
          Effect.andThen(id === "later" ? wait("go") : Effect.void, Effect.fail(`no ${id}`))
        )
        yield* register(Parent, () =>
          Effect.gen(function* () {
            const first = yield* Effect.flip(Child.execute({ id: "now" }))
            const second = yield* Effect.flip(Child.execute({ id: "later" }))
            return `${first}, ${second}`
          })
        )
        yield* start(Parent)
        yield* suspended(Child, "later")
        yield* tell(Child, "go", "go", "later")
        assert.strictEqual(yield* ended(Parent), "no now, no later")
      })
    )

    test(
      "a defect of a child reaches its parent",
      Effect.gen(function* () {
        yield* register(Child, () => Effect.andThen(wait("go"), Effect.die(new Error("a bug"))))
        yield* register(Parent, () => Effect.map(Effect.exit(Child.execute({ id: "c" })), outcomeOf))
        yield* start(Parent)
        yield* suspended(Child, "c")
        yield* tell(Child, "go", "go", "c")
        assert.strictEqual(yield* ended(Parent), "defect a bug")
      })
    )

    test(
      "several children side by side end in any order",
      Effect.gen(function* () {
        const ids = ["a", "b", "c", "d"]
        yield* register(Child, (id) => Effect.andThen(step(id), wait("go")))
        yield* register(Parent, () =>
          Effect.map(
            Effect.forEach(ids, (id) => Child.execute({ id }), { concurrency: "unbounded" }),
            (all) => all.join("")
          )
        )
        yield* start(Parent)
        for (const id of ["c", "a", "d", "b"]) {
          yield* suspended(Child, id)
          yield* tell(Child, "go", id, id)
        }
        assert.strictEqual(yield* ended(Parent), "abcd")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { a: 1, b: 1, c: 1, d: 1 })
      })
    )

    test(
      "the same child asked for twice runs once",
      Effect.gen(function* () {
        yield* register(Child, () => Effect.andThen(step("c"), wait("go")))
        yield* register(Parent, () =>
          Effect.map(Effect.all([Child.execute({ id: "c" }), Child.execute({ id: "c" })]), (all) => all.join(" "))
        )
        yield* start(Parent)
        yield* suspended(Child, "c")
        yield* tell(Child, "go", "go", "c")
        assert.strictEqual(yield* ended(Parent), "go go")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { c: 1 })
      })
    )

    test(
      "two parents of one child both get its result",
      Effect.gen(function* () {
        yield* register(Child, () => Effect.andThen(step("c"), wait("go")))
        yield* register(Parent, (id) => Effect.map(Child.execute({ id: "c" }), (result) => `${id} ${result}`))
        for (const id of ["1", "2"]) {
          yield* start(Parent, id)
          yield* suspended(Parent, id)
        }
        yield* tell(Child, "go", "go", "c")
        assert.strictEqual(yield* ended(Parent, "1"), "1 go")
        assert.strictEqual(yield* ended(Parent, "2"), "2 go")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { c: 1 })
      })
    )

    test(
      "a parent that joins a child somebody else began gets its result",
      Effect.gen(function* () {
        yield* registerFamily(Effect.andThen(step("c"), wait("go")))
        yield* start(Child, "of 1")
        yield* suspended(Child, "of 1")
        yield* start(Parent)
        yield* suspended(Parent)
        yield* tell(Child, "go", "go", "of 1")
        assert.strictEqual(yield* ended(Parent), "go p2")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { p: 1, c: 1, p2: 1 })
      })
    )

    test(
      "interrupting the parent interrupts the child, and both undo what they did",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* registerFamily(waitThenStep)
        yield* start(Parent)
        yield* suspended(Child, "of 1")
        yield* suspended(Parent)
        yield* interrupt(Parent)
        assert.strictEqual(yield* ended(Parent), "interrupted")
        assert.strictEqual(yield* ended(Child, "of 1"), "interrupted")
        yield* quiet
        const undone = ["undo c of an interrupted one", "undo p of an interrupted one"]
        assert.deepStrictEqual([...(yield* runs.log)].toSorted(), ["c", "p", ...undone])
      })
    )

    test(
      "interrupting the parent interrupts grandchildren",
      Effect.gen(function* () {
        yield* register(Grandchild, () => wait("go"))
        yield* registerFamily(Grandchild.execute({ id: "g" }))
        yield* start(Parent)
        yield* suspended(Grandchild, "g")
        yield* suspended(Parent)
        yield* interrupt(Parent)
        assert.strictEqual(yield* ended(Parent), "interrupted")
        assert.strictEqual(yield* ended(Child, "of 1"), "interrupted")
        assert.strictEqual(yield* ended(Grandchild, "g"), "interrupted")
      })
    )

    test(
      "interrupting the child ends it, and its parent hears of it",
      Effect.gen(function* () {
        yield* registerFamily(waitThenStep)
        yield* register(Parent, () => Effect.map(Effect.exit(Child.execute({ id: "c" })), outcomeOf))
        yield* start(Parent)
        yield* suspended(Child, "c")
        yield* interrupt(Child, "c")
        assert.strictEqual(yield* ended(Child, "c"), "interrupted")
        assert.strictEqual(yield* ended(Parent), "interrupted")
      })
    )

    test(
      "a child whose result is not waited for is interrupted with its parent",
      Effect.gen(function* () {
        yield* register(Child, () => wait("go"))
        yield* register(Parent, () => Effect.andThen(Child.execute({ id: "c" }, { discard: true }), wait("go")))
        yield* start(Parent)
        yield* suspended(Child, "c")
        yield* suspended(Parent)
        yield* interrupt(Parent)
        assert.strictEqual(yield* ended(Parent), "interrupted")
        assert.strictEqual(yield* ended(Child, "c"), "interrupted")
      })
    )

    test(
      "a detached child is not interrupted and does not disturb its parent",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Child, () => Effect.andThen(step("c"), Effect.andThen(wait("go"), step("c2"))))
        yield* register(Parent, (id) =>
          Effect.gen(function* () {
            yield* hit(`run of ${id}`)
            yield* Child.execute({ id }, { discard: true, detached: true })
            return yield* wait("go")
          })
        )
        for (const id of ["1", "2"]) {
          yield* start(Parent, id)
          yield* suspended(Parent, id)
          yield* suspended(Child, id)
        }
        yield* interrupt(Parent, "1")
        assert.strictEqual(yield* ended(Parent, "1"), "interrupted")
        yield* quiet
        for (const id of ["1", "2"]) {
          yield* suspended(Child, id)
          yield* tell(Child, "go", "go", id)
          assert.strictEqual(yield* ended(Child, id), "c2")
        }
        yield* quiet
        assert.strictEqual((yield* runs.counts)["run of 2"], 1)
        yield* tell(Parent, "go", "go", "2")
        assert.strictEqual(yield* ended(Parent, "2"), "go")
        assert.include(yield* runs.counts, { c: 2, c2: 2 })
      })
    )
  })
