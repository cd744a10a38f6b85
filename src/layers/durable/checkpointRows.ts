/**
 * Look-ups of checkpoints and of the outbox: the projection tells where, the journal's rows tell what.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { CheckpointKey, type SavedStep } from "../../services/durable/Checkpoint.ts"
import { Journal, JournalDamaged } from "../../services/durable/Journal.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"

const Place = Schema.Struct({
  position: Schema.Int,
  sequence: Schema.Int,
  workspace_id: CheckpointKey.fields.workspaceId,
  workflow_id: Schema.String,
  step_name: Schema.String,
  step_index: Schema.Int,
  at: Schema.Int
})
/** Where a checkpoint is. */
export type Place = typeof Place.Type

const Pending = Schema.Struct({
  position: Schema.Int,
  sequence: Schema.Int,
  workspace_id: CheckpointKey.fields.workspaceId,
  workflow_id: Schema.String,
  step_name: Schema.String,
  clears: Schema.BooleanFromBit,
  since: Schema.NullOr(Schema.Int)
})
/** A change that is still to be sent. `since`: it stands for all steps of its workflow from that position up to its own. */
export type Pending = typeof Pending.Type

const Acceptance = Schema.Struct({
  position: Schema.Int,
  refused: Schema.NullOr(Schema.String),
  waits: Schema.BooleanFromBit
})

const Workflow = Schema.Struct({ workspaceId: WorkspaceId, workflowId: Schema.String })
const stepColumns = "position, sequence, workspace_id, workflow_id, step_name, step_index, at"

/** Makes the look-ups. */
export const make = Effect.gen(function* () {
  const journal = yield* Journal
  const sql = yield* SqlClient
  const columns = sql.literal(stepColumns)
  const ofWorkflow = ({ workflowId, workspaceId }: typeof Workflow.Encoded) => sql`
    stream = (SELECT number FROM streams WHERE name = ${CheckpointEntries.streamOf(workflowId)})
    AND workflow_id = ${workflowId} AND workspace_id = ${workspaceId}`

  const latest = SqlSchema.findOneOption({
    Request: WorkspaceId,
    Result: Place,
    execute: (workspaceId) => sql`
      SELECT ${columns} FROM checkpoints WHERE workspace_id = ${workspaceId} ORDER BY position DESC LIMIT 1`
  })
  const list = SqlSchema.findAll({
    Request: Workflow,
    Result: Place,
    execute: (workflow) => sql`
      SELECT ${columns} FROM checkpoints WHERE ${ofWorkflow(workflow)} ORDER BY step_index DESC, position DESC`
  })
  const between = SqlSchema.findAll({
    Request: Schema.Struct({ ...Workflow.fields, since: Schema.Int, position: Schema.Int }),
    Result: Place,
    execute: ({ position, since, ...workflow }) => sql`
      SELECT ${columns} FROM checkpoints
      WHERE ${ofWorkflow(workflow)} AND position BETWEEN ${since} AND ${position} ORDER BY position`
  })
  const pending = SqlSchema.findAll({
    Request: Schema.Struct({ after: Schema.Int, limit: Schema.Int }),
    Result: Pending,
    execute: ({ after, limit }) => sql`
      SELECT position, sequence, workspace_id, workflow_id, step_name, clears, since FROM checkpoint_outbox
      WHERE position > ${after} ORDER BY position LIMIT ${limit}`
  })
  const size = SqlSchema.findOne({
    Request: Schema.Int,
    Result: Schema.Struct({ entries: Schema.Int, bytes: Schema.Int, last: Schema.Int }),
    execute: (after) => sql`
      SELECT COUNT(*) AS entries, COALESCE(SUM(bytes), 0) AS bytes, COALESCE(MAX(position), 0) AS last
      FROM checkpoint_outbox WHERE position > ${after}`
  })
  const count = SqlSchema.findOne({
    Request: Schema.Int,
    Result: Schema.Struct({ entries: Schema.Int }),
    execute: (after) => sql`SELECT COUNT(*) AS entries FROM checkpoint_outbox WHERE position > ${after}`
  })
  const alarm = SqlSchema.findOneOption({
    Request: Schema.Void,
    Result: Schema.Struct({ position: Schema.Int, at: Schema.Int }),
    execute: () => sql`SELECT position, at FROM checkpoint_alarm`
  })
  const acceptance = SqlSchema.findOneOption({
    Request: Workflow,
    Result: Acceptance,
    execute: (workflow) => sql`
      SELECT position, refused, position IN (SELECT position FROM checkpoint_outbox) AS waits FROM checkpoints
      WHERE ${ofWorkflow(workflow)} AND step_name = 'task_receive'`
  })
  const ofOwn = sql`stream = (SELECT number FROM streams WHERE name = ${CheckpointEntries.ownStream})`
  const own = SqlSchema.findAll({
    Request: Schema.Void,
    Result: Place,
    execute: () => sql`SELECT ${columns} FROM checkpoints WHERE ${ofOwn} ORDER BY position`
  })
  const ownLength = SqlSchema.findOne({
    Request: Schema.Void,
    Result: Schema.Struct({ rows: Schema.Int }),
    execute: () => sql`SELECT COALESCE(MAX(sequence), 0) AS rows FROM journal WHERE ${ofOwn}`
  })
  const refused = SqlSchema.findAll({
    Request: Schema.Void,
    Result: Schema.Struct({ position: Schema.Int, detail: Schema.String }),
    execute: () => sql`
      SELECT position, refused AS detail FROM checkpoints WHERE refused IS NOT NULL ORDER BY position`
  })
  const lastPosition = SqlSchema.findOne({
    Request: Schema.Void,
    Result: Schema.Struct({ position: Schema.Int }),
    execute: () => sql`
      SELECT MAX(
        (SELECT COALESCE(MAX(position), 0) FROM checkpoints), (SELECT COALESCE(MAX(position), 0) FROM checkpoint_outbox)
      ) AS position`
  })

  // The row vouches for itself: a damaged one is an error, and never another payload.
  const payloadOf = Effect.fnUntraced(function* (place: Pick<Place, "workflow_id" | "sequence">) {
    const stream = CheckpointEntries.streamOf(place.workflow_id)
    const [row] = yield* journal.read(stream, place.sequence - 1, 1)
    if (row?.record._tag === "CheckpointSaved") return { index: row.record.stepIndex, payload: row.record.payload }
    return yield* new JournalDamaged({
      file: journal.file,
      stream,
      sequence: place.sequence,
      detail: "no checkpoint is where the table of checkpoints says",
      remedy: "stop the workspace and run molecule journal rebuild"
    })
  })

  const step = (place: Place): Effect.Effect<SavedStep, Effect.Error<ReturnType<typeof payloadOf>>> =>
    Effect.map(payloadOf(place), ({ payload }) =>
      CheckpointEntries.toStep(
        journal.epoch,
        {
          workspaceId: place.workspace_id,
          workflowId: place.workflow_id,
          stepName: place.step_name,
          stepIndex: place.step_index,
          payload
        },
        place.at
      )
    )

  return {
    latest: (workspaceId: WorkspaceId) =>
      Effect.flatMap(latest(workspaceId), (place) =>
        Option.isNone(place) ? Effect.succeedNone : Effect.asSome(step(place.value))
      ),
    list: (workflow: typeof Workflow.Type) => Effect.flatMap(list(workflow), Effect.forEach(step)),
    places: list,
    /** The steps that a snapshot stands for, as they are now. */
    between: Effect.fnUntraced(function* (request: Parameters<typeof between>[0]) {
      return yield* Effect.forEach(yield* between(request), (place) =>
        Effect.map(payloadOf(place), (content) => ({ name: place.step_name, position: place.position, ...content }))
      )
    }),
    payloadOf,
    /** The checkpoints of the workspace's own stream, as rows that the platform has. */
    own: Effect.suspend(() => own()).pipe(
      Effect.flatMap(
        Effect.forEach((place) =>
          Effect.map(step(place), ({ workspaceId, workflowId, stepName, stepIndex, payload }) =>
            CheckpointEntries.saved(
              { workspaceId, workflowId, stepName, stepIndex, payload },
              { at: place.at, known: true }
            )
          )
        )
      )
    ),
    /** How many rows that stream has. */
    ownLength: Effect.map(
      Effect.suspend(() => ownLength()),
      ({ rows }) => rows
    ),
    /** What the platform has refused. */
    refused,
    pending,
    size,
    count,
    alarm,
    acceptance,
    lastPosition
  }
})

/** The look-ups. */
export type CheckpointRows = Effect.Success<typeof make>
