/**
 * The stores on which the tests of streams run their agents, in a file: opening it again is a restart.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Layer from "effect/Layer"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import * as TaskStoreJournal from "../../../src/layers/durable/TaskStoreJournal.ts"
import * as ExecutionProjection from "../../../src/layers/journal/executionProjection.ts"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import * as TaskProjection from "../../../src/layers/journal/taskProjection.ts"
import * as WorkflowEngineJournal from "../../../src/layers/journal/WorkflowEngineJournal.ts"

export const storesAt = (filename: string) =>
  Layer.mergeAll(WorkflowEngineJournal.layer, TaskStoreJournal.layer, CheckpointMemory.layer).pipe(
    Layer.provide(
      JournalSqlite.layerWith({ filename, projections: [ExecutionProjection.projection, TaskProjection.projection] })
    ),
    Layer.provide(NodeCrypto.layer)
  )
