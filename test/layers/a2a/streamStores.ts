/**
 * The stores on which the tests of streams run their agents, in a file: opening it again is a restart.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Layer from "effect/Layer"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import * as TaskStoreJournal from "../../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../../src/layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../../../src/layers/journal/WorkflowEngineJournal.ts"

export const storesAt = (filename: string) =>
  Layer.mergeAll(WorkflowEngineJournal.layer, TaskStoreJournal.layer, CheckpointMemory.layer).pipe(
    Layer.provide(JournalSqlite.layerWith({ filename, projections: Projections.all })),
    Layer.provide(NodeCrypto.layer)
  )
