import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DatabaseSync } from "node:sqlite"
import * as StateDirectoryNode from "../../src/layers/workspace/StateDirectoryNode.ts"
import { StateDirectory } from "../../src/services/workspace/StateDirectory.ts"
import { TaskStore } from "../../src/services/durable/TaskStore.ts"
import { storesAt } from "../support/journal.ts"
import { Machine, start, temporaryDirectory } from "../support/processes.ts"

const molecule = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const program = yield* start("molecule", args, {})
  return { exitCode: yield* program.exitCode, output: yield* program.output }
})

describe("molecule journal", () => {
  it.live(
    "finds what is derived wrongly, makes it again, and leaves a running workspace's alone",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const state = `${directory}/state`
        yield* Effect.void.pipe(Effect.provide(StateDirectoryNode.layerWith({ path: state })))
        const file = `${state}/workspace.db`
        const message = { caller: "me", contextId: "", messageId: "m", text: "hello" }
        const before = yield* Effect.gen(function* () {
          const store = yield* TaskStore
          const { task } = yield* store.submit(message, 10)
          yield* store.setState(task.input.taskId, { state: "working" })
          yield* store.begin(task.input.taskId, "a")
          return yield* store.get(task.input.taskId)
        }).pipe(Effect.provide(storesAt(file)))

        assert.include(yield* molecule("journal", "check", "--state", state), { exitCode: 0 })
        yield* Effect.sync(() => {
          const database = new DatabaseSync(file)
          database.exec("DELETE FROM tasks; DELETE FROM task_events; UPDATE task_attempts SET attempts = 7")
          database.close()
        })
        const wrong = yield* molecule("journal", "check", "--state", state)
        assert.strictEqual(wrong.exitCode, 1)
        assert.match(wrong.output, /tasks, task_events, task_attempts differ.*rebuild/)

        const held = yield* Effect.andThen(StateDirectory, molecule("journal", "rebuild", "--state", state)).pipe(
          Effect.provide(StateDirectoryNode.layerWith({ path: state }))
        )
        assert.strictEqual(held.exitCode, 1)
        assert.include(held.output, String(process.pid))

        const mended = yield* molecule("journal", "rebuild", "--state", state)
        assert.strictEqual(mended.exitCode, 0, mended.output)
        assert.include(yield* molecule("journal", "check", "--state", state), { exitCode: 0 })
        const after = yield* Effect.gen(function* () {
          const store = yield* TaskStore
          return (yield* store.submit(message, 10)).task
        }).pipe(Effect.provide(storesAt(file)))
        assert.deepStrictEqual(after, Option.getOrThrow(before))

        const nowhere = yield* molecule("journal", "check", "--state", `${directory}/nowhere`)
        assert.strictEqual(nowhere.exitCode, 4)
        assert.include(nowhere.output, "nowhere")
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )
})
