/**
 * What our two servers have below the operations of A2A.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PushJournal from "../../src/layers/a2a/PushJournal.ts"
import * as PushNone from "../../src/layers/a2a/PushNone.ts"
import * as CheckpointJournal from "../../src/layers/durable/CheckpointJournal.ts"
import * as Pruning from "../../src/layers/durable/pruning.ts"
import * as TaskRunnerTransient from "../../src/layers/durable/TaskRunnerTransient.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreJournal from "../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../src/layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../../src/layers/journal/WorkflowEngineJournal.ts"
import * as KnownSecretsEnv from "../../src/layers/workspace/KnownSecretsEnv.ts"
import * as PlatformConfigFixed from "../../src/layers/workspace/PlatformConfigFixed.ts"
import { Checkpoint, CheckpointUnavailable } from "../../src/services/durable/Checkpoint.ts"
import type { ServerOrder } from "./model.ts"

/** As many tasks at once as the bench opens streams. */
const bounds = { maxRunning: 2000, maxUnfinished: 4000 }

const away = Effect.fail(new CheckpointUnavailable({ operation: "save", cause: "there is no platform in the bench" }))

// There is no platform: what would go to it stays in the outbox, which is on the same disk and in the same commits.
const NoPlatform = Layer.succeed(Checkpoint, {
  save: () => away,
  latest: () => away,
  list: () => away,
  clear: () => away
})

const Memory = Layer.merge(TaskRunnerTransient.layerWith(bounds), PushNone.layer).pipe(Layer.provide(NodeCrypto.layer))

// As in `programs/workspace.ts`.
const durableIn = (directory: string) =>
  PushJournal.layer.pipe(
    Layer.provideMerge(Layer.merge(TaskRunnerWorkflow.layerWith(bounds), Pruning.layer)),
    Layer.provideMerge(Layer.merge(WorkflowEngineJournal.layer, TaskStoreJournal.layer)),
    Layer.provideMerge(CheckpointJournal.layerWith({ remote: NoPlatform })),
    Layer.provideMerge(
      JournalSqlite.layerWith({ filename: `${directory}/workspace.db`, projections: Projections.all })
    ),
    Layer.provide(Layer.merge(NodeCrypto.layer, KnownSecretsEnv.layer))
  )

/** The task runner, and the push configurations, of a server. They need the agent. */
export const tasksOf = ({ directory, system }: ServerOrder) =>
  (system === "memory" ? Memory : durableIn(directory)).pipe(Layer.provide(PlatformConfigFixed.layerTest))
