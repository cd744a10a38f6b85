/**
 * What executors may do that nobody planned for: names, results, answers and waits at the edges.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { output, progress, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { temporaryFile } from "../../support/journal.ts"
import { boot, type Execute, makeCounter, result, submit, until } from "../../support/runner.ts"

const inFile = <A, E>(use: (filename: string) => Effect.Effect<A, E>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
const answer = (text: string) => new TaskOutput({ text })
const word = { reason: "a word", from: "test", within: 60_000, schema: Schema.String }
const given = (taskId: string, wait: string, value: string) =>
  Effect.flatMap(TaskRunner, (runner) => until(Effect.exit(runner.provide(taskId, wait, value)), Exit.isSuccess))

describe("tasks at the edges", () => {
  it.live("a step is not interrupted, nor run twice, because another branch's wait ends meanwhile", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { count, runs } = yield* makeCounter
        const execute: Execute = Effect.fnUntraced(function* () {
          const { step, wait } = yield* Step
          const slow = step("slow", Schema.String, Effect.andThen(count, Effect.delay(Effect.succeed("done"), 300)), {
            effect: { unknown: "fail" }
          })
          const both = yield* Effect.all([slow, wait({ name: "go", ...word })], { concurrency: 2 })
          return answer(both.join(" "))
        })
        const ended = yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            const taskId = yield* submit("m")
            yield* until(runs, (all) => all.length === 1)
            yield* given(taskId, "go", "gone")
            return yield* result(taskId)
          })
        )
        assert.strictEqual(ended.output?.text, "done gone", ended.error?.detail)
        assert.deepStrictEqual(yield* runs, ["slow 1 slow"])
      })
    )
  )

  it.live("a branch works on beside one that waits, also between its steps", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { count, runs } = yield* makeCounter
        const execute: Execute = Effect.fnUntraced(function* () {
          const { emit, sleep, step, wait } = yield* Step
          const working = Effect.forEach([1, 2, 3, 4, 5], (index) =>
            step(`s-${index}`, Schema.Int, Effect.as(count, index)).pipe(
              Effect.tap(emit(progress(`${index}`))),
              Effect.delay(10)
            )
          )
          const both = Effect.all([working, sleep("nap", 30), wait({ name: "go", ...word })], { concurrency: 3 })
          return answer((yield* both)[2])
        })
        const ended = yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            const taskId = yield* submit("m")
            yield* until(runs, (all) => all.length === 5)
            // Now every branch waits, and the task holds no place.
            const { activity } = yield* TaskRunner
            yield* until(activity, ({ queued, running }) => running + queued === 0)
            yield* given(taskId, "go", "gone")
            return yield* result(taskId)
          })
        )
        assert.strictEqual(ended.output?.text, "gone")
        assert.strictEqual((yield* runs).length, 5)
      })
    )
  )

  it.live("also one whose steps so far were done by a former process", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { count, runs } = yield* makeCounter
        const working = (last: Effect.Effect<void>): Execute =>
          Effect.fnUntraced(function* () {
            const { step, wait } = yield* Step
            const branch = step("first", Schema.Void, count).pipe(
              Effect.andThen(Effect.sleep(50)),
              Effect.andThen(step("second", Schema.Void, Effect.andThen(count, last)))
            )
            yield* Effect.forkChild(branch)
            yield* Effect.yieldNow
            return answer(yield* wait({ name: "go", ...word }))
          })
        const first = { execute: working(Effect.never) }
        const begun = Effect.tap(submit("m"), () => until(runs, (all) => all.length === 2))
        const taskId = yield* boot(filename, first, begun)
        const second = { execute: working(Effect.void) }
        const resumed = Effect.andThen(
          until(runs, (all) => all.length === 3),
          Effect.andThen(given(taskId, "go", "gone"), result(taskId))
        )
        const ended = yield* boot(filename, second, resumed)
        assert.strictEqual(ended.output?.text, "gone")
        assert.deepStrictEqual(yield* runs, ["first 1 first", "second 1 second", "second 2 second"])
      })
    )
  )

  it.live("names that JavaScript has a meaning for are names, over executions and restarts", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { count, runs } = yield* makeCounter
        const names = ["__proto__", "constructor", "toString", "a/1", "a", "1", "answer", "é\u{1F600}"]
        const execute: Execute = Effect.fnUntraced(function* () {
          const { step, wait } = yield* Step
          const all = yield* Effect.forEach(names, (name) => step(name, Schema.String, Effect.as(count, `<${name}>`)))
          yield* wait({ name: "go", ...word })
          return answer(all.join(""))
        })
        const options = { maxSteps: 3 }
        const taskId = yield* boot(
          filename,
          { execute },
          Effect.tap(submit("m"), () => until(runs, (all) => all.length === names.length)),
          options
        )
        const ended = yield* boot(
          filename,
          { execute },
          Effect.andThen(given(taskId, "go", ""), result(taskId)),
          options
        )
        assert.strictEqual(ended.output?.text, names.map((name) => `<${name}>`).join(""))
        assert.deepStrictEqual(
          yield* runs,
          names.map((name) => `${name} 1 ${name}`)
        )
      })
    )
  )

  it.live("an answer that was said is not said again, although it is still on its way to the disk", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const execute: Execute = Effect.fnUntraced(function* ({ text }) {
          const { emit } = yield* Step
          if (text === "said") yield* emit(output("the answer"))
          else yield* emit(progress("50 %"))
          return answer("the answer")
        })
        const told = (text: string) =>
          Effect.gen(function* () {
            const runner = yield* TaskRunner
            const taskId = yield* submit(text, text)
            yield* result(taskId)
            return (yield* runner.past(taskId)).map(({ event, number }) => [event._tag, Math.max(0, number)])
          })
        const both = yield* boot(filename, { execute }, Effect.all([told("said"), told("noted")]))
        const state = ["State", 0]
        assert.deepStrictEqual(both, [
          [state, ["Output", 1], state],
          // Behind what was said before it.
          [state, ["Progress", 1], ["Output", 2], state]
        ])
      })
    )
  )

  it.live("the answer is streamed whatever the steps are called", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const execute: Execute = Effect.fnUntraced(function* () {
          const { emit, step } = yield* Step
          yield* step("answer", Schema.Void, emit(progress("thinking")))
          return answer("42")
        })
        const said = yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            const { input } = yield* Effect.flatMap(submit("m"), result)
            return yield* Effect.flatMap(TaskRunner, (runner) => runner.past(input.taskId))
          })
        )
        assert.deepStrictEqual(
          said.flatMap(({ event }) => (event._tag === "Output" ? [event.text] : [])),
          ["42"]
        )
      })
    )
  )

  it.live(
    "an executor that is none, a failure that is none, a result that does not fit: its task says which, others go on",
    () =>
      inFile((filename) =>
        Effect.gen(function* () {
          const { count, runs } = yield* makeCounter
          // As files do that nobody has type-checked.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no types have seen
          const wrong = (value: unknown): never => value as never
          const execute: Execute = ({ text }) => {
            switch (text) {
              case "promise":
                return wrong(Promise.resolve(answer("late")))
              case "nothing":
                return wrong(undefined)
              case "throws":
                throw new Error("thrown")
              case "text":
                return Effect.fail(wrong("just a text"))
              case "error":
                return Effect.fail(wrong(new Error("just an error")))
              case "odd":
                return Effect.fail(wrong({ _tag: "ExecutorError", reason: "nonsense", detail: 7 }))
              case "result":
                return Effect.flatMap(Step, ({ step }) =>
                  Effect.as(step("odd", Schema.Int, Effect.as(count, wrong("seven"))), answer("unreachable"))
                )
              case "caught":
                return Effect.flatMap(Step, ({ step }) =>
                  step("odd", Schema.Int, Effect.as(count, wrong("seven"))).pipe(
                    Effect.map(String),
                    Effect.catchDefect((defect) => Effect.succeed(String(defect))),
                    Effect.map(answer)
                  )
                )
              case "event":
                return Effect.flatMap(Step, ({ emit }) =>
                  Effect.as(emit(wrong({ _tag: "Bogus" })), answer("unreachable"))
                )
              default:
                return Effect.succeed(answer("good"))
            }
          }
          const expected = {
            promise: /a Promise in place of an Effect/,
            nothing: /undefined in place of an Effect/,
            throws: /internal error/,
            text: /failed with "just a text" in place of an ExecutorError/,
            error: /failed with Error: just an error in place of an ExecutorError/,
            odd: /in place of an ExecutorError/,
            result: /internal error/,
            event: /internal error/
          }
          yield* boot(
            filename,
            { execute },
            Effect.gen(function* () {
              for (const [text, said] of Object.entries(expected)) {
                const task = yield* Effect.flatMap(submit(`m-${text}`, text), result)
                assert.strictEqual(task.state, "failed", text)
                assert.match(task.error?.detail ?? "", said)
                assert.isString(task.error?.remedy, text)
              }
              const caught = yield* Effect.flatMap(submit("m-caught", "caught"), result)
              assert.match(caught.output?.text ?? "", /result of step odd cannot be kept.*Expected/s)
              const other = yield* Effect.flatMap(submit("m-good", "good"), result)
              assert.strictEqual(other.output?.text, "good")
            })
          )
          assert.strictEqual((yield* runs).length, 2)
        })
      )
  )

  it.live("a wait whose time is no whole number, or none at all, stops nobody", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const execute: Execute = Effect.fnUntraced(function* ({ text }) {
          const { sleep, wait } = yield* Step
          if (text === "sleep") {
            yield* sleep("third", 1 / 3)
            yield* sleep("more", 10.7)
            return answer("slept")
          }
          return answer(yield* wait({ name: "go", ...word, within: Number(text) }))
        })
        yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            assert.strictEqual((yield* Effect.flatMap(submit("m-1", "sleep"), result)).output?.text, "slept")
            for (const within of ["1e300", "Infinity", "60000.5"]) {
              const taskId = yield* submit(`m-${within}`, within)
              yield* given(taskId, "go", within)
              assert.strictEqual((yield* result(taskId)).output?.text, within)
            }
            const failed = yield* Effect.flatMap(submit("m-2", "NaN"), result)
            assert.match(failed.error?.detail ?? "", /wait "go".*NaN/)
          })
        )
      })
    )
  )

  it.live("a value that comes while the task goes on to its next execution is not lost", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const execute: Execute = Effect.fnUntraced(function* () {
          const { emit, step, wait } = yield* Step
          const working = Effect.forEach(Array.from({ length: 40 }), (_, index) =>
            step(`s-${index}`, Schema.Int, Effect.as(emit(output(".")), index))
          )
          const waiting = Effect.forEach(
            Array.from({ length: 12 }),
            (_, index) => wait({ name: `w-${index}`, ...word }),
            {
              concurrency: "unbounded"
            }
          )
          const [words] = yield* Effect.all([waiting, working], { concurrency: 2 })
          return answer(words.join(" "))
        })
        const ended = yield* boot(
          filename,
          { execute },
          Effect.gen(function* () {
            const taskId = yield* submit("m")
            yield* Effect.forEach(
              Array.from({ length: 12 }),
              (_, index) => Effect.delay(given(taskId, `w-${index}`, `${index}`), index * 3),
              { concurrency: "unbounded" }
            )
            const store = yield* TaskStore
            assert.deepStrictEqual(yield* store.waits, [])
            return yield* result(taskId)
          }),
          { maxSteps: 2 }
        ).pipe(Effect.timeout("8 seconds"))
        assert.strictEqual(ended.output?.text, "0 1 2 3 4 5 6 7 8 9 10 11")
      })
    )
  )
})
