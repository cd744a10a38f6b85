import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as TaskStoreJournal from "../../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../../src/layers/journal/projections.ts"
import { taskStoreConformance } from "./taskStoreConformance.ts"

const storeAt = (filename: string) =>
  TaskStoreJournal.layer.pipe(
    Layer.provideMerge(JournalSqlite.layerWith({ filename, projections: Projections.all })),
    Layer.provide(NodeCrypto.layerSecureRandom)
  )

/** A store in a file that goes when the test ends. */
const layer = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return storeAt(`${yield* fs.makeTempDirectoryScoped({ prefix: "molecule-tasks-" })}/tasks.db`)
  })
).pipe(Layer.provide(NodeServices.layer))

taskStoreConformance("TaskStoreJournal", layer)
