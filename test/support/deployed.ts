/**
 * A workspace without a platform, as a process, in one version of its code: `node deployed.ts <state directory> <code>
 * <version of the workflow> <older code, or -> [message …]`. Older code is shipped beside the newer, and so are the older
 * versions of the workflow. It says `begun <task>` when a task's first step is done, and `ended <task> <answer>`.
 *
 * Each task waits in its second step for the file `go` in the directory, and answers by which code and version it ended.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as AgentTaskWorkflow from "../../src/layers/durable/agentTaskWorkflow.ts"
import * as CheckpointMemory from "../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { Step } from "../../src/services/durable/Step.ts"
import { TaskRunner } from "../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../src/services/durable/TaskStore.ts"
import { PlatformConfig } from "../../src/services/workspace/PlatformConfig.ts"
import { storesAt } from "./journal.ts"
import { type Execute, message, workspaceId } from "./runner.ts"

const [, , directory = "", code = "", version = "1", older = "-", ...texts] = process.argv

const open = Effect.flatMap(FileSystem.FileSystem, (files) => files.exists(`${directory}/go`)).pipe(
  Effect.repeat({ until: (found) => found, schedule: Schedule.spaced("20 millis") }),
  Effect.orDie,
  Effect.provide(NodeServices.layer)
)

// Each code has a step of its own first: replayed into the other's, the task would be held.
const executeOf = (own: string): Execute =>
  Effect.fnUntraced(function* ({ taskId, text }) {
    const { step } = yield* Step
    yield* step(`begin-${own}`, Schema.Void, Effect.void)
    yield* step("gate", Schema.Void, Effect.andThen(Console.log(`begun ${taskId}`), open))
    return new TaskOutput({ text: `${text} by code ${own}` })
  })

// What a later version of the workflow does differently, here: its answers name it.
const bodyOf =
  (number: number): AgentTaskWorkflow.Body =>
  (run) =>
    Effect.flatMap(AgentExecutor, (executor) => {
      const naming =
        (execute: Execute): Execute =>
        (task) =>
          Effect.map(execute(task), ({ text }) => new TaskOutput({ text: `${text}, version ${number}` }))
      const previous = Object.fromEntries(
        Object.entries(executor.previous ?? {}).map(([name, execute]) => [name, naming(execute)])
      )
      const named = { ...executor, previous, execute: naming(executor.execute) }
      return Effect.provideService(AgentTaskWorkflow.run(run), AgentExecutor, named)
    })
const versions = Array.from({ length: Number(version) }, (_, index) => index + 1)

const Workspace = TaskRunnerWorkflow.layerWith({
  version: Number(version),
  bodies: new Map(versions.map((number) => [number, bodyOf(number)]))
}).pipe(
  Layer.provide(
    Layer.succeed(AgentExecutor, {
      name: "deployed",
      code,
      execute: executeOf(code),
      ...(older === "-" ? undefined : { previous: { [older]: executeOf(older) } })
    })
  ),
  Layer.provideMerge(storesAt(`${directory}/workspace.db`)),
  Layer.provide(CheckpointMemory.layer),
  Layer.provide(Layer.succeed(PlatformConfig, { platformUrl: "http://x", workspaceId, stateDirectory: directory })),
  Layer.provide(Layer.merge(NodeServices.layer, NodeCrypto.layer))
)

Effect.gen(function* () {
  const runner = yield* TaskRunner
  const store = yield* TaskStore
  yield* Effect.forEach(texts, (text) => runner.submit(message(text, text)))
  const { held } = yield* runner.health
  for (const { detail, taskId } of held) yield* Console.log(`held ${taskId} ${detail}`)
  const unfinished = yield* store.unfinished
  yield* Effect.forEach(
    unfinished,
    ({ input }) =>
      Effect.flatMap(runner.result(input.taskId), ({ output }) =>
        Console.log(`ended ${input.taskId} ${output?.text ?? "without an answer"}`)
      ),
    { concurrency: "unbounded" }
  )
  return yield* Effect.never
}).pipe(Effect.provide(Workspace), NodeRuntime.runMain)
