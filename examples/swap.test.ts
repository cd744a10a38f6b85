import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ExecutorScripted, PlatformConfigFixed, TaskRunner, TaskRunnerMemory } from "../src/index.ts"

// The program under test knows only the contract; here its brain, its engine and its stores are swapped.
const ask = Effect.fn("ask")(function* (text: string) {
  const runner = yield* TaskRunner
  const { input } = yield* runner.submit({ caller: "test", contextId: "", messageId: "m-1", text })
  return yield* runner.result(input.taskId)
})

const Test = TaskRunnerMemory.layer.pipe(
  Layer.provide(ExecutorScripted.layer),
  Layer.provide(PlatformConfigFixed.layerTest)
)

it.effect("a scripted brain answers", () =>
  Effect.gen(function* () {
    assert.strictEqual((yield* ask("hello")).state, "completed")
  }).pipe(Effect.provide(Test))
)
