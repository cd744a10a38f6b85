/**
 * Checkpoints in SQL. A checkpoint that was answered for is committed.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { Checkpoint, CheckpointInput, CheckpointKey, SavedStep } from "../../services/durable/Checkpoint.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as Dialect from "../sql/dialect.ts"
import { migrate } from "../sql/migrate.ts"
import * as CheckpointRules from "./checkpointRules.ts"

const migrations = {
  "1_create": Effect.gen(function* () {
    const sql = yield* SqlClient
    const t = Dialect.of(sql)
    yield* sql`CREATE TABLE workflow_checkpoints (
      id TEXT NOT NULL PRIMARY KEY,
      workspace_id TEXT NOT NULL,
      workflow_id TEXT NOT NULL,
      step_name TEXT NOT NULL,
      step_index ${t.integer} NOT NULL,
      payload TEXT NOT NULL,
      completed_at ${t.integer} NOT NULL,
      sequence ${t.sequence} NOT NULL UNIQUE,
      UNIQUE (workspace_id, workflow_id, step_name)
    ) ${t.strict}`
    yield* sql`CREATE INDEX workflow_checkpoints_latest ON workflow_checkpoints (workspace_id, sequence)`
  })
}

const Row = Schema.Struct({
  id: Schema.String,
  workspace_id: CheckpointKey.fields.workspaceId,
  workflow_id: CheckpointKey.fields.workflowId,
  step_name: CheckpointKey.fields.stepName,
  step_index: CheckpointInput.fields.stepIndex,
  payload: CheckpointRules.PayloadJson,
  completed_at: Schema.DateTimeUtcFromMillis
})

const toStep = (row: typeof Row.Type) =>
  new SavedStep({
    id: row.id,
    workspaceId: row.workspace_id,
    workflowId: row.workflow_id,
    stepName: row.step_name,
    stepIndex: row.step_index,
    payload: row.payload,
    completedAt: row.completed_at
  })

const Workflow = Schema.Struct({ workspaceId: WorkspaceId, workflowId: Schema.String })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const random = yield* SecureRandom.SecureRandom
  yield* migrate("checkpoint_migrations", migrations)

  const columns = sql.literal("id, workspace_id, workflow_id, step_name, step_index, payload, completed_at")

  const next = Dialect.of(sql).next("workflow_checkpoints", "sequence")
  // One statement: a repeat keeps its id, and takes the next number, which decides what is latest within a millisecond.
  const upsert = SqlSchema.findOne({
    Request: Row,
    Result: Row,
    execute: (row) => sql`
      INSERT INTO workflow_checkpoints (${columns}, sequence) VALUES (
        ${row.id}, ${row.workspace_id}, ${row.workflow_id}, ${row.step_name}, ${row.step_index}, ${row.payload},
        ${row.completed_at}, ${next}
      )
      ON CONFLICT (workspace_id, workflow_id, step_name) DO UPDATE SET
        step_index = excluded.step_index,
        payload = excluded.payload,
        completed_at = excluded.completed_at,
        sequence = excluded.sequence
      RETURNING ${columns}`
  })
  const latest = SqlSchema.findOneOption({
    Request: WorkspaceId,
    Result: Row,
    execute: (workspaceId) => sql`
      SELECT ${columns} FROM workflow_checkpoints WHERE workspace_id = ${workspaceId}
      ORDER BY sequence DESC LIMIT 1`
  })
  const list = SqlSchema.findAll({
    Request: Workflow,
    Result: Row,
    execute: ({ workflowId, workspaceId }) => sql`
      SELECT ${columns} FROM workflow_checkpoints
      WHERE workspace_id = ${workspaceId} AND workflow_id = ${workflowId}
      ORDER BY step_index DESC, sequence DESC`
  })
  const clear = SqlSchema.findAll({
    Request: Workflow,
    Result: Schema.Struct({ id: Schema.String }),
    execute: ({ workflowId, workspaceId }) => sql`
      DELETE FROM workflow_checkpoints WHERE workspace_id = ${workspaceId} AND workflow_id = ${workflowId}
      RETURNING id`
  })

  return Checkpoint.of({
    save: Effect.fn("Checkpoint.save")(function* (input) {
      const accepted = yield* CheckpointRules.accept(input)
      const row = {
        id: yield* random.uuidV4(),
        workspace_id: accepted.workspaceId,
        workflow_id: accepted.workflowId,
        step_name: accepted.stepName,
        step_index: accepted.stepIndex,
        payload: accepted.payload,
        completed_at: yield* DateTime.now
      }
      return toStep(yield* upsert(row).pipe(Effect.mapError(CheckpointRules.unavailable("save"))))
    }),

    latest: Effect.fn("Checkpoint.latest")((workspaceId) =>
      latest(workspaceId).pipe(Effect.map(Option.map(toStep)), Effect.mapError(CheckpointRules.unavailable("latest")))
    ),

    list: Effect.fn("Checkpoint.list")((workspaceId, workflowId) =>
      list({ workspaceId, workflowId }).pipe(
        Effect.map((rows) => rows.map(toStep)),
        Effect.mapError(CheckpointRules.unavailable("list"))
      )
    ),

    clear: Effect.fn("Checkpoint.clear")((workspaceId, workflowId) =>
      clear({ workspaceId, workflowId }).pipe(
        Effect.map((rows) => rows.length),
        Effect.mapError(CheckpointRules.unavailable("clear"))
      )
    )
  })
})

/**
 * Checkpoints in the table `workflow_checkpoints` of the database at hand, which is made and migrated here.
 *
 * **Details**
 *
 * `save` runs in the caller's transaction if there is one. Where there is none it is one by itself, and durable when it
 * answers if the database's commits are (`synchronous=FULL`, as `layers/sql/SqliteClient` sets it).
 */
export const layer = Layer.effect(Checkpoint, make)
