/**
 * A workspace without a platform, as a process: `node controlled.ts <state directory> <code> [message …]`. It says `ready`
 * with the ids of the messages' tasks, and runs until it is ended.
 *
 * What a task does stands in its message: `quick`, `fail`, `hang`, `approve`, `wait for <task>`.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as HealthOfWork from "../../src/layers/workspace/HealthOfWork.ts"
import { Lifecycle, type LifecycleState } from "../../src/services/workspace/Lifecycle.ts"
import * as Schema from "effect/Schema"
import * as CheckpointMemory from "../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskControlSocket from "../../src/layers/local/TaskControlSocket.ts"
import * as StateDirectoryNode from "../../src/layers/workspace/StateDirectoryNode.ts"
import { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { CheckpointOutbox } from "../../src/services/durable/CheckpointOutbox.ts"
import { CurrentStep, ExecutorError, output, progress, Step } from "../../src/services/durable/Step.ts"
import { TaskRunner } from "../../src/services/durable/TaskRunner.ts"
import { PlatformConfig } from "../../src/services/workspace/PlatformConfig.ts"
import { StateDirectory } from "../../src/services/workspace/StateDirectory.ts"
import { storesAt } from "./journal.ts"
import { type Execute, message, workspaceId } from "./runner.ts"

const execute: Execute = Effect.fnUntraced(function* ({ text }) {
  const { emit, step, wait } = yield* Step
  const work = Effect.gen(function* () {
    yield* emit(progress(`looking at ${text}`))
    yield* emit(output(text))
    return text.length
  })
  yield* step("measure", Schema.Int, work)
  if (text.startsWith("fail")) {
    const { attempt } = yield* CurrentStep
    yield* step("break", Schema.Void, new ExecutorError({ reason: "failed", detail: `broken ${attempt}` }), {
      retry: { times: 1, delay: 5 },
      effect: { unknown: "fail" }
    })
  }
  if (text.startsWith("hang")) yield* step("hang", Schema.Void, Effect.never)
  if (text.startsWith("approve")) {
    const within = 7 * 24 * 3_600_000
    const given = yield* wait({
      name: "approval",
      reason: "the approval",
      from: "person",
      within,
      schema: Schema.Boolean
    })
    return new TaskOutput({ text: given ? "approved" : "refused" })
  }
  if (text.startsWith("wait for ")) {
    const from = text.slice("wait for ".length)
    yield* wait({ name: "answer", reason: "its answer", from, within: 3_600_000, schema: Schema.String })
  }
  return new TaskOutput({ text: `done: ${text}` })
})

const [, , path = "", code = "1", ...texts] = process.argv

const State = StateDirectoryNode.layerWith({ path })
const Runner = TaskRunnerWorkflow.layerWith({ maxRunning: 8 }).pipe(
  Layer.provide(Layer.succeed(AgentExecutor, { name: "test", code, execute })),
  Layer.provideMerge(Layer.unwrap(Effect.map(StateDirectory, (state) => storesAt(state.file("workspace.db"))))),
  Layer.provide(CheckpointMemory.layer),
  Layer.provide(Layer.succeed(PlatformConfig, { platformUrl: "http://x", workspaceId, stateDirectory: path }))
)
const Outbox = Layer.succeed(CheckpointOutbox, {
  pending: Effect.succeed(3),
  flush: Effect.void,
  alarm: Effect.succeedNone,
  confirmed: () => Effect.void
})
const Healthy = HealthOfWork.layerWith({ failsOn: ["overdue", "journal", "held", "outbox"], maxOverdue: 5000 }).pipe(
  Layer.provide(Layer.effect(Lifecycle, SubscriptionRef.make<LifecycleState>("ok")))
)
const Workspace = TaskControlSocket.layer.pipe(
  Layer.provide(Healthy),
  Layer.provideMerge(Layer.merge(Runner, Outbox)),
  Layer.provideMerge(State),
  Layer.provide(Layer.merge(NodeServices.layer, NodeCrypto.layer))
)

Effect.gen(function* () {
  const runner = yield* TaskRunner
  const tasks = yield* Effect.forEach(texts, (text) => runner.submit(message(text, text)))
  yield* Console.log(`ready ${JSON.stringify(tasks.map(({ input }) => input.taskId))}`)
  return yield* Effect.never
}).pipe(Effect.provide(Workspace), NodeRuntime.runMain)
