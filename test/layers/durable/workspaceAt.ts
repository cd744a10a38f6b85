/** The task runner over the layers that the workspace program has, on a platform that can be away. */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Layer from "effect/Layer"
import * as CheckpointJournal from "../../../src/layers/durable/CheckpointJournal.ts"
import * as Pruning from "../../../src/layers/durable/pruning.ts"
import * as RestorePlatform from "../../../src/layers/durable/RestorePlatform.ts"
import * as TaskRunnerWorkflow from "../../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreJournal from "../../../src/layers/durable/TaskStoreJournal.ts"
import * as TaskWatch from "../../../src/layers/durable/taskWatch.ts"
import * as WorkflowEngineJournal from "../../../src/layers/journal/WorkflowEngineJournal.ts"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import type { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import type { Execute } from "../../support/runner.ts"
import { Config, journalAt, secretsOf } from "./checkpointFixtures.ts"

/** The runner as the workspace has it, on this file and this platform, with what it restored at its start. */
export const workspaceAt = (
  filename: string,
  remote: Layer.Layer<Checkpoint>,
  execute: Execute,
  pruning?: Partial<Pruning.Options>,
  outbox: Partial<CheckpointJournal.Options> = {}
) => {
  const Restored = Layer.effectDiscard(RestorePlatform.start).pipe(Layer.provide(RestorePlatform.layerWith({ remote })))
  // Where much time passes, the watcher need not look every second of it.
  const watch = { ...TaskWatch.defaults, every: pruning === undefined ? TaskWatch.defaults.every : 60_000 }
  return TaskRunnerWorkflow.layerWith({ watch }).pipe(
    Layer.provide(Layer.succeed(AgentExecutor, { name: "test", execute })),
    Layer.merge(pruning === undefined ? Layer.empty : Pruning.layerWith(pruning)),
    Layer.provideMerge(Layer.mergeAll(WorkflowEngineJournal.layer, TaskStoreJournal.layer)),
    Layer.provideMerge(CheckpointJournal.layerWith({ remote, ...outbox })),
    Layer.provide(Restored),
    Layer.provide(journalAt(filename)),
    Layer.provide(secretsOf({})),
    Layer.provide(Config),
    Layer.provide(NodeCrypto.layerSecureRandom)
  )
}
