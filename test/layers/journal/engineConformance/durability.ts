import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import { ended, poll, register, start, step, Subject, suspended, tell, wait } from "./calls.ts"
import { overARestart, stepThatHangs, threeSteps } from "./restart.ts"
import { moment, numbers, quiet } from "./runs.ts"
import { ends, type Suite } from "./suite.ts"

/** Work goes on behind the last result that was kept, whatever happened to the process. */
export const durability = ({ durable }: Suite) =>
  describe("durability", () => {
    for (const [how, words] of ends) {
      durable(`goes on behind the last result ${words}: only the activity in flight runs again`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            threeSteps,
            Effect.andThen(start(Subject), machine.runs.reached("b")),
            Effect.map(ended(Subject), (result) => assert.strictEqual(result, "a b c"))
          )
          assert.deepStrictEqual(log, ["a", "b", "b", "c"])
        })
      )

      durable(`waits on ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            () => register(Subject, () => Effect.andThen(step("a"), Effect.andThen(wait("go"), step("b")))),
            Effect.andThen(start(Subject), Effect.andThen(suspended(Subject), moment)),
            Effect.gen(function* () {
              yield* suspended(Subject)
              yield* quiet
              yield* tell(Subject, "go")
              assert.strictEqual(yield* ended(Subject), "b")
            })
          )
          assert.deepStrictEqual(log, ["a", "b"])
        })
      )

      durable(`nothing that was through when it was suspended runs again ${words} in that moment`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            () => register(Subject, () => Effect.andThen(step("a"), Effect.andThen(wait("go"), step("b")))),
            Effect.andThen(start(Subject), suspended(Subject)),
            Effect.gen(function* () {
              yield* tell(Subject, "go")
              assert.strictEqual(yield* ended(Subject), "b")
            })
          )
          assert.deepStrictEqual(log, ["a", "b"])
        })
      )

      durable(`a signal that was accepted is not forgotten ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            () => register(Subject, () => Effect.tap(wait("go"), () => step("a"))),
            Effect.gen(function* () {
              yield* start(Subject)
              yield* suspended(Subject)
              yield* tell(Subject, "go", "first")
            }),
            Effect.gen(function* () {
              yield* tell(Subject, "go", "second")
              assert.strictEqual(yield* ended(Subject), "first")
            })
          )
          assert.include(["a", "a a"], log.join(" "))
        })
      )

      durable(`nor one for an execution that does not exist yet, ${words}`, (machine) =>
        overARestart(
          machine,
          how,
          () => register(Subject, () => wait("go")),
          tell(Subject, "go", "early"),
          Effect.gen(function* () {
            yield* tell(Subject, "go", "late")
            yield* start(Subject)
            assert.strictEqual(yield* ended(Subject), "early")
          })
        )
      )

      durable(`an execution that was accepted is not forgotten ${words}`, (machine) =>
        overARestart(
          machine,
          how,
          () => register(Subject, () => wait("go")),
          start(Subject),
          Effect.gen(function* () {
            yield* tell(Subject, "go")
            assert.strictEqual(yield* ended(Subject), "go")
          })
        )
      )

      durable(`of two activities side by side only the one that was not through runs again ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            (first) =>
              register(Subject, () =>
                Effect.map(Effect.all([step("a"), stepThatHangs("b", first), step("c")], { concurrency: 3 }), (all) =>
                  all.join(" ")
                )
              ),
            Effect.gen(function* () {
              yield* start(Subject)
              for (const name of ["a", "b", "c"]) yield* machine.runs.reached(name)
              yield* moment
            }),
            Effect.map(ended(Subject), (result) => assert.strictEqual(result, "a b c"))
          )
          assert.deepStrictEqual([...log].toSorted(), ["a", "b", "b", "c"])
        })
      )

      durable(`a retry that was waited for is made ${words}`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            () =>
              register(Subject, () =>
                Effect.gen(function* () {
                  yield* Effect.ignore(step("first try", Effect.fail("no")))
                  yield* DurableClock.sleep({ name: "back-off", duration: "1 hour", inMemoryThreshold: 0 })
                  return yield* step("second try")
                })
              ),
            Effect.gen(function* () {
              yield* start(Subject)
              yield* suspended(Subject)
              yield* TestClock.adjust("59 minutes")
            }),
            Effect.gen(function* () {
              yield* suspended(Subject)
              yield* TestClock.adjust("1 minute")
              assert.strictEqual(yield* ended(Subject), "second try")
            })
          )
          assert.deepStrictEqual(log, ["first try", "second try"])
        })
      )

      durable(`a schedule goes on ${words}, and no occurrence is missed or comes twice`, (machine) =>
        Effect.gen(function* () {
          const hours = numbers(4)
          const program = register(Subject, () =>
            Effect.gen(function* () {
              for (const hour of hours) {
                yield* DurableClock.sleep({ name: `${hour}`, duration: "1 hour", inMemoryThreshold: 0 })
                yield* step(`${hour}`)
              }
              return "over"
            })
          )
          let process = yield* machine.boot(program)
          yield* process.use(start(Subject))
          for (const hour of hours) {
            yield* process.use(suspended(Subject))
            yield* TestClock.adjust("20 minutes")
            yield* process.down(how)
            process = yield* machine.boot(program)
            yield* process.use(suspended(Subject))
            yield* TestClock.adjust("40 minutes")
            yield* machine.runs.reached(`${hour}`)
          }
          assert.strictEqual(yield* process.use(ended(Subject)), "over")
          assert.deepStrictEqual(yield* machine.runs.log, hours.map(String))
        })
      )

      durable(`what has ended stays ended ${words}: good, bad and with a defect`, (machine) =>
        Effect.gen(function* () {
          const results = { good: "good", bad: "error bad", ugly: "defect ugly" }
          const log = yield* overARestart(
            machine,
            how,
            () =>
              register(Subject, (id) =>
                Effect.andThen(
                  step(id),
                  id === "good" ? Effect.succeed(id) : id === "bad" ? Effect.fail(id) : Effect.die(new Error(id))
                )
              ),
            Effect.forEach(Object.keys(results), (id) => Effect.andThen(start(Subject, id), ended(Subject, id))),
            Effect.gen(function* () {
              yield* quiet
              for (const [id, result] of Object.entries(results)) {
                assert.strictEqual(yield* ended(Subject, id), result)
                yield* start(Subject, id)
              }
              assert.strictEqual(yield* Subject.execute({ id: "good" }), "good")
              assert.strictEqual(yield* Effect.flip(Subject.execute({ id: "bad" })), "bad")
              assert.isTrue(Exit.isFailure(yield* Effect.exit(Subject.execute({ id: "ugly" }))))
            })
          )
          assert.deepStrictEqual(log, ["good", "bad", "ugly"])
        })
      )

      durable(`whoever executes it again ${words} joins it`, (machine) =>
        Effect.gen(function* () {
          const log = yield* overARestart(
            machine,
            how,
            (first) =>
              register(Subject, () => Effect.andThen(step("a"), Effect.andThen(stepThatHangs("b", first), wait("go")))),
            Effect.andThen(start(Subject), machine.runs.reached("b")),
            Effect.gen(function* () {
              const callers = yield* Effect.forkChild(
                Effect.forEach(numbers(5), () => Subject.execute({ id: "1" }), { concurrency: 5 })
              )
              yield* suspended(Subject)
              yield* tell(Subject, "go")
              assert.deepStrictEqual([...new Set(yield* Fiber.join(callers))], ["go"])
            })
          )
          assert.deepStrictEqual(log, ["a", "b", "b"])
        })
      )
    }

    durable("an execution that was not asked for is not there", (machine) =>
      Effect.gen(function* () {
        const program = register(Subject, () => step("a"))
        yield* (yield* machine.boot(program)).down("stop")
        const second = yield* machine.boot(program)
        assert.strictEqual((yield* second.use(poll(Subject)))._tag, "None")
        assert.deepStrictEqual(yield* machine.runs.log, [])
      })
    )
  })
