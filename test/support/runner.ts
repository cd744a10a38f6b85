/**
 * A task runner on a journal in a file, one boot after another.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { SqlClient } from "effect/sql/SqlClient"
import * as CheckpointMemory from "../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import type { Checkpoint } from "../../src/services/durable/Checkpoint.ts"
import type { Journal } from "../../src/services/durable/Journal.ts"
import { CurrentStep } from "../../src/services/durable/Step.ts"
import { TaskRunner } from "../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../src/services/durable/TaskStore.ts"
import { PlatformConfig } from "../../src/services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../src/services/workspace/WorkspaceId.ts"
import { storesAt } from "./journal.ts"

export const workspaceId = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")
const Config = Layer.succeed(PlatformConfig, { platformUrl: "http://x", workspaceId, stateDirectory: "/nowhere" })

export type Execute = AgentExecutor["Service"]["execute"]

/** The runner on the file, with quick watching, once: what it leaves is for the next. */
export const boot = <A, E>(
  filename: string,
  executor: { readonly execute: Execute; readonly code?: string; readonly previous?: Record<string, Execute> },
  use: Effect.Effect<A, E, TaskRunner | TaskStore | Checkpoint | Journal | SqlClient>,
  options: Partial<TaskRunnerWorkflow.Options> = {}
) =>
  use.pipe(
    Effect.provide(
      TaskRunnerWorkflow.layerWith({ watch: { every: 50, timerGrace: 300, retryGrace: 200 }, ...options }).pipe(
        Layer.provide(Layer.succeed(AgentExecutor, { name: "test", ...executor })),
        Layer.provideMerge(storesAt(filename)),
        Layer.provideMerge(Layer.merge(Config, Layer.provide(CheckpointMemory.layer, NodeCrypto.layer)))
      )
    )
  )

export const message = (messageId: string, text = "hello") => ({ caller: "me", contextId: "", messageId, text })
export const submit = (messageId: string, text?: string) =>
  Effect.gen(function* () {
    const runner = yield* TaskRunner
    return (yield* runner.submit(message(messageId, text))).input.taskId
  })
export const result = (taskId: string) => Effect.flatMap(TaskRunner, (runner) => runner.result(taskId))
export const until = <A, E, R>(look: Effect.Effect<A, E, R>, done: (value: A) => boolean) =>
  Effect.repeat(look, { schedule: Schedule.spaced("5 millis"), until: done }).pipe(Effect.timeout("5 seconds"))
export const waitOpen = (name: string) =>
  until(
    Effect.flatMap(TaskStore, (store) => store.waits),
    (waits) => waits.some(({ wait }) => wait === name)
  )

/** Counts runs of steps outside of the journal. */
export const makeCounter = Effect.map(Ref.make<ReadonlyArray<string>>([]), (runs) => ({
  runs: Ref.get(runs),
  count: Effect.flatMap(CurrentStep, ({ attempt, effectId, name }) =>
    Ref.update(runs, (before) => [...before, `${name} ${attempt} ${effectId.split("/").slice(1).join("/")}`])
  )
}))
