import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import * as Workflow from "effect/workflow/Workflow"
import {
  ended,
  hit,
  interrupt,
  interruptUnsafe,
  poll,
  register,
  resume,
  start,
  step,
  Subject,
  suspended,
  tell,
  undoable,
  wait
} from "./calls.ts"
import { moment, quiet, Runs } from "./runs.ts"
import { ends, type Suite } from "./suite.ts"

const backOff = DurableClock.sleep({ name: "back-off", duration: "1 hour", inMemoryThreshold: 0 })

const reserveThenWait = Effect.andThen(undoable("a"), wait("go"))

/** A try that fails, and a wait before the next one. */
const tryTwice = Effect.gen(function* () {
  yield* undoable("a")
  yield* Effect.ignore(step("first try", Effect.fail("no")))
  yield* backOff
  return yield* step("second try")
})

/** Interrupting an execution, and what is undone then. */
export const interrupts = ({ durable, test }: Suite) =>
  describe("interrupts", () => {
    test(
      "while suspended: it ends, and what was done is undone once, the last first",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(undoable("a"), Effect.andThen(undoable("b"), wait("go"))))
        yield* start(Subject)
        yield* suspended(Subject)
        yield* interrupt(Subject)
        assert.strictEqual(yield* ended(Subject), "interrupted")
        yield* interrupt(Subject)
        yield* tell(Subject, "go")
        yield* resume(Subject)
        yield* quiet
        assert.strictEqual(yield* ended(Subject), "interrupted")
        assert.deepStrictEqual(yield* runs.log, [
          "a",
          "b",
          "undo b of an interrupted one",
          "undo a of an interrupted one"
        ])
      })
    )

    test(
      "whoever waits for the execution is told",
      Effect.gen(function* () {
        yield* register(Subject, () => reserveThenWait)
        const caller = yield* Effect.forkChild(Effect.exit(Subject.execute({ id: "1" })))
        yield* suspended(Subject)
        yield* interrupt(Subject)
        const exit = yield* Fiber.join(caller)
        assert.isTrue(exit._tag === "Failure" && Cause.hasInterrupts(exit.cause))
      })
    )

    test(
      "while an activity runs: that one is let through, and no other begins",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<string>()
        yield* register(Subject, () =>
          Effect.gen(function* () {
            yield* undoable("a")
            yield* step(
              "b",
              Effect.tap(Deferred.await(gate), () => hit("b through"))
            )
            yield* step("c")
            return yield* wait("go")
          })
        )
        yield* start(Subject)
        yield* runs.reached("b")
        yield* interrupt(Subject)
        yield* quiet
        yield* Deferred.succeed(gate, "b")
        assert.strictEqual(yield* ended(Subject), "interrupted")
        assert.deepStrictEqual(yield* runs.log, ["a", "b", "b through", "undo a of an interrupted one"])
      })
    )

    test(
      "while the last activity runs: the execution ends with its result",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<string>()
        yield* register(Subject, () => Effect.andThen(undoable("a"), step("b", Deferred.await(gate))))
        yield* start(Subject)
        yield* runs.reached("b")
        yield* interrupt(Subject)
        yield* Deferred.succeed(gate, "result")
        assert.strictEqual(yield* ended(Subject), "result")
        yield* quiet
        assert.deepStrictEqual(yield* runs.log, ["a", "b"])
      })
    )

    test(
      "undone is only what a failed execution did, and once however often it was replayed",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, (id) =>
          Effect.gen(function* () {
            yield* undoable("a")
            yield* wait("one")
            yield* wait("two")
            return id === "1" ? "good" : yield* Effect.fail("bad")
          })
        )
        for (const id of ["1", "2"]) {
          yield* start(Subject, id)
          yield* suspended(Subject, id)
          yield* tell(Subject, "one", "one", id)
          yield* suspended(Subject, id)
          yield* resume(Subject, id)
          yield* suspended(Subject, id)
          yield* tell(Subject, "two", "two", id)
        }
        assert.strictEqual(yield* ended(Subject, "1"), "good")
        assert.strictEqual(yield* ended(Subject, "2"), "error bad")
        assert.deepStrictEqual(yield* runs.log, ["a", "a", "undo a"])
      })
    )

    test(
      "what is to be done at the end is done once, with the outcome, however often it was replayed",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, (id) =>
          Effect.gen(function* () {
            yield* Workflow.addFinalizer((exit) => hit(`end of ${id}: ${exit._tag}`))
            yield* wait("one")
            yield* wait("two")
            return id === "good" ? id : yield* Effect.fail(id)
          })
        )
        for (const id of ["good", "bad"]) {
          yield* start(Subject, id)
          for (const name of ["one", "two"]) {
            yield* suspended(Subject, id)
            yield* tell(Subject, name, name, id)
          }
          yield* ended(Subject, id)
        }
        assert.deepStrictEqual(yield* runs.log, ["end of good: Success", "end of bad: Failure"])
      })
    )

    test(
      "the hard way, while suspended",
      Effect.gen(function* () {
        yield* register(Subject, () => wait("go"))
        yield* start(Subject)
        yield* suspended(Subject)
        yield* interruptUnsafe(Subject)
        assert.strictEqual(yield* ended(Subject), "interrupted")
        yield* tell(Subject, "go")
        yield* quiet
        assert.strictEqual(yield* ended(Subject), "interrupted")
      })
    )

    test(
      "the hard way, while an activity runs that would never end",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), step("b", Effect.never)))
        yield* start(Subject)
        yield* runs.reached("b")
        yield* interruptUnsafe(Subject)
        assert.strictEqual(yield* ended(Subject), "interrupted")
        assert.deepStrictEqual(yield* runs.counts, { a: 1, b: 1 })
      })
    )

    test(
      "the hard way after the gentle one",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), step("b", Effect.never)))
        yield* start(Subject)
        yield* runs.reached("b")
        yield* interrupt(Subject)
        yield* quiet
        yield* interruptUnsafe(Subject)
        assert.strictEqual(yield* ended(Subject), "interrupted")
      })
    )

    test(
      "during a back-off: at once, and no further try is made",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => tryTwice)
        yield* start(Subject)
        yield* suspended(Subject)
        yield* interrupt(Subject)
        assert.strictEqual(yield* ended(Subject), "interrupted")
        yield* TestClock.adjust("2 hours")
        yield* quiet
        assert.deepStrictEqual(yield* runs.log, ["a", "first try", "undo a of an interrupted one"])
      })
    )

    test(
      "during a back-off in memory: no further try is made when it is over",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () =>
          Effect.gen(function* () {
            yield* Effect.ignore(step("first try", Effect.fail("no")))
            yield* DurableClock.sleep({ name: "back-off", duration: "30 seconds" })
            return yield* step("second try")
          })
        )
        yield* start(Subject)
        yield* runs.reached("first try")
        yield* quiet
        yield* interrupt(Subject)
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* ended(Subject), "interrupted")
        yield* TestClock.adjust("3 hours")
        assert.deepStrictEqual(yield* runs.counts, { "first try": 1 })
      })
    )

    test(
      "of an execution that does not exist does nothing",
      Effect.gen(function* () {
        yield* register(Subject, () => step("a"))
        yield* interrupt(Subject)
        yield* interruptUnsafe(Subject)
        yield* resume(Subject)
        assert.deepStrictEqual(yield* poll(Subject), yield* poll(Subject, "other"))
        assert.strictEqual(yield* Subject.execute({ id: "1" }), "a")
      })
    )

    for (const [how, words] of ends) {
      durable(`asked for during a back-off, is kept ${words}`, (machine) =>
        Effect.gen(function* () {
          const program = register(Subject, () => tryTwice)
          const first = yield* machine.boot(program)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* moment
          yield* first.use(interrupt(Subject))
          yield* first.down(how)
          const second = yield* machine.boot(program)
          assert.strictEqual(yield* second.use(ended(Subject)), "interrupted")
          yield* TestClock.adjust("2 hours")
          yield* quiet
          const counts = yield* machine.runs.counts
          assert.strictEqual(counts["second try"], undefined)
          assert.include([1, 2], counts["undo a of an interrupted one"])
          assert.strictEqual(counts["a"], 1)
        })
      )

      durable(`asked for while an activity runs, is kept ${words}: no activity begins, and it is undone`, (machine) =>
        Effect.gen(function* () {
          const program = register(Subject, () =>
            Effect.andThen(undoable("a"), Effect.andThen(step("b", Effect.never), step("c")))
          )
          const first = yield* machine.boot(program)
          yield* first.use(start(Subject))
          yield* machine.runs.reached("b")
          yield* first.use(interrupt(Subject))
          yield* first.down(how)
          const second = yield* machine.boot(program)
          assert.strictEqual(yield* second.use(ended(Subject)), "interrupted")
          assert.deepStrictEqual(yield* machine.runs.log, ["a", "b", "undo a of an interrupted one"])
        })
      )

      durable(
        `asked for in the hard way, is kept ${words}: also a run that would end by itself ends interrupted`,
        (machine) =>
          Effect.gen(function* () {
            const program = (hangs: boolean) =>
              register(Subject, () => Effect.andThen(step("a"), hangs ? Effect.never : Effect.succeed("by itself")))
            const first = yield* machine.boot(program(true))
            yield* first.use(start(Subject))
            yield* machine.runs.reached("a")
            yield* first.use(interruptUnsafe(Subject))
            yield* first.down(how)
            const second = yield* machine.boot(program(false))
            assert.strictEqual(yield* second.use(ended(Subject)), "interrupted")
          })
      )

      durable(`an execution that was interrupted stays so ${words}`, (machine) =>
        Effect.gen(function* () {
          const program = register(Subject, () => reserveThenWait)
          const first = yield* machine.boot(program)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* moment
          yield* first.use(interrupt(Subject))
          yield* first.use(ended(Subject))
          yield* first.down(how)
          const second = yield* machine.boot(program)
          yield* second.use(tell(Subject, "go"))
          assert.strictEqual(yield* second.use(ended(Subject)), "interrupted")
          yield* quiet
          assert.deepStrictEqual(yield* machine.runs.log, ["a", "undo a of an interrupted one"])
        })
      )

      durable(`what was being undone is undone to the end ${words}`, (machine) =>
        Effect.gen(function* () {
          const program = (hangs: boolean) =>
            register(Subject, () =>
              Effect.gen(function* () {
                yield* Workflow.withCompensation(step("a"), () =>
                  Effect.orDie(step("undo a", hangs ? Effect.never : Effect.succeed("")))
                )
                yield* Workflow.withCompensation(step("b"), () => Effect.orDie(step("undo b")))
                return yield* wait("go")
              })
            )
          const first = yield* machine.boot(program(true))
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* moment
          yield* first.use(interrupt(Subject))
          yield* machine.runs.reached("undo a")
          yield* first.down(how)
          const second = yield* machine.boot(program(false))
          assert.strictEqual(yield* second.use(ended(Subject)), "interrupted")
          assert.deepStrictEqual(yield* machine.runs.log, ["a", "b", "undo b", "undo a", "undo a"])
        })
      )

      durable(`ending the process is not an interrupt: nothing is undone, and it goes on ${words}`, (machine) =>
        Effect.gen(function* () {
          const program = (hangs: boolean) =>
            register(Subject, () =>
              Effect.gen(function* () {
                yield* undoable("a")
                yield* step("b", hangs ? Effect.never : Effect.succeed("b"))
                return yield* wait("go")
              })
            )
          const first = yield* machine.boot(program(true))
          yield* first.use(start(Subject))
          yield* machine.runs.reached("b")
          yield* first.down(how)
          const second = yield* machine.boot(program(false))
          yield* second.use(suspended(Subject))
          yield* moment
          yield* second.down(how)
          const third = yield* machine.boot(program(false))
          yield* third.use(tell(Subject, "go"))
          assert.strictEqual(yield* third.use(ended(Subject)), "go")
          assert.deepStrictEqual(yield* machine.runs.log, ["a", "b", "b"])
        })
      )
    }
  })
