/**
 * Tasks on the journal, over restarts: closing the runner and opening it on the same file.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { type TaskInput, TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { CurrentStep, ExecutorError, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { temporaryFile } from "../../support/journal.ts"
import { boot, type Execute, makeCounter, result, submit, until, waitOpen, workspaceId } from "../../support/runner.ts"

describe("TaskRunnerWorkflow on the journal", () => {
  it.live("goes on behind the last completed step, and runs none twice", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const { count, runs } = yield* makeCounter
      const crash = yield* Ref.make(true)
      const execute: Execute = Effect.fnUntraced(function* () {
        const { step } = yield* Step
        const a = yield* step("a", Schema.String, Effect.as(count, "a"))
        const b = yield* step(
          "b",
          Schema.String,
          Effect.andThen(
            count,
            Effect.flatMap(Ref.get(crash), (now) => (now ? Effect.never : Effect.succeed("b")))
          )
        )
        const c = yield* step("c", Schema.String, Effect.as(count, "c"))
        return new TaskOutput({ text: a + b + c })
      })
      const taskId = yield* boot(
        file,
        { execute },
        Effect.tap(submit("m"), () => until(runs, (list) => list.length === 2))
      )
      yield* Ref.set(crash, false)
      const ended = yield* boot(file, { execute }, result(taskId))
      assert.strictEqual(ended.output?.text, "abc")
      assert.deepStrictEqual(yield* runs, ["a 1 a", "b 1 b", "b 2 b", "c 1 c"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("waits for a value over a restart, holds no place meanwhile, and refuses one that does not fit", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const { count, runs } = yield* makeCounter
      const execute: Execute = Effect.fnUntraced(function* (task: TaskInput) {
        if (task.text !== "wait") return new TaskOutput({ text: "quick" })
        const { step, wait } = yield* Step
        yield* step("before", Schema.Void, count)
        const value = yield* wait({
          name: "approval",
          reason: "the approval",
          from: "person",
          within: 600_000,
          schema: Schema.Struct({ yes: Schema.Boolean })
        })
        return new TaskOutput({ text: `approved: ${value.yes}` })
      })
      const one = { maxRunning: 1 }
      const taskId = yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const waiting = yield* submit("m-1", "wait")
          yield* waitOpen("approval")
          const other = yield* result(yield* submit("m-2"))
          assert.strictEqual(other.output?.text, "quick")
          return waiting
        }),
        one
      )
      const ended = yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const runner = yield* TaskRunner
          const refused = yield* until(Effect.flip(runner.provide(taskId, "approval", { yes: "maybe" })), (error) =>
            error.message.includes("does not fit")
          )
          assert.strictEqual(refused._tag, "WaitNotOpen")
          assert.strictEqual((yield* Effect.flip(runner.provide(taskId, "other", {})))._tag, "WaitNotOpen")
          assert.strictEqual((yield* runner.health).oldestDue, 0)
          yield* runner.provide(taskId, "approval", { yes: true })
          const task = yield* runner.result(taskId)
          const store = yield* TaskStore
          assert.deepStrictEqual(yield* store.waits, [])
          return task
        }),
        one
      )
      assert.strictEqual(ended.output?.text, "approved: true")
      assert.deepStrictEqual(yield* runs, ["before 1 before"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a wait that nobody keeps is asked for again and then ends in an error that says so", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const execute: Execute = Effect.fnUntraced(function* () {
        const { wait } = yield* Step
        yield* wait({ name: "answer", reason: "the answer", from: "child-7", within: 100, schema: Schema.String })
        return new TaskOutput({ text: "never" })
      })
      const ended = yield* boot(file, { execute }, Effect.flatMap(submit("m"), result))
      assert.strictEqual(ended.state, "failed")
      assert.strictEqual(ended.error?.reason, "timeout")
      assert.match(ended.error?.detail ?? "", /the answer from child-7, asked again/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("sleeps to its deadline over a restart, and retries a step with pauses", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const { count, runs } = yield* makeCounter
      const execute: Execute = Effect.fnUntraced(function* () {
        const { sleep, step } = yield* Step
        yield* sleep("pause", 300)
        yield* step(
          "flaky",
          Schema.Void,
          Effect.gen(function* () {
            yield* count
            const { attempt } = yield* CurrentStep
            if (attempt < 3) return yield* new ExecutorError({ reason: "unavailable", detail: "not yet" })
          }),
          { retry: { times: 3, delay: 20 }, effect: { unknown: "fail" } }
        )
        return new TaskOutput({ text: "done" })
      })
      const taskId = yield* boot(
        file,
        { execute },
        Effect.tap(submit("m"), () => waitOpen("pause"))
      )
      const ended = yield* boot(file, { execute }, result(taskId))
      assert.strictEqual(ended.output?.text, "done")
      assert.deepStrictEqual(yield* runs, ["flaky 1 flaky", "flaky 2 flaky", "flaky 3 flaky"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("goes on in a new execution after so many steps, and no step runs twice", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const { count, runs } = yield* makeCounter
      const execute: Execute = Effect.fnUntraced(function* () {
        const { step } = yield* Step
        let sum = 0
        for (let index = 0; index < 23; index++) {
          const both = yield* Effect.all(
            [
              step(`x-${index}`, Schema.Int, Effect.as(count, index)),
              step(`y-${index}`, Schema.Int, Effect.as(count, index))
            ],
            { concurrency: 2 }
          )
          sum += both[0] + both[1]
        }
        return new TaskOutput({ text: `${sum}` })
      })
      const ended = yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const taskId = yield* submit("m")
          const task = yield* result(taskId)
          const store = yield* TaskStore
          assert.strictEqual((yield* store.standing(taskId)).segment, 4)
          const checkpoint = yield* Checkpoint
          const saved = yield* checkpoint.list(workspaceId, `${taskId}/llm_call`)
          assert.strictEqual(saved.length, 46)
          assert.strictEqual(new Set(saved.map(({ stepIndex }) => stepIndex)).size, 46)
          return task
        }),
        { maxSteps: 10 }
      )
      assert.strictEqual(ended.output?.text, `${22 * 23}`)
      const list = yield* runs
      assert.strictEqual(list.length, 46)
      assert.strictEqual(new Set(list).size, 46)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("an outcome that is not known is checked, or decided by the declared policy", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const { count, runs } = yield* makeCounter
      const crash = yield* Ref.make(true)
      const hang = Effect.andThen(
        count,
        Effect.flatMap(Ref.get(crash), (now) => (now ? Effect.never : Effect.succeed("ran")))
      )
      const execute: Execute = Effect.fnUntraced(function* (task: TaskInput) {
        const { step } = yield* Step
        const effect =
          task.text === "check"
            ? { unknown: "fail" as const, check: (id: string) => Effect.succeedSome(`checked ${id.split("/")[1]}`) }
            : {
                unknown:
                  task.text === "fail"
                    ? ("fail" as const)
                    : task.text === "ask"
                      ? ("ask" as const)
                      : ("repeat" as const)
              }
        return new TaskOutput({ text: yield* step("pay", Schema.String, hang, { effect }) })
      })
      const texts = ["check", "fail", "repeat", "ask"]
      const ids = yield* boot(
        file,
        { execute },
        Effect.forEach(texts, (text) => submit(text, text)).pipe(
          Effect.tap(() => until(runs, (list) => list.length === 4))
        )
      )
      yield* Ref.set(crash, false)
      yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const runner = yield* TaskRunner
          const [check = "", fail = "", repeat = "", ask = ""] = ids
          assert.strictEqual((yield* runner.result(check)).output?.text, "checked pay")
          const failed = yield* runner.result(fail)
          assert.match(failed.error?.detail ?? "", /outcome of step pay is not known/)
          assert.strictEqual((yield* runner.result(repeat)).output?.text, "ran")
          yield* waitOpen("outcome/pay")
          yield* runner.provide(ask, "outcome/pay", "repeat")
          assert.strictEqual((yield* runner.result(ask)).output?.text, "ran")
        })
      )
      assert.deepStrictEqual((yield* runs).slice(4), ["pay 2 pay", "pay 2 pay"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("holds a task whose code is gone, goes on when it is back, and notices code that asks for other steps", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const crash = yield* Ref.make(true)
      const steps =
        (...names: ReadonlyArray<string>): Execute =>
        () =>
          Effect.gen(function* () {
            const { step } = yield* Step
            for (const name of names) {
              const stops = name === "last" && (yield* Ref.get(crash))
              yield* step(name, Schema.String, stops ? Effect.never : Effect.succeed(name))
            }
            return new TaskOutput({ text: names.join(" ") })
          })
      const begun = (taskId: string, name: string) =>
        until(
          Effect.flatMap(TaskStore, (store) => store.begun(taskId, name)),
          (count) => count > 0
        )
      const taskId = yield* boot(
        file,
        { execute: steps("one", "two", "last"), code: "v1" },
        Effect.tap(submit("m"), (id) => begun(id, "last"))
      )
      yield* Ref.set(crash, false)
      const health = Effect.flatMap(TaskRunner, (runner) => runner.health)
      const gone = yield* boot(file, { execute: steps("other"), code: "v2" }, health)
      assert.deepStrictEqual(
        gone.held.map(({ reason }) => reason),
        ["code"]
      )
      assert.match(gone.held[0]?.detail ?? "", /code v1, last completed step two.*code v2/)
      // Shipped under the old name, but not the old code.
      const diverged = yield* boot(
        file,
        { execute: steps("new"), code: "v2", previous: { v1: steps("one", "changed", "last") } },
        until(health, ({ held }) => held.some(({ detail }) => detail.includes("asks for changed")))
      )
      assert.match(diverged.held[0]?.detail ?? "", /next step is two/)
      const ended = yield* boot(
        file,
        { execute: steps("new"), code: "v2", previous: { v1: steps("one", "two", "last") } },
        result(taskId)
      )
      assert.strictEqual(ended.output?.text, "one two last")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("quarantines the one task that brings the process down, and none of the others", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const poison = yield* Ref.make<string | undefined>(undefined)
      const execute: Execute = Effect.fnUntraced(function* (task: TaskInput) {
        const { step } = yield* Step
        if (task.text === "poison") {
          yield* Ref.set(poison, task.taskId)
          return yield* Effect.never
        }
        yield* step("work", Schema.Void, Effect.sleep(30))
        return new TaskOutput({ text: "fine" })
      })
      // The process "dies" as soon as the poison runs.
      const dead = until(Ref.get(poison), (id) => id !== undefined)
      const ids = yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const bad = yield* submit("m-0", "poison")
          const good = yield* Effect.forEach(["m-1", "m-2"], (id) => submit(id))
          yield* dead
          return { bad, good }
        }),
        { maxRunning: 1 }
      )
      for (let round = 0; round < 3; round++) {
        yield* Ref.set(poison, undefined)
        yield* boot(file, { execute }, dead, { maxRunning: 1 })
      }
      yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const runner = yield* TaskRunner
          for (const id of ids.good) assert.strictEqual((yield* runner.result(id)).output?.text, "fine")
          const { held } = yield* runner.health
          assert.deepStrictEqual(
            held.map(({ reason, taskId }) => [taskId, reason]),
            [[ids.bad, "crashes"]]
          )
          yield* runner.cancel(ids.bad)
          assert.deepStrictEqual((yield* runner.health).held, [])
        }),
        { maxRunning: 1 }
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("the message of a finished task is known again after a restart", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const { count, runs } = yield* makeCounter
      const execute: Execute = () => Effect.as(count, new TaskOutput({ text: "once" }))
      const first = yield* boot(file, { execute }, Effect.flatMap(submit("m"), result))
      const again = yield* boot(file, { execute }, Effect.flatMap(submit("m"), result))
      assert.deepStrictEqual(again, first)
      assert.strictEqual((yield* runs).length, 1)
      const retried = yield* boot(
        file,
        { execute },
        Effect.gen(function* () {
          const runner = yield* TaskRunner
          const task = yield* runner.retry(first.input.taskId)
          return yield* runner.result(task.input.taskId)
        })
      )
      assert.notStrictEqual(retried.input.taskId, first.input.taskId)
      assert.strictEqual((yield* runs).length, 2)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
