import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as AgentTaskWorkflow from "../../../src/layers/durable/agentTaskWorkflow.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { ExecutorError, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { temporaryFile } from "../../support/journal.ts"
import { boot, type Execute, makeCounter, result, submit, until, waitOpen } from "../../support/runner.ts"

const inFile = <A, E>(use: (filename: string) => Effect.Effect<A, E>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
const answer = (text: string) => new TaskOutput({ text })
const segmentOf = (taskId: string) =>
  Effect.flatMap(TaskStore, (store) => Effect.map(store.standing(taskId), ({ segment }) => segment))

describe("steps of a task", () => {
  it.live(
    "a step that died is not run again when the executor went on, neither in the next segment nor after a restart",
    () =>
      inFile((filename) =>
        Effect.gen(function* () {
          const { count, runs } = yield* makeCounter
          const execute: Execute = Effect.fnUntraced(function* () {
            const { step, wait } = yield* Step
            const one = (name: string, effect: Effect.Effect<string, ExecutorError>) =>
              Effect.exit(step(name, Schema.String, Effect.andThen(count, effect)))
            const bad = yield* one("bad", Effect.die(new Error("a bug")))
            for (const name of ["b", "c", "d", "e"]) yield* one(name, Effect.succeed(name))
            yield* wait({ name: "go", reason: "a word", from: "test", within: 60_000, schema: Schema.Null })
            return answer(Exit.isFailure(bad) && Cause.hasDies(bad.cause) ? "it died" : "it did not")
          })
          const options = { maxSteps: 2 }
          const taskId = yield* boot(
            filename,
            { execute },
            Effect.tap(submit("m-1"), () => waitOpen("go")),
            options
          )
          const last = yield* boot(
            filename,
            { execute },
            Effect.gen(function* () {
              const runner = yield* TaskRunner
              yield* until(Effect.exit(runner.provide(taskId, "go", null)), Exit.isSuccess)
              assert.strictEqual(yield* segmentOf(taskId), 2)
              return yield* result(taskId)
            }),
            options
          )
          assert.strictEqual(last.output?.text, "it died")
          assert.deepStrictEqual(
            (yield* runs).map((run) => run.split(" ")[0]),
            ["bad", "b", "c", "d", "e"]
          )
        })
      )
  )

  it.live("a branch that waits keeps no other from going on: the task is cut, and the wait goes on with it", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { count, runs } = yield* makeCounter
        const execute: Execute = Effect.fnUntraced(function* () {
          const { sleep, step, wait } = yield* Step
          const waiting = wait({ name: "word", reason: "a word", from: "test", within: 60_000, schema: Schema.String })
          const working = Effect.forEach(Array.from({ length: 11 }), (_, index) =>
            step(`s-${index}`, Schema.Int, Effect.as(count, index))
          )
          const [word, done] = yield* Effect.all([waiting, working, sleep("nap", 150)], { concurrency: 3 })
          return answer(`${word} ${done.length}`)
        })
        yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            const runner = yield* TaskRunner
            const taskId = yield* submit("m-1")
            yield* until(runs, (all) => all.length === 11)
            yield* until(segmentOf(taskId), (segment) => segment >= 2)
            yield* until(Effect.exit(runner.provide(taskId, "word", "hello")), Exit.isSuccess)
            assert.strictEqual((yield* result(taskId)).output?.text, "hello 11")
          }),
          { maxSteps: 4 }
        )
        assert.strictEqual(new Set(yield* runs).size, 11)
        assert.strictEqual((yield* runs).length, 11)
      })
    )
  )

  it.live("names that run into each other, or into the engine's, are refused with the remedy", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const execute: Execute = Effect.fnUntraced(function* () {
          const { ask, step, sleep, wait } = yield* Step
          const named = (name: string) => step(name, Schema.Null, Effect.succeed(null))
          yield* named("fine")
          const calls: ReadonlyArray<Effect.Effect<unknown, ExecutorError>> = [
            named("fine"),
            named(""),
            named("a~2"),
            named("~snapshot/x"),
            named("wait/go"),
            named("x".repeat(201)),
            named("a\u0000b"),
            named("a\ud800"),
            sleep("fine", 1).pipe(Effect.andThen(sleep("fine", 1))),
            sleep("retry/fine/1", 1),
            wait({ name: "outcome/fine", reason: "", from: "", within: 1, schema: Schema.Null }),
            wait({ name: "ask/colour", reason: "", from: "", within: 1, schema: Schema.Null }),
            ask({ name: "", parts: [{ text: "?" }] })
          ]
          const said = yield* Effect.forEach(calls, (call) =>
            Effect.match(call, { onFailure: ({ detail }) => detail.slice(-30), onSuccess: () => "went through" })
          )
          return answer(said.join("\n"))
        })
        const done = yield* boot(filename, { execute }, Effect.flatMap(submit("m-1"), result))
        assert.strictEqual(done.state, "completed")
        assert.strictEqual(done.output?.text.split("\n").length, 13)
        assert.match(done.output?.text ?? "", /used before in this task/)
        assert.notMatch(done.output?.text ?? "", /went through/)
      })
    )
  )

  it.live("a try of a step whose former try failed is known, however often that was run", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { count, runs } = yield* makeCounter
        const attempts = yield* Ref.make(0)
        // The first run hangs until the process is gone; the second fails; the third is made after a restart.
        const paying = (unknown: "repeat" | "fail"): Execute =>
          Effect.fnUntraced(function* () {
            const { step } = yield* Step
            const pay = Effect.gen(function* () {
              yield* count
              const number = yield* Ref.updateAndGet(attempts, (before) => before + 1)
              if (number === 1) return yield* Effect.never
              if (number === 2) return yield* new ExecutorError({ reason: "unavailable", detail: "busy" })
              return "paid"
            })
            return answer(
              yield* step("pay", Schema.String, pay, {
                effect: { unknown },
                retry: { times: 1, delay: 300 }
              })
            )
          })
        const taskId = yield* boot(
          filename,
          { execute: paying("repeat") },
          Effect.tap(submit("m-1"), () => until(runs, (all) => all.length === 1))
        )
        yield* boot(
          filename,
          { execute: paying("repeat") },
          until(runs, (all) => all.length === 2).pipe(Effect.andThen(waitOpen("retry/pay/1")))
        )
        // An outcome that is taken for unknown would now fail the task.
        const done = yield* boot(filename, { execute: paying("fail") }, result(taskId))
        assert.strictEqual(done.output?.text, "paid")
        assert.deepStrictEqual((yield* runs).length, 3)
      })
    )
  )

  it.live("what an executor answers is looked at: text is taken, all else fails its task and no other", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        // As a file that nobody has type-checked would.
        const execute: Execute = ({ text }) => {
          const said: Record<string, unknown> = { plain: { text: "plain" }, nothing: null, number: 7, odd: { text: 5 } }
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no types have seen
          const found: never = (text === "good" ? answer("good") : said[text]) as never
          return Effect.succeed(found)
        }
        yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            for (const [text, state] of [
              ["plain", "completed"],
              ["nothing", "failed"],
              ["number", "failed"],
              ["odd", "failed"],
              ["good", "completed"]
            ] as const) {
              const task = yield* Effect.flatMap(submit(`m-${text}`, text), result)
              assert.strictEqual(task.state, state, text)
              if (state === "failed") assert.match(task.error?.detail ?? "", /in place of a TaskOutput/)
            }
          })
        )
      })
    )
  )

  it.live("tasks of two codes and of two versions of the workflow end side by side, each by its own", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const waiting = (name: string): Execute =>
          Effect.fnUntraced(function* () {
            const { wait } = yield* Step
            yield* wait({ name: "go", reason: "a word", from: "test", within: 60_000, schema: Schema.Null })
            return answer(name)
          })
        const one = yield* boot(
          filename,
          { execute: waiting("a"), code: "a" },
          Effect.tap(submit("m-1"), () => waitOpen("go"))
        )
        const newBody: AgentTaskWorkflow.Body = (run) =>
          AgentTaskWorkflow.run(run).pipe(Effect.tap(() => Effect.logDebug("by version 2")))
        const bodies = new Map([
          [1, AgentTaskWorkflow.run],
          [2, newBody]
        ])
        const next = { execute: waiting("b"), code: "b" }
        // Without the old code the old task is held, and releasing it says why it cannot go on.
        yield* boot(
          filename,
          next,
          Effect.gen(function* () {
            const runner = yield* TaskRunner
            const error = yield* Effect.flip(runner.release(one))
            assert.strictEqual(error._tag, "TaskCodeMissing")
            assert.match(error.message, /version 1 with code a.*has version 2 with code b/)
          }),
          { version: 2, bodies: new Map([[2, newBody]]) }
        )
        yield* boot(
          filename,
          { ...next, previous: { a: waiting("a") } },
          Effect.gen(function* () {
            const runner = yield* TaskRunner
            const store = yield* TaskStore
            const two = yield* submit("m-2")
            yield* until(store.waits, (waits) => waits.length === 2)
            for (const taskId of [two, one])
              yield* until(Effect.exit(runner.provide(taskId, "go", null)), Exit.isSuccess)
            assert.strictEqual((yield* result(one)).output?.text, "a")
            assert.strictEqual((yield* result(two)).output?.text, "b")
            assert.strictEqual((yield* store.standing(one)).version, 1)
            assert.strictEqual((yield* store.standing(two)).version, 2)
          }),
          { version: 2, bodies }
        )
      })
    )
  )
})
