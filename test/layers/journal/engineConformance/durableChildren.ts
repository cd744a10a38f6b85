import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Child, ended, Grandchild, interrupt, Parent, register, start, step, suspended, tell, wait } from "./calls.ts"
import { overARestart, stepThatHangs } from "./restart.ts"
import { moment, quiet } from "./runs.ts"
import { ends, type Suite } from "./suite.ts"
const threeGenerations = Effect.gen(function* () {
  yield* register(Parent, () => Effect.andThen(step("p"), Effect.andThen(Child.execute({ id: "c" }), step("p2"))))
  yield* register(Child, () => Effect.andThen(step("c"), Effect.andThen(Grandchild.execute({ id: "g" }), step("c2"))))
  yield* register(Grandchild, () => Effect.andThen(step("g"), wait("go")))
})

/** Families of executions over restarts. */
export const durableChildren = ({ durable }: Suite) =>
  describe("parent and child over a restart", () => {
    for (const [how, words] of ends) {
      durable(`parents join their children that wait, and no step of theirs runs again ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            () => threeGenerations,
            Effect.gen(function* () {
              yield* start(Parent)
              yield* suspended(Grandchild, "g")
              yield* suspended(Parent)
              yield* moment
            }),
            Effect.gen(function* () {
              yield* quiet
              yield* tell(Grandchild, "go", "go", "g")
              assert.strictEqual(yield* ended(Parent), "p2")
            })
          )
          assert.deepStrictEqual(log, ["p", "c", "g", "c2", "p2"])
        })
      )

      durable(`a parent joins its child that was running, and neither runs twice ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            (first) =>
              Effect.andThen(
                register(Child, () => Effect.andThen(step("c"), stepThatHangs("c2", first))),
                register(Parent, () =>
                  Effect.andThen(step("p"), Effect.andThen(Child.execute({ id: "c" }), step("p2")))
                )
              ),
            Effect.andThen(start(Parent), machine.runs.reached("c2")),
            Effect.gen(function* () {
              assert.strictEqual(yield* ended(Parent), "p2")
              assert.strictEqual(yield* ended(Child, "c"), "c2")
            })
          )
          assert.deepStrictEqual(log, ["p", "c", "c2", "c2", "p2"])
        })
      )

      durable(`an interrupt of the parent that was accepted reaches the child ${words}`, (machine) =>
        overARestart(
          machine,
          how,
          () => threeGenerations,
          Effect.gen(function* () {
            yield* start(Parent)
            yield* suspended(Grandchild, "g")
            yield* suspended(Parent)
            yield* moment
            yield* interrupt(Parent)
          }),
          Effect.gen(function* () {
            assert.strictEqual(yield* ended(Parent), "interrupted")
            assert.strictEqual(yield* ended(Child, "c"), "interrupted")
            assert.strictEqual(yield* ended(Grandchild, "g"), "interrupted")
          })
        )
      )

      durable(`a detached child goes on without its parent ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            (first) =>
              Effect.andThen(
                register(Child, () => Effect.andThen(step("c"), stepThatHangs("c2", first))),
                register(Parent, () => Child.execute({ id: "c" }, { discard: true, detached: true }))
              ),
            Effect.gen(function* () {
              yield* start(Parent)
              yield* ended(Parent)
              yield* machine.runs.reached("c2")
            }),
            Effect.map(ended(Child, "c"), (result) => assert.strictEqual(result, "c2"))
          )
          assert.deepStrictEqual(log, ["c", "c2", "c2"])
        })
      )

      durable(`a child that ends while its parent is not registered yet wakes it then ${words}`, (machine) =>
        Effect.gen(function* () {
          const child = register(Child, () => Effect.andThen(step("c"), wait("go")))
          const parent = register(Parent, () => Effect.andThen(Child.execute({ id: "c" }), step("p")))
          const log = yield* overARestart(
            machine,
            how,
            (first) => (first ? Effect.andThen(child, parent) : child),
            Effect.andThen(start(Parent), Effect.andThen(suspended(Parent), moment)),
            Effect.gen(function* () {
              yield* tell(Child, "go", "go", "c")
              yield* ended(Child, "c")
              yield* parent
              assert.strictEqual(yield* ended(Parent), "p")
            })
          )
          assert.deepStrictEqual(log, ["c", "p"])
        })
      )

      durable(`a parent whose child is registered a moment later waits for that ${words}`, (machine) =>
        Effect.gen(function* () {
          const child = register(Child, () => Effect.andThen(step("c"), wait("go")))
          const parent = register(Parent, () => Effect.andThen(Child.execute({ id: "c" }), step("p")))
          const log = yield* overARestart(
            machine,
            how,
            (first) => (first ? Effect.andThen(child, parent) : parent),
            Effect.andThen(start(Parent), Effect.andThen(suspended(Parent), moment)),
            Effect.gen(function* () {
              yield* quiet
              yield* child
              yield* tell(Child, "go", "go", "c")
              assert.strictEqual(yield* ended(Parent), "p")
            })
          )
          assert.deepStrictEqual(log, ["c", "p"])
        })
      )
    }
  })
