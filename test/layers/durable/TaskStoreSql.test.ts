import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { output } from "../../../src/services/durable/Step.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import * as TaskStoreSql from "../../../src/layers/durable/TaskStoreSql.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"
import { taskStoreConformance } from "./taskStoreConformance.ts"

const storeAt = (filename: string) =>
  TaskStoreSql.layer.pipe(
    Layer.provideMerge(SqliteClient.layer({ filename })),
    Layer.provide(NodeCrypto.layerSecureRandom)
  )

/** A store in a file that goes when the test ends. */
const layer = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return storeAt(`${yield* fs.makeTempDirectoryScoped({ prefix: "molecule-tasks-" })}/tasks.db`)
  })
).pipe(Layer.provide(NodeServices.layer))

taskStoreConformance("TaskStoreSql", layer)

const message = { caller: "admin", contextId: "c", messageId: "m-1", text: "hello" }

describe("TaskStoreSql", () => {
  it.effect("finds everything again in the same file", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped({ prefix: "molecule-tasks-" })}/tasks.db`
      const before = yield* Effect.gen(function* () {
        const store = yield* TaskStore
        const { task } = yield* store.submit(message, 10)
        const { taskId } = task.input
        yield* store.submit({ ...message, messageId: "m-2" }, 10)
        const { task: done } = yield* store.submit({ ...message, messageId: "m-3" }, 10)
        yield* store.setState(done.input.taskId, { state: "completed", output: new TaskOutput({ text: "done" }) })
        yield* store.setState(taskId, { state: "working" })
        yield* store.begin(taskId, "a")
        yield* store.append({ taskId, step: "a", attempt: 1, number: 1, event: output("one") })
        return { taskId, events: yield* store.events(taskId, 0), unfinished: yield* store.unfinished }
      }).pipe(Effect.provide(storeAt(file)))

      yield* Effect.gen(function* () {
        const store = yield* TaskStore
        const { taskId } = before
        assert.deepStrictEqual(yield* store.unfinished, before.unfinished)
        assert.deepStrictEqual(yield* store.events(taskId, 0), before.events)
        assert.strictEqual(yield* store.begin(taskId, "a"), 2)
        const repeat = yield* store.append({ taskId, step: "a", attempt: 1, number: 1, event: output("one") })
        assert.deepStrictEqual(repeat, Option.none())
        const next = yield* store.append({ taskId, step: "a", attempt: 2, number: 1, event: output("one") })
        assert.strictEqual(Option.getOrThrow(next).sequence, 3)
        const again = yield* store.submit(message, 2)
        assert.isFalse(again.created)
        assert.strictEqual(again.task.input.taskId, taskId)
        assert.strictEqual((yield* Effect.flip(store.submit({ ...message, messageId: "m-4" }, 2)))._tag, "TooManyTasks")
      }).pipe(Effect.provide(storeAt(file)))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("says that the store failed, and leaves nothing half done", () =>
    Effect.gen(function* () {
      const store = yield* TaskStore
      const sql = yield* SqlClient.SqlClient
      const { task } = yield* store.submit(message, 10)
      const { taskId } = task.input
      yield* sql`ALTER TABLE task_events RENAME TO elsewhere`
      const error = yield* Effect.flip(store.setState(taskId, { state: "working" }))
      assert.strictEqual(error.operation, "setState")
      assert.strictEqual((yield* Effect.flip(store.events(taskId, 0))).operation, "events")
      yield* sql`ALTER TABLE elsewhere RENAME TO task_events`
      assert.strictEqual(Option.getOrThrow(yield* store.get(taskId)).state, "submitted")
      assert.isTrue(Option.isSome((yield* store.setState(taskId, { state: "working" })).event))

      yield* sql`UPDATE tasks SET input = '{"torn'`
      assert.strictEqual((yield* Effect.flip(store.get(taskId))).operation, "get")
      assert.strictEqual((yield* Effect.flip(store.unfinished)).operation, "unfinished")
    }).pipe(Effect.provide(layer))
  )

  it.effect("looks for unfinished tasks in the index of those", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const plan = yield* sql<{ readonly detail: string }>`EXPLAIN QUERY PLAN
        SELECT input FROM tasks WHERE state IN ('submitted', 'working') ORDER BY position`
      assert.include(plan.map(({ detail }) => detail).join(), "tasks_unfinished")
    }).pipe(Effect.provide(layer))
  )
})
