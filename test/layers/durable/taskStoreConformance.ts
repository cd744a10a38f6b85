import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { ExecutorError } from "../../../src/services/durable/Step.ts"
import { isTerminal, TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { eventConformance } from "./taskEventConformance.ts"
import { changeTo, eventOf, interleaved, message, submitted, told } from "./taskStoreCalls.ts"
import { checkOperations, Operation } from "./taskStoreModel.ts"

/** What every task store does. Each test is given a store of its own. */
export const taskStoreConformance = <E>(name: string, layer: Layer.Layer<TaskStore, E>) =>
  describe(name, () => {
    describe("submit", () => {
      it.effect("records a message as a new task", () =>
        Effect.gen(function* () {
          const store = yield* TaskStore
          yield* TestClock.setTime(1_700_000_000_123)
          const { created, task } = yield* store.submit(message(), 10)
          assert.isTrue(created)
          assert.match(task.input.taskId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
          assert.deepStrictEqual(task.input, { ...message(), taskId: task.input.taskId })
          assert.strictEqual(task.state, "submitted")
          assert.strictEqual(DateTime.toEpochMillis(task.createdAt), 1_700_000_000_123)
          assert.strictEqual(DateTime.toEpochMillis(task.updatedAt), 1_700_000_000_123)
          assert.isFalse("output" in task)
          assert.isFalse("error" in task)
          assert.deepStrictEqual(yield* store.get(task.input.taskId), Option.some(task))
          assert.deepStrictEqual(yield* store.events(task.input.taskId, 0), [])
        }).pipe(Effect.provide(layer))
      )

      it.effect("answers the same message with the same task, as it then stands, and whatever the limit", () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          yield* store.setState(taskId, changeTo("completed"))
          const again = yield* store.submit(message(), 0)
          assert.isFalse(again.created)
          assert.strictEqual(again.task.input.taskId, taskId)
          assert.strictEqual(again.task.state, "completed")
          assert.strictEqual(again.task.output?.text, "done")
        }).pipe(Effect.provide(layer))
      )

      it.effect("refuses the same message with another text", () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          const error = yield* Effect.flip(store.submit(message({ text: "hello " }), 10))
          assert(error._tag === "MessageConflict")
          assert.strictEqual(error.messageId, "m-1")
          assert.strictEqual(error.taskId, taskId)
        }).pipe(Effect.provide(layer))
      )

      it.effect("tells messages apart by caller, context and id", () =>
        Effect.gen(function* () {
          const store = yield* TaskStore
          const inputs = [
            message(),
            message({ caller: "other" }),
            message({ contextId: "" }),
            message({ messageId: "m-2" }),
            message({ caller: `admin","c-1`, contextId: "" }),
            message({ caller: "admin\0c-1", contextId: "" }),
            message({ caller: "\ud800" }),
            message({ caller: "\ud801" })
          ]
          const answers = yield* Effect.forEach(inputs, (input) => store.submit(input, 100))
          assert.strictEqual(new Set(answers.map(({ task }) => task.input.taskId)).size, inputs.length)
          for (const [index, input] of inputs.entries()) {
            const { created, task } = yield* store.submit(input, 100)
            assert.isFalse(created)
            assert.deepStrictEqual(task, answers[index]?.task)
          }
        }).pipe(Effect.provide(layer))
      )

      it.effect("makes one task of the same message sent twenty times at once", () =>
        Effect.gen(function* () {
          const store = yield* TaskStore
          const answers = yield* Effect.forEach(Array.from({ length: 20 }), () => store.submit(message(), 5), {
            concurrency: 20
          })
          assert.strictEqual(new Set(answers.map(({ task }) => task.input.taskId)).size, 1)
          assert.strictEqual(answers.filter(({ created }) => created).length, 1)
          assert.strictEqual((yield* store.unfinished).length, 1)
        }).pipe(interleaved, Effect.provide(layer))
      )

      it.effect("holds the limit of unfinished tasks, also against many at once", () =>
        Effect.gen(function* () {
          const store = yield* TaskStore
          const answers = yield* Effect.forEach(
            Array.from({ length: 12 }, (_, index) => message({ messageId: `m-${index}` })),
            (input) => Effect.result(store.submit(input, 5)),
            { concurrency: 12 }
          )
          const refused = answers.flatMap((answer) => (answer._tag === "Failure" ? [answer.failure] : []))
          assert.strictEqual(refused.length, 7)
          for (const error of refused) {
            assert(error._tag === "TooManyTasks")
            assert.strictEqual(error.limit, 5)
            assert.isAbove(error.retryAfter, 0)
          }
          const [first] = yield* store.unfinished
          yield* store.setState(first?.input.taskId ?? "", changeTo("canceled"))
          const next = yield* store.submit(message({ messageId: "next" }), 5)
          assert.isTrue(next.created)
        }).pipe(interleaved, Effect.provide(layer))
      )

      it.effect.prop(
        "keeps every text as it is",
        { text: Schema.String, contextId: Schema.String },
        ({ contextId, text }) =>
          Effect.gen(function* () {
            const store = yield* TaskStore
            const weird = `${text}\0\ud800${text}\u2028`
            const { task } = yield* store.submit(message({ text: weird, contextId }), 10)
            const read = yield* store.get(task.input.taskId)
            assert.strictEqual(Option.getOrThrow(read).input.text, weird)
            assert.strictEqual(Option.getOrThrow(read).input.contextId, contextId)
          }).pipe(Effect.provide(layer)),
        { arbitrary: { runs: 20 } }
      )
    })

    describe("begin", () => {
      it.effect("counts the runs of each step of each task", () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          const other = yield* submitted("m-2")
          assert.strictEqual(yield* store.begin(taskId, "a"), 1)
          assert.strictEqual(yield* store.begin(taskId, "a"), 2)
          assert.strictEqual(yield* store.begin(taskId, "b"), 1)
          assert.strictEqual(yield* store.begin(other.taskId, "a"), 1)
          const at = yield* Effect.forEach(Array.from({ length: 10 }), () => store.begin(taskId, "a"), {
            concurrency: 10
          })
          assert.deepStrictEqual(
            at.toSorted((x, y) => x - y),
            [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
          )
        }).pipe(interleaved, Effect.provide(layer))
      )
    })

    eventConformance(layer)

    it.effect("tells who does not wait when what he wrote can be read, in order, once, and of no repeat", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        const heard: Array<string> = []
        const hear = (what: string) => () => void heard.push(what)
        yield* store.setState(taskId, { state: "working" }, hear("working"))
        yield* store.append(eventOf(taskId, "", 1, 1, "one"), hear("one"))
        const repeat = yield* store.append(eventOf(taskId, "", 1, 1, "one"), hear("a repeat"))
        assert.deepStrictEqual(repeat, Option.none())
        yield* store.setState(taskId, { state: "submitted" }, hear("a step back"))
        yield* store.append(eventOf(taskId, "", 1, 2, "two"), hear("two"))
        // Without anybody who waits for it.
        while (heard.length < 3) yield* Effect.yieldNow
        assert.deepStrictEqual(heard, ["working", "one", "two"])
        assert.deepStrictEqual(
          (yield* store.events(taskId, 0)).map(({ sequence }) => sequence),
          [1, 2, 3]
        )
        yield* store.append(eventOf(taskId, "", 1, 3, "three"), () => heard.push("three"))
        yield* store.append(eventOf(taskId, "", 1, 4, "four"))
        // Who waits goes on after all who were before him have been told.
        assert.strictEqual(heard.at(-1), "three")
        assert.strictEqual(heard.length, 4)
      }).pipe(Effect.provide(layer))
    )

    describe("setState", () => {
      it.effect("moves a task forward and says so in an event of its own", () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          yield* store.append(eventOf(taskId, "", 1, 1, "outside of a step"))
          yield* TestClock.adjust("1 second")
          const working = yield* store.setState(taskId, { state: "working" })
          assert.strictEqual(working.task.state, "working")
          assert.strictEqual(DateTime.toEpochMillis(working.task.updatedAt), 1000)
          assert.strictEqual(DateTime.toEpochMillis(working.task.createdAt), 0)
          yield* store.append(eventOf(taskId, "", 1, 2, "and again"))
          const done = yield* store.setState(taskId, { state: "completed", output: new TaskOutput({ text: "done\0" }) })
          assert.strictEqual(done.task.output?.text, "done\0")
          assert.deepStrictEqual(yield* store.get(taskId), Option.some(done.task))
          const events = yield* store.events(taskId, 0)
          assert.deepStrictEqual(told(events), [
            [1, "outside of a step"],
            [2, "working"],
            [3, "and again"],
            [4, "completed"]
          ])
          assert.deepStrictEqual(done.event, Option.some(events[3]))
          assert.deepStrictEqual(
            events.map(({ at }) => DateTime.toEpochMillis(at)),
            [0, 1000, 1000, 1000]
          )
          assert.isTrue(events.every(({ attempt, step }) => step === "" && attempt === 1))
          assert.strictEqual(new Set(events.map(({ number }) => number)).size, 4)
        }).pipe(Effect.provide(layer))
      )

      it.effect("keeps why a task failed, every field of it", () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          const fields = { reason: "failed", detail: "d", remedy: "r", exitCode: 3, stderr: "s" } as const
          const error = new ExecutorError(fields)
          const fieldsOf = Schema.encodeEffect(Schema.UndefinedOr(ExecutorError))
          const { task } = yield* store.setState(taskId, { state: "failed", error })
          assert.deepStrictEqual(yield* fieldsOf(task.error), { _tag: "ExecutorError", ...fields })
          const read = Option.getOrThrow(yield* store.get(taskId))
          assert.deepStrictEqual(yield* fieldsOf(read.error), { _tag: "ExecutorError", ...fields })
          assert.isFalse("output" in read)
        }).pipe(Effect.provide(layer))
      )

      const states = ["submitted", "working", "completed", "failed", "canceled"] as const
      for (const end of states.filter(isTerminal)) {
        it.effect(`never leaves ${end}, and never goes back`, () =>
          Effect.gen(function* () {
            const { store, taskId } = yield* submitted()
            yield* store.setState(taskId, changeTo("working"))
            assert.deepStrictEqual((yield* store.setState(taskId, changeTo("submitted"))).event, Option.none())
            assert.deepStrictEqual((yield* store.setState(taskId, changeTo("working"))).event, Option.none())
            const ended = yield* store.setState(taskId, changeTo(end))
            yield* TestClock.adjust("1 second")
            for (const state of states) {
              const after = yield* store.setState(taskId, changeTo(state))
              assert.deepStrictEqual(after.task, ended.task)
              assert.deepStrictEqual(after.event, Option.none())
            }
            assert.deepStrictEqual(told(yield* store.events(taskId, 0)), [
              [1, "working"],
              [2, end]
            ])
          }).pipe(Effect.provide(layer))
        )
      }

      it.effect("lets one of two ends win", () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          const answers = yield* Effect.forEach(
            [changeTo("completed"), changeTo("canceled"), changeTo("failed"), changeTo("completed")],
            (change) => store.setState(taskId, change),
            { concurrency: 4 }
          )
          assert.strictEqual(answers.filter(({ event }) => Option.isSome(event)).length, 1)
          assert.strictEqual(new Set(answers.map(({ task }) => task.state)).size, 1)
          assert.strictEqual((yield* store.events(taskId, 0)).length, 1)
        }).pipe(interleaved, Effect.provide(layer))
      )
    })

    it.effect("holds what is unfinished, oldest first", () =>
      Effect.gen(function* () {
        const store = yield* TaskStore
        const ids = yield* Effect.forEach(["m-9", "m-1", "m-5", "m-3"], (id) =>
          Effect.map(submitted(id), (made) => made.taskId)
        )
        yield* store.setState(ids[0] ?? "", changeTo("working"))
        yield* store.setState(ids[2] ?? "", changeTo("failed"))
        const unfinished = yield* store.unfinished
        assert.deepStrictEqual(
          unfinished.map(({ input }) => input.messageId),
          ["m-9", "m-1", "m-3"]
        )
      }).pipe(Effect.provide(layer))
    )

    it.effect("tells what is due, and who waits for nothing or is held", () =>
      Effect.gen(function* () {
        const store = yield* TaskStore
        const named = (messageId: string) =>
          Effect.map(store.submit(message({ messageId }), 100), ({ task }) => task.input.taskId)
        const [idle, soon, late, held, ended] = yield* Effect.all([
          named("idle"),
          named("soon"),
          named("late"),
          named("held"),
          named("ended")
        ])
        const wait = { _tag: "WaitBegan", wait: "go", kind: "signal", reason: "a word", from: "test" } as const
        yield* store.note(soon, { ...wait, deadline: 1_000 })
        yield* store.note(late, { ...wait, deadline: 9_000 })
        yield* store.note(held, { ...wait, deadline: 2_000 })
        yield* store.note(ended, { ...wait, deadline: 500 })
        yield* store.note(held, { _tag: "TaskHeld", reason: "code", detail: "gone" })
        yield* store.setState(ended, changeTo("completed"))
        const due = (before: number) => Effect.map(store.due(before), (waits) => waits.map(({ taskId }) => taskId))
        assert.deepStrictEqual(yield* due(1_000), [])
        assert.deepStrictEqual(yield* due(1_001), [soon])
        assert.deepStrictEqual(yield* due(9_001), [soon, held, late])
        assert.deepStrictEqual(yield* store.withoutWait, [
          { taskId: idle, held: undefined },
          { taskId: held, held: { reason: "code", detail: "gone" } }
        ])
        yield* store.note(soon, { _tag: "WaitEnded", wait: "go", how: "provided" })
        assert.deepStrictEqual(
          (yield* store.withoutWait).map(({ taskId }) => taskId),
          [idle, soon, held]
        )
      }).pipe(Effect.provide(layer))
    )

    it.effect("does not know a task that was never submitted", () =>
      Effect.gen(function* () {
        const store = yield* TaskStore
        assert.deepStrictEqual(yield* store.get("nobody"), Option.none())
        for (const operation of [
          Effect.asVoid(store.begin("nobody", "a")),
          Effect.asVoid(store.append(eventOf("nobody", "a", 1, 1, "x"))),
          Effect.asVoid(store.setState("nobody", changeTo("working")))
        ]) {
          const error = yield* Effect.flip(operation)
          assert.strictEqual(error._tag, "TaskStoreError")
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect.prop(
      "does what the model does",
      { operations: Schema.Array(Operation).check(Schema.isMaxLength(60)) },
      ({ operations }) => Effect.provide(checkOperations(operations), layer),
      { arbitrary: { runs: 60 } }
    )
  })
