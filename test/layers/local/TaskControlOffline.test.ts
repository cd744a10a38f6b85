import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { SqlClient } from "effect/sql/SqlClient"
import * as TaskControlOffline from "../../../src/layers/local/TaskControlOffline.ts"
import { ProcessRegistry } from "../../../src/services/agent/ProcessRegistry.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { TaskControl } from "../../../src/services/local/TaskControl.ts"
import { storesAt, temporaryFile } from "../../support/journal.ts"
import { message, workspaceId } from "../../support/runner.ts"

const onFile = <A, E, R>(
  use: (ended: Ref.Ref<number>) => Effect.Effect<A, E, R | TaskControl | TaskStore | Journal | SqlClient>
) =>
  Effect.gen(function* () {
    const ended = yield* Ref.make(0)
    const Registry = Layer.mock(ProcessRegistry)({
      endOrphans: Effect.as(
        Ref.update(ended, (count) => count + 1),
        []
      )
    })
    const Offline = TaskControlOffline.layer.pipe(
      Layer.provideMerge(storesAt(yield* temporaryFile)),
      Layer.provide(Registry)
    )
    return yield* Effect.provide(use(ended), Offline)
  }).pipe(Effect.provide(NodeServices.layer))

const accept = Effect.gen(function* () {
  const store = yield* TaskStore
  const { task } = yield* store.submit(message("m"), 10)
  return task.input.taskId
})

describe("TaskControlOffline", () => {
  it.live("cancels: the task, its execution, what it left running, and what the platform believes of it", () =>
    onFile((ended) =>
      Effect.gen(function* () {
        const control = yield* TaskControl
        const journal = yield* Journal
        const sql = yield* SqlClient
        const taskId = yield* accept
        const checkpoint = { workspaceId, workflowId: taskId, stepName: "task_receive", stepIndex: 0, payload: null }
        yield* journal.append([
          { stream: `${taskId}/0`, record: { _tag: "ExecutionStarted", workflow: "AgentTask", payload: {} } },
          { stream: taskId, record: { _tag: "CheckpointSaved", ...checkpoint } }
        ])
        assert.strictEqual((yield* control.cancel(taskId)).state, "canceled")
        assert.deepStrictEqual(yield* sql`SELECT * FROM executions`, [])
        assert.strictEqual(yield* Ref.get(ended), 1)
        const last = (yield* journal.read(taskId)).at(-1)?.record
        assert.deepStrictEqual(last, {
          _tag: "CheckpointSaved",
          ...checkpoint,
          stepName: "task_complete",
          stepIndex: 2,
          payload: { task_id: taskId, status: "canceled" }
        })
        assert.deepInclude(yield* Effect.flip(control.cancel(taskId)), { _tag: "TaskNotCancelable", state: "canceled" })
      })
    )
  )

  it.live("tells the platform nothing of a task that it does not know, and cancels what never began", () =>
    onFile(() =>
      Effect.gen(function* () {
        const control = yield* TaskControl
        const journal = yield* Journal
        const taskId = yield* accept
        yield* control.cancel(taskId)
        assert.deepStrictEqual(
          (yield* journal.read(taskId)).map(({ record }) => record._tag),
          ["TaskAccepted", "TaskMoved"]
        )
        assert.deepStrictEqual(yield* journal.read(`${taskId}/0`), [])
        assert.strictEqual((yield* Effect.flip(control.cancel("nobody")))._tag, "TaskNotFound")
      })
    )
  )

  it.live("resumes what is set aside, and refuses what takes the workspace's code", () =>
    onFile(() =>
      Effect.gen(function* () {
        const control = yield* TaskControl
        const store = yield* TaskStore
        const taskId = yield* accept
        assert.strictEqual((yield* Effect.flip(control.resume(taskId)))._tag, "TaskNotHeld")
        yield* store.note(taskId, { _tag: "TaskHeld", reason: "crashes", detail: "three times" })
        yield* control.resume(taskId)
        assert.deepInclude(yield* store.standing(taskId), { held: undefined, boots: 0 })
        const asked = [control.retry(taskId), control.provide(taskId, "w", true), control.health] as const
        const refused = yield* Effect.all([Effect.flip(asked[0]), Effect.flip(asked[1]), Effect.flip(asked[2])])
        for (const { message: text } of refused) assert.include(text, "nobody runs the workspace")
      })
    )
  )
})
