import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Child, ended, poll, register, resume, start, step, Subject, suspended, tell, wait } from "./calls.ts"
import { quiet, Runs } from "./runs.ts"
import type { Suite } from "./suite.ts"

const twenty = Array.from({ length: 20 }, (_, index) => `${index}`)
const execute = (id = "1") => Subject.execute({ id })

/** One execution for each id; what is asked about it. */
export const executions = ({ test }: Suite) =>
  describe("executions", () => {
    test(
      "runs once however many execute the same at once, and all get the answer",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, (id) => Effect.map(step("a"), (a) => `${a} of ${id}`))
        const answers = yield* Effect.forEach(twenty, () => execute(), { concurrency: 20 })
        assert.deepStrictEqual([...new Set(answers)], ["a of 1"])
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "lets whoever comes later join an execution that is suspended",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), wait("go")))
        const first = yield* Effect.forkChild(execute())
        yield* suspended(Subject)
        const second = yield* Effect.forkChild(execute())
        yield* quiet
        yield* tell(Subject, "go", "yes")
        assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], ["yes", "yes"])
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "answers from the result once it has ended, without running anything",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => step("a"))
        assert.strictEqual(yield* execute(), "a")
        assert.strictEqual(yield* execute(), "a")
        yield* start(Subject)
        yield* quiet
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "is one run where the run wakes itself before it does anything else",
      Effect.gen(function* () {
        const runs = yield* Runs
        let begun = 0
        yield* register(Subject, () =>
          Effect.suspend(() => {
            begun++
            const itself = Effect.flatMap(WorkflowInstance, ({ executionId }) => Subject.resume(executionId))
            return Effect.andThen(begun === 1 ? itself : Effect.void, step("a"))
          })
        )
        assert.strictEqual(yield* execute(), "a")
        yield* quiet
        assert.deepStrictEqual([begun, yield* runs.counts], [1, { a: 1 }])
      })
    )

    test(
      "keeps executions apart by id and by workflow",
      Effect.gen(function* () {
        yield* register(Subject, (id) => Effect.map(step("a"), (a) => `${a} ${id}`))
        yield* register(Child, (id) => Effect.map(step("a", Effect.succeed("child's")), (a) => `${a} ${id}`))
        assert.deepStrictEqual(
          yield* Effect.all([execute("1"), execute("2"), Child.execute({ id: "1" })], { concurrency: 3 }),
          ["a 1", "a 2", "child's 1"]
        )
      })
    )

    test(
      "runs fifty at once",
      Effect.gen(function* () {
        const ids = Array.from({ length: 50 }, (_, index) => `${index}`)
        yield* register(Subject, (id) =>
          Effect.andThen(step("a"), Effect.andThen(wait("go"), step("b", Effect.succeed(id))))
        )
        const fiber = yield* Effect.forkChild(Effect.forEach(ids, execute, { concurrency: 50 }))
        yield* Effect.forEach(ids, (id) => tell(Subject, "go", "go", id), { concurrency: 10 })
        assert.deepStrictEqual(yield* Fiber.join(fiber), ids)
        assert.deepStrictEqual(yield* (yield* Runs).counts, { a: 50, b: 50 })
      })
    )

    test(
      "discard gives the id at once, and the execution goes on by itself",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), wait("go")))
        assert.strictEqual(yield* start(Subject), yield* Subject.executionId({ id: "1" }))
        yield* runs.reached("a")
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go")
      })
    )

    test(
      "goes on when whoever executes it no longer waits",
      Effect.gen(function* () {
        yield* register(Subject, () => Effect.andThen(step("a"), wait("go")))
        const caller = yield* Effect.forkChild(execute())
        yield* suspended(Subject)
        yield* Fiber.interrupt(caller)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go")
      })
    )

    test(
      "polls nothing of one that is unknown, then that it is suspended, then the result",
      Effect.gen(function* () {
        yield* register(Subject, () => wait("go"))
        assert.deepStrictEqual(yield* poll(Subject), Option.none())
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go")
      })
    )

    test(
      "ends with the workflow's error, keeps it, and does not run again",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), Effect.fail("no")))
        assert.strictEqual(yield* Effect.flip(execute()), "no")
        assert.strictEqual(yield* Effect.flip(execute()), "no")
        assert.strictEqual(yield* ended(Subject), "error no")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "ends with a defect of the workflow, and keeps it",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(step("a"), Effect.die(new Error("a bug"))))
        for (let time = 0; time < 2; time++) {
          const exit = yield* Effect.exit(execute())
          assert(Exit.isFailure(exit))
          assert.isTrue(Cause.hasDies(exit.cause))
          assert.include(Cause.pretty(exit.cause), "a bug")
        }
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "one that is to be suspended when it fails waits until it is resumed, and not for a signal",
      Effect.gen(function* () {
        const runs = yield* Runs
        const Careful = Subject.annotate(Workflow.SuspendOnFailure, true)
        const failsOnce = Effect.flatMap(runs.counts, ({ a }) => (a === 1 ? Effect.fail("no") : Effect.succeed("a")))
        yield* register(Careful, () => Effect.andThen(step("a", failsOnce), wait("go")))
        yield* start(Careful)
        yield* suspended(Careful)
        yield* tell(Careful, "go")
        yield* quiet
        yield* suspended(Careful)
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
        yield* resume(Careful)
        assert.strictEqual(yield* ended(Careful), "go")
        assert.deepStrictEqual(yield* runs.counts, { a: 2 })
      })
    )

    test(
      "a workflow that is not registered is a defect that names it",
      Effect.gen(function* () {
        const exit = yield* Effect.exit(execute())
        assert(Exit.isFailure(exit))
        assert.isTrue(Cause.hasDies(exit.cause))
        assert.include(Cause.pretty(exit.cause), "Subject")
        // And nothing is left of the attempt.
        yield* register(Subject, () => step("a"))
        assert.strictEqual(yield* execute(), "a")
      })
    )
  })
