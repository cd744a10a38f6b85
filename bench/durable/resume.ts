/**
 * The process of one boot with a long task: `node bench/durable/resume.ts '<ResumeOrder as JSON>'`. The first one makes the
 * journal; each later one measures how long the task takes from the boot to the step that was in flight.
 *
 * @module
 */
import { copyFileSync, existsSync, writeFileSync } from "node:fs"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as CheckpointMemory from "../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreJournal from "../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../src/layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../../src/layers/journal/WorkflowEngineJournal.ts"
import { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { AgentTask, agentTaskVersion, executionId, TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { Journal, type JournalEntry } from "../../src/services/durable/Journal.ts"
import { Step } from "../../src/services/durable/Step.ts"
import { TaskStore } from "../../src/services/durable/TaskStore.ts"
import { PlatformConfig } from "../../src/services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../src/services/workspace/WorkspaceId.ts"
import { endWithParent } from "../support/parent.ts"
import { ResumeOrder, ResumeResult } from "./model.ts"

const workspaceId = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")
const code = "resume"
const nameOf = (step: number) => `step-${step}`
const answerOf = (step: number) => `what step ${step} of the task has found out and others will want to know`

const storesAt = (filename: string) =>
  Layer.mergeAll(WorkflowEngineJournal.layer, TaskStoreJournal.layer).pipe(
    Layer.provideMerge(JournalSqlite.layerWith({ filename, projections: Projections.all })),
    Layer.provide(NodeCrypto.layer)
  )

// The rows are those of a task whose last step was in flight, in an execution that had done as much as one may.
const write = Effect.fnUntraced(function* (filename: string, steps: number, perExecution: number) {
  yield* Effect.gen(function* () {
    const journal = yield* Journal
    const store = yield* TaskStore
    const input = { caller: "bench", contextId: "", messageId: "1", text: "go" }
    const { task } = yield* store.submit(input, 1, { version: agentTaskVersion, code })
    const { taskId } = task.input
    yield* store.setState(taskId, { state: "working" })
    const exit = (step: number): Schema.Json => ({ _tag: "Success", value: answerOf(step) })
    const kept = steps - perExecution
    const segment = kept / perExecution
    const stream = executionId(taskId, segment)
    const known = Object.fromEntries(Array.from({ length: kept }, (_, step) => [nameOf(step), exit(step)]))
    const payload = yield* Schema.encodeEffect(Schema.toCodecJson(AgentTask.payloadSchema))(
      AgentTask.payloadSchema.make({ input: task.input, segment })
    )
    const completed = (step: number): ReadonlyArray<JournalEntry> => [
      { stream: taskId, record: { _tag: "StepBegan", step: nameOf(step), attempt: 1 } },
      { stream, record: { _tag: "ActivityCompleted", name: nameOf(step), attempt: 1, exit: exit(step) } }
    ]
    yield* journal.append([
      { stream: taskId, record: { _tag: "SegmentBegan", segment, steps: known } },
      { stream, record: { _tag: "ExecutionStarted", workflow: AgentTask._tag, payload } },
      ...Array.from({ length: perExecution - 1 }, (_, index) => completed(kept + index)).flat()
    ])
  }).pipe(Effect.provide(storesAt(filename)))
})

const resume = Effect.fnUntraced(function* (filename: string, steps: number) {
  const resumed = yield* Deferred.make<number>()
  const execute: AgentExecutor["Service"]["execute"] = Effect.fnUntraced(function* () {
    const { step } = yield* Step
    const ranAgain = Effect.die("a completed step ran again")
    for (let index = 0; index < steps - 1; index++) {
      const found = yield* step(nameOf(index), Schema.String, ranAgain)
      if (found !== answerOf(index)) return yield* Effect.die(`step ${index} answered "${found}"`)
    }
    const last = Effect.suspend(() => Deferred.succeed(resumed, performance.now()))
    yield* step(nameOf(steps - 1), Schema.String, Effect.andThen(last, Effect.never))
    return new TaskOutput({ text: "" })
  })
  const config = { platformUrl: "http://localhost", workspaceId, stateDirectory: "/nowhere" }
  const runner = TaskRunnerWorkflow.layer.pipe(
    Layer.provide(Layer.succeed(AgentExecutor, { name: "bench", code, execute })),
    Layer.provideMerge(storesAt(filename)),
    Layer.provide(Layer.succeed(PlatformConfig, config)),
    Layer.provide(Layer.provide(CheckpointMemory.layer, NodeCrypto.layer))
  )
  const booted = performance.now()
  yield* Layer.build(runner)
  const reached = yield* Effect.timeoutOption(Deferred.await(resumed), "30 seconds")
  return Option.isSome(reached) ? reached.value - booted : yield* Effect.die("the task was not resumed")
}, Effect.scoped)

endWithParent()
Schema.decodeUnknownEffect(Schema.fromJsonString(ResumeOrder))(process.argv[2]).pipe(
  Effect.flatMap(({ directory, perExecution, steps }) => {
    const filename = `${directory}/journal.db`
    if (!existsSync(filename)) return write(filename, steps, perExecution)
    // Of a copy: a task that does not get on at several starts is set aside.
    const copy = `${directory}/resumed.db`
    copyFileSync(filename, copy)
    return Effect.flatMap(resume(copy, steps), (ms) =>
      Effect.map(Schema.encodeEffect(Schema.fromJsonString(ResumeResult))({ ms }), (text) =>
        writeFileSync(`${directory}/result.json`, text)
      )
    )
  }),
  NodeRuntime.runMain
)
