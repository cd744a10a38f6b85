import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as TaskStoreJournal from "../../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../../src/layers/journal/projections.ts"
import { changeTo, message, submitted } from "./taskStoreCalls.ts"
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

describe("TaskStoreJournal, interrupted", () => {
  it.live("a state comes about whatever becomes of whoever waits for it", () =>
    Effect.gen(function* () {
      const { store, taskId } = yield* submitted()
      yield* store.setState(taskId, changeTo("working"))
      const waiting = yield* Effect.forkChild(store.setState(taskId, changeTo("completed")))
      // Staged, and not on disk: nobody has had a turn yet to commit it.
      while (waiting.pollUnsafe() === undefined) yield* Fiber.interrupt(waiting)
      const ended = store.get(taskId).pipe(
        Effect.map((task) => Option.getOrThrow(task).state),
        Effect.repeat({ until: (state) => state === "completed", schedule: Schedule.spaced("2 millis") }),
        Effect.timeout("3 seconds")
      )
      // Begun or not: a second call brings it about, and then everybody is told of it.
      yield* store.setState(taskId, changeTo("completed"))
      assert.strictEqual(yield* ended, "completed")
      assert.deepStrictEqual(yield* store.unfinished, [])
      const { created } = yield* store.submit(message({ messageId: "another" }), 1)
      assert.isTrue(created, "an ended task counts for none")
    }).pipe(Effect.provide(layer))
  )
})
