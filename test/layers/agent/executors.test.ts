import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { type TaskInput, TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { ExecutorError, progress, Step } from "../../../src/services/durable/Step.ts"
import * as ExecutorEcho from "../../../src/layers/agent/ExecutorEcho.ts"
import * as ExecutorFunction from "../../../src/layers/agent/ExecutorFunction.ts"
import * as ExecutorScripted from "../../../src/layers/agent/ExecutorScripted.ts"
import * as StepDirect from "../../../src/layers/durable/StepDirect.ts"
import { saidBy } from "../../support/events.ts"

const taskOf = (text: string) => ({
  taskId: "task-1",
  contextId: "context-1",
  messageId: "message-1",
  caller: "admin",
  text
})

/** Executes one task; answers the whole answer and what was said, as `step/attempt/number: text`. */
const run = Effect.fnUntraced(function* (text: string) {
  const executor = yield* AgentExecutor
  const events = yield* Ref.make<ReadonlyArray<StepDirect.DirectEvent>>([])
  const answer = yield* Effect.provide(executor.execute(taskOf(text)), StepDirect.layerWith(events))
  const said = yield* Ref.get(events)
  return { answer: answer.text, said, keys: said.map(({ attempt, number, step }) => `${step}/${attempt}/${number}`) }
})

describe("ExecutorEcho", () => {
  it.effect("says what it was told, at once", () =>
    Effect.gen(function* () {
      const { answer, said } = yield* run("hello\n")
      assert.strictEqual(answer, "hello\n")
      assert.deepStrictEqual(said, [{ step: "", attempt: 1, number: 1, event: { _tag: "Output", text: "hello\n" } }])
    }).pipe(Effect.provide(ExecutorEcho.layer))
  )

  it.effect("says chunks where it is asked for them", () =>
    Effect.gen(function* () {
      const { answer, said } = yield* run("chunks 3")
      assert.strictEqual(answer, "chunk 1\nchunk 2\nchunk 3\n")
      assert.deepStrictEqual(
        said.map(({ event, number }) => [number, saidBy(event)]),
        [
          [1, "chunk 1\n"],
          [2, "chunk 2\n"],
          [3, "chunk 3\n"]
        ]
      )
      assert.strictEqual((yield* run("chunks 0")).answer, "chunks 0")
      assert.strictEqual((yield* run("chunks 100001")).answer, "chunks 100001")
      assert.strictEqual((yield* run("chunks 3 please")).answer, "chunks 3 please")
    }).pipe(Effect.provide(ExecutorEcho.layer))
  )
})

describe("ExecutorScripted", () => {
  it.effect("takes three turns with a tool call in each, always the same", () =>
    Effect.gen(function* () {
      const first = yield* run("go")
      assert.strictEqual(first.answer, "1: [turn 1 knows 2]\n2: [turn 2 knows 22]\n3: [turn 3 knows 43]\n")
      assert.deepStrictEqual(first.keys, ["turn-1/1/1", "/1/1", "turn-2/1/1", "/1/2", "turn-3/1/1", "/1/3"])
      assert.deepStrictEqual(yield* run("go"), first)
    }).pipe(Effect.provide(ExecutorScripted.layer))
  )

  it.effect("calls the given tool once for each turn", () =>
    Effect.gen(function* () {
      const calls = yield* Ref.make<ReadonlyArray<string>>([])
      const executor = ExecutorScripted.layerWith({
        model: ({ turn }) => Effect.succeed(`ask ${turn}`),
        tool: ({ argument, turn }) =>
          Effect.as(
            Ref.update(calls, (known) => [...known, `${turn} ${argument}`]),
            "ok"
          )
      })
      const { answer } = yield* Effect.provide(run("go"), executor)
      assert.strictEqual(answer, "1: ok\n2: ok\n3: ok\n")
      assert.deepStrictEqual(yield* Ref.get(calls), ["1 ask 1", "2 ask 2", "3 ask 3"])
    })
  )

  it.effect("fails as its tool fails, in the step of the tool", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const refusal = new ExecutorError({ reason: "refused", detail: "no" })
      const executor = ExecutorScripted.layerWith({
        tool: ({ turn }) => (turn === 2 ? Effect.fail(refusal) : Effect.succeed("ok"))
      })
      const recording = Layer.succeed(Step, {
        step: (name, _schema, effect) =>
          Effect.andThen(
            Ref.update(steps, (known) => [...known, name]),
            effect
          ),
        emit: () => Effect.void,
        ask: () => Effect.never,
        wait: () => Effect.die("the script waits for nothing"),
        sleep: () => Effect.die("the script does not sleep")
      })
      const error = yield* Effect.flatMap(AgentExecutor, ({ execute }) => execute(taskOf("go"))).pipe(
        Effect.provide([executor, recording]),
        Effect.flip
      )
      assert.strictEqual(error, refusal)
      assert.deepStrictEqual(yield* Ref.get(steps), ExecutorScripted.stepNames.slice(0, 4))
    })
  )
})

class Greeting extends Context.Service<Greeting, { readonly word: string }>()(
  "molecule-effect/test/layers/agent/executors.test/Greeting"
) {}

describe("ExecutorFunction", () => {
  const greet = ExecutorFunction.layer(
    Effect.fnUntraced(function* (task: TaskInput) {
      const { word } = yield* Greeting
      const { emit } = yield* Step
      yield* emit(progress("greeting"))
      return new TaskOutput({ text: `${word} ${task.text}` })
    }),
    { name: "greeter" }
  )

  it.effect("is the function, with what the function needs taken when it is built", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* AgentExecutor).name, "greeter")
      const { answer, keys } = yield* run("world")
      assert.strictEqual(answer, "hello world")
      assert.deepStrictEqual(keys, ["/1/1"])
    }).pipe(Effect.provide(Layer.provide(greet, Layer.succeed(Greeting, { word: "hello" }))))
  )

  it.effect("needs nothing and no name where the function needs nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* AgentExecutor).name, "function")
      assert.strictEqual((yield* run("shout")).answer, "SHOUT")
    }).pipe(
      Effect.provide(
        ExecutorFunction.layer((task) => Effect.succeed(new TaskOutput({ text: task.text.toUpperCase() })))
      )
    )
  )
})

describe("StepDirect", () => {
  it.effect("counts the runs of a step", () =>
    Effect.gen(function* () {
      const executor = ExecutorFunction.layer(
        Effect.fnUntraced(function* () {
          const { emit, step } = yield* Step
          const say = step("a", TaskOutput, Effect.as(emit(progress("now")), new TaskOutput({ text: "x" })))
          yield* say
          return yield* say
        })
      )
      const { keys } = yield* Effect.provide(run(""), executor)
      assert.deepStrictEqual(keys, ["a/1/1", "a/2/1"])
    })
  )
})
