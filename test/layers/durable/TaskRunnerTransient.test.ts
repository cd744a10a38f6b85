import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as TaskRunnerTransient from "../../../src/layers/durable/TaskRunnerTransient.ts"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { type Message, textOf, textPart } from "../../../src/services/durable/Content.ts"
import { isGap } from "../../../src/services/durable/Cursor.ts"
import { ExecutorError, output, question, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { type Execute, message } from "../../support/runner.ts"

const on = (execute: Execute, options: Partial<TaskRunnerTransient.Options> = {}) =>
  TaskRunnerTransient.layerWith(options).pipe(
    Layer.provide(Layer.succeed(AgentExecutor, { name: "test", execute })),
    Layer.provide(NodeCrypto.layerSecureRandom)
  )

const echo: Execute = ({ text }) => Effect.succeed(new TaskOutput({ text }))
const say = (messageId: string, text: string): Message => ({ messageId, role: "ROLE_USER", parts: [textPart(text)] })

describe("TaskRunnerTransient", () => {
  it.effect("a message is a task once: the same again is the same task, with another content it is refused", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const first = yield* runner.submit(message("m-1"))
      const { taskId } = first.input
      assert.strictEqual((yield* runner.result(taskId)).output?.text, "hello")
      assert.strictEqual((yield* runner.submit(message("m-1"))).input.taskId, taskId)
      assert.strictEqual((yield* Effect.flip(runner.submit(message("m-1", "else"))))._tag, "MessageConflict")
      assert.strictEqual((yield* Effect.flip(runner.get("none")))._tag, "TaskNotFound")
      const again = yield* runner.retry(taskId)
      assert.notStrictEqual(again.input.taskId, taskId)
      assert.strictEqual((yield* Effect.flip(runner.release(taskId)))._tag, "TaskNotHeld")
    }).pipe(Effect.provide(on(echo)))
  )

  it.effect("events come once and in order, from the start and behind a cursor, until the end", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const { input } = yield* runner.submit(message("m-1"))
      const all = yield* Stream.runCollect(runner.events(input.taskId, "start"))
      const numbers = all.map((one) => (isGap(one) ? "gap" : one.sequence))
      assert.deepStrictEqual(
        numbers,
        numbers.map((_, index) => index + 1)
      )
      const last = all.at(-1)
      assert.deepInclude(last, { event: { _tag: "State", state: "completed" } })
      const behind = yield* Stream.runCollect(runner.events(input.taskId, { epoch: runner.epoch, sequence: 2 }))
      assert.deepStrictEqual(behind, all.slice(2))
      assert.deepStrictEqual<unknown>(yield* runner.past(input.taskId), all)
    }).pipe(
      Effect.provide(
        on(
          Effect.fnUntraced(function* () {
            const { emit } = yield* Step
            yield* emit(output("a"))
            yield* emit(output("b"))
            return new TaskOutput({ text: "ab" })
          })
        )
      )
    )
  )

  it.effect("waits for values and answers, for a time, and says who did not come", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const { input } = yield* runner.submit(message("m-1"))
      const { taskId } = input
      assert.strictEqual((yield* runner.settled(taskId)).state, "input-required")
      // Who waits holds no place: another runs meanwhile.
      assert.strictEqual((yield* runner.activity).running, 0)
      yield* runner.receive(taskId, say("m-2", "blue"))
      yield* runner.receive(taskId, say("m-2", "blue"))
      yield* Effect.yieldNow
      assert.strictEqual((yield* Effect.flip(runner.provide(taskId, "word", 1)))._tag, "WaitNotOpen")
      yield* runner.provide(taskId, "word", "please")
      yield* TestClock.adjust("1 minute")
      const { output: answer, state } = yield* runner.result(taskId)
      assert.deepStrictEqual([state, answer?.text], ["completed", "blue please timeout"])
      assert.strictEqual((yield* Effect.flip(runner.receive(taskId, say("m-3", "x"))))._tag, "TaskTakesNoMessage")
    }).pipe(
      Effect.provide(
        on(
          Effect.fnUntraced(function* () {
            const { ask, wait } = yield* Step
            const colour = yield* ask({ name: "colour", parts: question("which?") })
            const word = yield* wait({ name: "word", reason: "w", from: "x", within: 1000, schema: Schema.String })
            const late = yield* Effect.result(
              wait({ name: "late", reason: "w", from: "x", within: 1000, schema: Schema.String })
            )
            const how = late._tag === "Failure" ? late.failure.reason : "came"
            return new TaskOutput({ text: `${textOf(colour.parts)} ${word} ${how}` })
          })
        )
      )
    )
  )

  it.effect("cancel ends what runs and what is queued, once; beyond the limit a message is refused", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const execute: Execute = () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const ids = yield* Effect.forEach(["a", "b"], (id) =>
          Effect.map(runner.submit(message(id)), ({ input }) => input.taskId)
        )
        const [running = "", queued = ""] = ids
        while ((yield* runner.activity).queued === 0) yield* Effect.yieldNow
        assert.deepInclude(yield* runner.activity, { running: 1, queued: 1 })
        assert.strictEqual((yield* Effect.flip(runner.submit(message("c"))))._tag, "TooManyTasks")
        assert.strictEqual((yield* runner.cancel(queued)).state, "canceled")
        assert.strictEqual((yield* runner.cancel(running)).state, "canceled")
        yield* Deferred.await(interrupted)
        assert.strictEqual((yield* Effect.flip(runner.cancel(running)))._tag, "TaskNotCancelable")
        assert.deepInclude(yield* runner.activity, { running: 0, queued: 0 })
        const draining = yield* Effect.forkChild(runner.drain)
        yield* Fiber.join(draining)
        assert.strictEqual((yield* Effect.flip(runner.submit(message("d"))))._tag, "Draining")
      }).pipe(Effect.provide(on(execute, { maxRunning: 1, maxUnfinished: 2 })))
    })
  )

  it.effect("of what has ended the last tasks are kept, and no others", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const ids: Array<string> = []
      for (const id of ["a", "b", "c"]) {
        const { input } = yield* runner.submit(message(id))
        yield* runner.result(input.taskId)
        ids.push(input.taskId)
      }
      const [first = "", ...others] = ids
      assert.strictEqual((yield* Effect.flip(runner.get(first)))._tag, "TaskNotFound")
      const { tasks, total } = yield* runner.list({ limit: 10 })
      assert.strictEqual(total, 2)
      assert.sameMembers(
        tasks.map(({ input }) => input.taskId),
        others
      )
      // Its message is forgotten with it.
      assert.notStrictEqual((yield* runner.submit(message("a"))).input.taskId, first)
    }).pipe(Effect.provide(on(echo, { keepTasks: 2 })))
  )

  it.effect("where none is kept, whoever waits gets the end, and nothing is known afterwards", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const first = yield* runner.submit(message("a"))
      assert.strictEqual(first.state, "completed")
      assert.strictEqual((yield* Effect.flip(runner.get(first.input.taskId)))._tag, "TaskNotFound")
      assert.strictEqual((yield* runner.list({ limit: 10 })).total, 0)
      assert.notStrictEqual((yield* runner.submit(message("a"))).input.taskId, first.input.taskId)
    }).pipe(Effect.provide(on(echo, { keepTasks: 0 })))
  )

  it.effect("a step is tried again if it says so; a failure and a defect end the task, and no other", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const ended = Effect.fnUntraced(function* (text: string) {
        const { input } = yield* runner.submit(message(text, text))
        const waiting = yield* Effect.forkChild(runner.result(input.taskId))
        yield* TestClock.adjust("1 minute")
        return yield* Fiber.join(waiting)
      })
      assert.deepInclude(yield* ended("retry"), { state: "completed" })
      assert.deepInclude(yield* ended("reject"), { state: "rejected" })
      const died = yield* ended("die")
      assert.deepStrictEqual([died.state, died.error?.detail], ["failed", "internal error"])
      const twice = yield* ended("twice")
      assert.match(twice.error?.detail ?? "", /was used before in this task/)
    }).pipe(
      Effect.provide(
        on(({ text }) =>
          Effect.gen(function* () {
            const { step } = yield* Step
            if (text === "reject") return yield* new ExecutorError({ reason: "rejected", detail: "no" })
            if (text === "die") return yield* Effect.die("a bug")
            if (text === "twice") yield* step("s", Schema.Void, Effect.void)
            let runs = 0
            const flaky = Effect.suspend(() =>
              ++runs < 3 ? Effect.fail(new ExecutorError({ reason: "failed", detail: "not yet" })) : Effect.void
            )
            yield* step("s", Schema.Void, flaky, { retry: { times: 3, delay: 10 } })
            return new TaskOutput({ text: String(runs) })
          })
        )
      )
    )
  )
})
