import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import {
  Child,
  ended,
  interrupt,
  Parent,
  poll,
  register,
  resume,
  start,
  step,
  Subject,
  suspended,
  tell,
  wait
} from "./calls.ts"
import { moment, quiet, until } from "./runs.ts"
import type { Gate, Suite } from "./suite.ts"

/** A step after whose run no write gets through any more: its own result is the first that is held. */
const stepThatCloses = (name: string, gate: Gate) => step(name, Effect.as(gate.close, name))

const sleep = DurableClock.sleep({ name: "clock", duration: "1 hour", inMemoryThreshold: 0 })

const held = (gate: Gate) => until(gate.waiting, (waiting) => waiting > 0)

/** Races with a write that takes its time, and what may be said or done before it is through. */
export const writes = ({ gated }: Suite) =>
  describe("while a write is held open", () => {
    gated("no activity begins before the result of the one before it is kept", (machine, gate) =>
      Effect.gen(function* () {
        const { use } = yield* machine.boot(
          register(Subject, () => Effect.andThen(stepThatCloses("a", gate), step("b")))
        )
        yield* use(start(Subject))
        yield* machine.runs.reached("a")
        yield* held(gate)
        yield* quiet
        assert.deepStrictEqual(yield* machine.runs.log, ["a"])
        yield* gate.open
        assert.strictEqual(yield* use(ended(Subject)), "b")
        assert.deepStrictEqual(yield* machine.runs.log, ["a", "b"])
      })
    )

    gated("nor one after a wait, before the signal is kept", (machine, gate) =>
      Effect.gen(function* () {
        const program = register(Subject, () => Effect.tap(wait("go"), (value) => step(value)))
        const first = yield* machine.boot(program)
        yield* first.use(start(Subject))
        yield* first.use(suspended(Subject))
        yield* gate.close
        const telling = yield* Effect.forkChild(first.use(tell(Subject, "go", "first")))
        yield* quiet
        assert.deepStrictEqual(yield* machine.runs.log, [])
        assert.isUndefined(telling.pollUnsafe(), "the signal was accepted before it was kept")
        // So it may be lost, and another may come instead.
        yield* first.down("crash")
        const second = yield* machine.boot(program)
        yield* second.use(tell(Subject, "go", "second"))
        assert.strictEqual(yield* second.use(ended(Subject)), "second")
        assert.deepStrictEqual(yield* machine.runs.log, ["second"])
      })
    )

    gated("no execution is accepted", (machine, gate) =>
      Effect.gen(function* () {
        const program = register(Subject, () => wait("go"))
        const first = yield* machine.boot(program)
        yield* gate.close
        const starting = yield* Effect.forkChild(first.use(start(Subject)))
        yield* quiet
        assert.isUndefined(starting.pollUnsafe(), "the execution was accepted before it was kept")
        yield* first.down("crash")
        const second = yield* machine.boot(program)
        yield* quiet
        assert.strictEqual((yield* second.use(poll(Subject)))._tag, "None")
      })
    )

    gated("an accepted one goes on when the write is through", (machine, gate) =>
      Effect.gen(function* () {
        const { use } = yield* machine.boot(register(Subject, () => step("a")))
        yield* gate.close
        const caller = yield* Effect.forkChild(use(Subject.execute({ id: "1" })))
        yield* held(gate)
        yield* quiet
        assert.isUndefined(caller.pollUnsafe())
        yield* gate.open
        assert.strictEqual(yield* Fiber.join(caller), "a")
        assert.deepStrictEqual(yield* machine.runs.log, ["a"])
      })
    )

    gated("nobody hears of an end that is not kept", (machine, gate) =>
      Effect.gen(function* () {
        const program = register(Subject, () => Effect.andThen(wait("go"), step("a")))
        const first = yield* machine.boot(program)
        const caller = yield* Effect.forkChild(first.use(Subject.execute({ id: "1" })))
        yield* first.use(suspended(Subject))
        yield* first.use(tell(Subject, "go"))
        yield* Fiber.join(caller)
        yield* first.use(start(Subject, "2"))
        yield* first.use(suspended(Subject, "2"))
        const other = yield* Effect.forkChild(first.use(Subject.execute({ id: "2" })))
        yield* quiet
        yield* gate.close
        yield* Effect.forkChild(first.use(tell(Subject, "go", "go", "2")))
        yield* quiet
        assert.isUndefined(other.pollUnsafe())
        const seen = yield* first.use(poll(Subject, "2"))
        assert.isFalse(seen._tag === "Some" && seen.value._tag === "Complete")
        yield* gate.open
        assert.strictEqual(yield* Fiber.join(other), "a")
      })
    )

    gated("nor its parent", (machine, gate) =>
      Effect.gen(function* () {
        const program = Effect.andThen(
          register(Child, () => Effect.andThen(wait("go"), stepThatCloses("c", gate))),
          register(Parent, () => Effect.andThen(Child.execute({ id: "c" }), step("p")))
        )
        const { use } = yield* machine.boot(program)
        yield* use(start(Parent))
        yield* use(suspended(Parent))
        yield* use(tell(Child, "go", "go", "c"))
        yield* held(gate)
        yield* quiet
        assert.deepStrictEqual(yield* machine.runs.log, ["c"])
        yield* gate.open
        assert.strictEqual(yield* use(ended(Parent)), "p")
        assert.deepStrictEqual(yield* machine.runs.log, ["c", "p"])
      })
    )

    const calls = [
      ["a signal", tell(Subject, "go")],
      ["the signal twice", Effect.all([tell(Subject, "go"), tell(Subject, "go", "other")], { concurrency: 2 })],
      ["a signal and a resume", Effect.all([tell(Subject, "go"), resume(Subject)], { concurrency: 2 })]
    ] as const
    for (const [words, call] of calls) {
      gated(`${words} while the run suspends and its row is being written`, (machine, gate) =>
        Effect.gen(function* () {
          const { use } = yield* machine.boot(
            register(Subject, () =>
              Effect.gen(function* () {
                yield* stepThatCloses("a", gate)
                return yield* Effect.map(Effect.all([wait("go"), sleep], { concurrency: 2 }), ([value]) => value)
              })
            )
          )
          yield* Effect.forkChild(use(start(Subject)))
          yield* machine.runs.reached("a")
          yield* Effect.forkChild(use(call))
          yield* held(gate)
          yield* quiet
          yield* gate.open
          yield* use(suspended(Subject))
          yield* TestClock.adjust("1 hour")
          assert.include(["go", "other"], yield* use(ended(Subject)))
          assert.deepStrictEqual(yield* machine.runs.log, ["a"])
        })
      )
    }

    gated("a signal for a wait that is all there is", (machine, gate) =>
      Effect.gen(function* () {
        const { use } = yield* machine.boot(
          register(Subject, () => Effect.andThen(stepThatCloses("a", gate), Effect.andThen(wait("go"), step("b"))))
        )
        yield* Effect.forkChild(use(start(Subject)))
        yield* machine.runs.reached("a")
        yield* Effect.forkChild(use(tell(Subject, "go")))
        yield* quiet
        yield* gate.open
        assert.strictEqual(yield* use(ended(Subject)), "b")
        assert.deepStrictEqual(yield* machine.runs.log, ["a", "b"])
      })
    )

    gated("the clock fires while its own row is being written", (machine, gate) =>
      Effect.gen(function* () {
        const { use } = yield* machine.boot(
          register(Subject, () => Effect.andThen(stepThatCloses("a", gate), Effect.andThen(sleep, step("b"))))
        )
        yield* Effect.forkChild(use(start(Subject)))
        yield* machine.runs.reached("a")
        yield* quiet
        yield* TestClock.adjust("1 hour")
        yield* quiet
        assert.deepStrictEqual(yield* machine.runs.log, ["a"])
        yield* gate.open
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* use(ended(Subject)), "b")
        assert.deepStrictEqual(yield* machine.runs.log, ["a", "b"])
      })
    )

    gated("an interrupt while the run suspends", (machine, gate) =>
      Effect.gen(function* () {
        const { use } = yield* machine.boot(
          register(Subject, () => Effect.andThen(stepThatCloses("a", gate), Effect.andThen(sleep, step("b"))))
        )
        yield* Effect.forkChild(use(start(Subject)))
        yield* machine.runs.reached("a")
        yield* Effect.forkChild(use(interrupt(Subject)))
        yield* quiet
        yield* gate.open
        assert.strictEqual(yield* use(ended(Subject)), "interrupted")
        yield* TestClock.adjust("2 hours")
        assert.deepStrictEqual(yield* machine.runs.log, ["a"])
      })
    )

    gated("the end of a child while its parent suspends", (machine, gate) =>
      Effect.gen(function* () {
        const { use } = yield* machine.boot(
          Effect.andThen(
            register(Child, () => Effect.andThen(stepThatCloses("c", gate), wait("go"))),
            register(Parent, () => Effect.andThen(Child.execute({ id: "c" }), step("p")))
          )
        )
        yield* Effect.forkChild(use(start(Parent)))
        yield* machine.runs.reached("c")
        yield* Effect.forkChild(use(tell(Child, "go", "go", "c")))
        yield* quiet
        yield* gate.open
        assert.strictEqual(yield* use(ended(Parent)), "p")
        assert.deepStrictEqual(yield* machine.runs.log, ["c", "p"])
      })
    )

    gated("a crash: what was held has not happened, and the rest goes on", (machine, gate) =>
      Effect.gen(function* () {
        const program = (closes: boolean) =>
          register(Subject, () =>
            Effect.gen(function* () {
              yield* step("a")
              yield* closes ? stepThatCloses("b", gate) : step("b")
              return yield* step("c")
            })
          )
        const first = yield* machine.boot(program(true))
        yield* first.use(start(Subject))
        yield* machine.runs.reached("b")
        yield* held(gate)
        yield* quiet
        yield* first.down("crash")
        const second = yield* machine.boot(program(false))
        assert.strictEqual(yield* second.use(ended(Subject)), "c")
        assert.deepStrictEqual(yield* machine.runs.log, ["a", "b", "b", "c"])
      })
    )

    gated("a crash while an interrupt is held, which has not been accepted", (machine, gate) =>
      Effect.gen(function* () {
        const program = register(Subject, () => Effect.andThen(step("a"), wait("go")))
        const first = yield* machine.boot(program)
        yield* first.use(start(Subject))
        yield* first.use(suspended(Subject))
        yield* moment
        yield* gate.close
        const asking = yield* Effect.forkChild(first.use(interrupt(Subject)))
        yield* quiet
        assert.isUndefined(asking.pollUnsafe(), "the interrupt was accepted before it was kept")
        yield* first.down("crash")
        const second = yield* machine.boot(program)
        yield* second.use(tell(Subject, "go"))
        assert.strictEqual(yield* second.use(ended(Subject)), "go")
        assert.deepStrictEqual(yield* machine.runs.log, ["a"])
      })
    )
  })
