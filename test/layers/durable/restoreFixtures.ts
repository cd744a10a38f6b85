/**
 * What the tests of `Restore` share: starts of a workspace, its tasks, and the loss of its disk.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import * as CheckpointJournal from "../../../src/layers/durable/CheckpointJournal.ts"
import * as RestorePlatform from "../../../src/layers/durable/RestorePlatform.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { InFlight } from "../../../src/services/durable/InFlight.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { Restore } from "../../../src/services/durable/Restore.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"
import { accepted, journalAt, secretsOf } from "./checkpointFixtures.ts"

/** The value of `API_KEY`. */
export const secret = "sk-live-0123456789"

/** A start of a workspace: restores first, then has its checkpoints. */
export const boot = <A, E, R, R2, E2>(
  filename: string,
  use: Effect.Effect<A, E, R>,
  remote: Layer.Layer<Checkpoint, E2, R2>,
  secrets: Record<string, string> = { API_KEY: secret }
) =>
  use.pipe(
    Effect.provide(
      CheckpointJournal.layerWith({ remote }).pipe(
        Layer.provideMerge(
          Layer.unwrap(
            Effect.gen(function* () {
              const restore = yield* Restore
              yield* restore.run
              return Layer.succeed(Restore, restore)
            })
          ).pipe(Layer.provide(RestorePlatform.layerWith({ remote })))
        ),
        Layer.provideMerge(journalAt(filename)),
        Layer.provide(secretsOf(secrets)),
        Layer.fresh
      )
    )
  )

/** A task accepted. */
export const begin = Effect.fnUntraced(function* (taskId: string, text = "hello") {
  const journal = yield* Journal
  const inFlight = yield* InFlight
  const record = accepted(taskId, text)
  yield* journal.append([{ stream: taskId, record, at: 5000 }, ...inFlight.accepted(record, 5000)])
})
/** A step of it done. */
export const step = Effect.fnUntraced(function* (taskId: string, name: string, index: number, value: string) {
  const checkpoint = yield* Checkpoint
  const { workspaceId } = yield* PlatformConfig
  const payload = { _tag: "Success", value }
  yield* checkpoint.save({
    workspaceId,
    workflowId: `${taskId}/llm_call`,
    stepName: name,
    stepIndex: index,
    payload
  })
})
/** A task ended, as the runner writes it. */
export const end = Effect.fnUntraced(function* (taskId: string) {
  const journal = yield* Journal
  const inFlight = yield* InFlight
  const checkpoint = yield* Checkpoint
  const { workspaceId } = yield* PlatformConfig
  const payload = { task_id: taskId, status: "completed" }
  yield* checkpoint.save({ workspaceId, workflowId: taskId, stepName: "task_complete", stepIndex: 2, payload })
  yield* journal.append([
    {
      stream: taskId,
      record: { _tag: "TaskMoved", sequence: 1, state: "completed", output: new TaskOutput({ text: "" }) }
    },
    ...inFlight.ended(taskId)
  ])
})

/** The disk is gone. */
export const lose = (filename: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    for (const suffix of ["", "-wal", "-shm"]) yield* fs.remove(`${filename}${suffix}`, { force: true })
  })

/** The tasks that the journal knows. */
export const tasks = Effect.gen(function* () {
  const sql = yield* SqlClient
  return yield* sql`SELECT task_id, restored, state, created_at FROM tasks ORDER BY task_id`
})
