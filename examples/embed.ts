import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ExecutorFunction, PlatformConfigFixed, Step, TaskOutput, TaskRunner, TaskRunnerMemory } from "../src/index.ts"

const Greeter = ExecutorFunction.layer(
  Effect.fn("greet")(function* (task) {
    const { step } = yield* Step // what runs through `step` is durable
    return new TaskOutput({ text: yield* step("greet", Schema.String, Effect.succeed(`hello ${task.text}`)) })
  })
)

const program = Effect.gen(function* () {
  const runner = yield* TaskRunner
  const { input } = yield* runner.submit({ caller: "app", contextId: "", messageId: "m-1", text: "world" })
  yield* Console.log((yield* runner.result(input.taskId)).output?.text)
})

const Agent = TaskRunnerMemory.layer.pipe(Layer.provide(Greeter), Layer.provide(PlatformConfigFixed.layerTest))
program.pipe(Effect.provide(Agent), NodeRuntime.runMain)
