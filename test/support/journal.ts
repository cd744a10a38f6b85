/**
 * A journal in a file that goes when the test ends, and what stands on it.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as TaskStoreJournal from "../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../src/layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../../src/layers/journal/WorkflowEngineJournal.ts"

export const projections = Projections.all

/** The journal in this file, and the read-only database. */
export const journalAt = (filename: string) =>
  JournalSqlite.layerWith({ filename, projections }).pipe(Layer.provide(NodeCrypto.layerSecureRandom))

/** Engine and task store on the journal in this file. */
export const storesAt = (filename: string) =>
  Layer.mergeAll(WorkflowEngineJournal.layer, TaskStoreJournal.layer).pipe(
    Layer.provideMerge(journalAt(filename)),
    Layer.provide(NodeCrypto.layerSecureRandom)
  )

/** A file in a folder that goes with the scope. */
export const temporaryFile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return `${yield* fs.makeTempDirectoryScoped({ prefix: "molecule-journal-" })}/workspace.db`
})

/** {@link storesAt} in a file of its own for each build. */
export const stores = Layer.unwrap(Effect.map(temporaryFile, storesAt)).pipe(Layer.provide(NodeServices.layer))
