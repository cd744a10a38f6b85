/**
 * The task store's look-ups: the projections tell where, the journal's rows tell what.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { Journal, type JournalRow } from "../../services/durable/Journal.ts"
import { HoldReason, type TaskEvent, type TaskQuery, TaskState } from "../../services/durable/TaskStore.ts"
import { OpenWait } from "../../services/durable/Waits.ts"
import * as TaskRecords from "./taskRecords.ts"

const TaskRow = Schema.Struct({
  number: Schema.Int,
  task_id: Schema.String,
  message_key: Schema.String,
  digest: Schema.String,
  accepted: Schema.Int,
  state: TaskState,
  ended: Schema.NullOr(Schema.Int),
  version: Schema.Int,
  code: Schema.String,
  restored: Schema.BooleanFromBit,
  segment: Schema.Int,
  segment_row: Schema.NullOr(Schema.Int),
  held: Schema.NullOr(HoldReason),
  held_detail: Schema.NullOr(Schema.String),
  boots: Schema.Int,
  created_at: Schema.DateTimeUtcFromMillis,
  updated_at: Schema.DateTimeUtcFromMillis
})
/** A row of the table `tasks`. */
export type TaskRow = typeof TaskRow.Type

const Tombstone = Schema.Struct({
  task_id: Schema.String,
  digest: Schema.String,
  state: TaskState,
  until: Schema.Finite
})

const Place = Schema.Struct({ row: Schema.Int, sequence: Schema.Int })

/** An event as the journal has it; other rows are none. */
export const toEvent = ({ at, record, stream }: JournalRow): Option.Option<TaskEvent> => {
  const common = { taskId: stream, at: DateTime.makeUnsafe(at) }
  switch (record._tag) {
    case "TaskSaid": {
      const { attempt, event, number, sequence, step } = record
      return Option.some({ ...common, sequence, step, attempt, number, event })
    }
    case "TaskMoved":
      return Option.some({
        ...TaskRecords.stateEvent(stream, record.sequence, record),
        ...common,
        sequence: record.sequence
      })
    default:
      return Option.none()
  }
}

/** Makes the look-ups. */
export const make = Effect.gen(function* () {
  const journal = yield* Journal
  const sql = yield* SqlClient

  const byId = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: TaskRow,
    execute: (taskId) => sql`SELECT * FROM tasks WHERE number = (SELECT number FROM streams WHERE name = ${taskId})`
  })
  // One look for both: most messages are new.
  const isKnown = SqlSchema.findOne({
    Request: Schema.String,
    Result: Schema.Struct({ known: Schema.BooleanFromBit }),
    execute: (key) => sql`
      SELECT EXISTS (SELECT 1 FROM tasks WHERE message_key = ${key})
        OR EXISTS (SELECT 1 FROM task_tombstones WHERE message_key = ${key}) AS known`
  })
  const byKey = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: TaskRow,
    execute: (key) => sql`SELECT * FROM tasks WHERE message_key = ${key}`
  })
  const tombstone = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: Tombstone,
    execute: (key) => sql`SELECT task_id, digest, state, until FROM task_tombstones WHERE message_key = ${key}`
  })
  const unfinished = SqlSchema.findAll({
    Request: Schema.Void,
    Result: TaskRow,
    execute: () => sql`SELECT * FROM tasks WHERE ended IS NULL ORDER BY number`
  })
  const matching = ({ caller, contextId, since, state }: Omit<TaskQuery, "limit">) =>
    sql.and([
      sql`1 = 1`,
      ...(caller === undefined ? [] : [sql`caller = ${caller}`]),
      ...(contextId === undefined ? [] : [sql`context = ${contextId}`]),
      ...(state === undefined ? [] : [sql`state = ${state}`]),
      ...(since === undefined ? [] : [sql`updated_at >= ${since}`])
    ])
  const behind = ({ after }: Pick<TaskQuery, "after">) =>
    after === undefined
      ? sql`1 = 1`
      : sql`(updated_at < ${after.updatedAt} OR (updated_at = ${after.updatedAt} AND task_id < ${after.taskId}))`
  const page = SqlSchema.findAll({
    Request: Schema.Any,
    Result: TaskRow,
    execute: (query: TaskQuery) => sql`
      SELECT * FROM tasks WHERE ${matching(query)} AND ${behind(query)}
      ORDER BY updated_at DESC, task_id DESC LIMIT ${query.limit}`
  })
  const count = SqlSchema.findAll({
    Request: Schema.Any,
    Result: Schema.Struct({ total: Schema.Int }),
    execute: (query: TaskQuery) => sql`SELECT count(*) AS total FROM tasks WHERE ${matching(query)}`
  })
  const ofTask = (taskId: string) => sql`task = (SELECT number FROM streams WHERE name = ${taskId})`
  const attempts = SqlSchema.findOneOption({
    Request: Schema.Struct({ taskId: Schema.String, step: Schema.String }),
    Result: Schema.Struct({ attempts: Schema.Int }),
    execute: ({ step, taskId }) => sql`SELECT attempts FROM task_attempts WHERE ${ofTask(taskId)} AND step = ${step}`
  })
  const numbers = SqlSchema.findAll({
    Request: Schema.Struct({ taskId: Schema.String, step: Schema.String, attempt: Schema.Int }),
    Result: Schema.Struct({ number: Schema.Int }),
    execute: ({ attempt, step, taskId }) => sql`
      SELECT number FROM task_events
      WHERE ${ofTask(taskId)} AND step = ${step} AND attempt = ${attempt} AND number > 0 ORDER BY sequence`
  })
  const said = (run: { readonly taskId: string; readonly step: string; readonly attempt: number }) =>
    Effect.map(numbers(run), (rows) => rows.map(({ number }) => number))
  const eventPlaces = SqlSchema.findAll({
    Request: Schema.Struct({ taskId: Schema.String, after: Schema.Finite, limit: Schema.Int }),
    Result: Place,
    execute: ({ after, limit, taskId }) => sql`
      SELECT row, sequence FROM task_events
      WHERE task = (SELECT number FROM tasks WHERE number = (SELECT number FROM streams WHERE name = ${taskId}))
        AND sequence > ${after}
      ORDER BY sequence LIMIT ${limit}`
  })
  const firstEvent = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: Schema.Struct({ sequence: Schema.Int }),
    execute: (taskId) => sql`
      SELECT sequence FROM task_events WHERE ${ofTask(taskId)} ORDER BY sequence LIMIT 1`
  })
  const lastEvent = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: Schema.Struct({ sequence: Schema.Int }),
    execute: (taskId) => sql`
      SELECT sequence FROM task_events WHERE ${ofTask(taskId)} ORDER BY sequence DESC LIMIT 1`
  })
  const waitColumns = sql.literal('task_id AS "taskId", wait, kind, reason, source AS "from", since, deadline, retries')
  const allWaits = SqlSchema.findAll({
    Request: Schema.Void,
    Result: OpenWait,
    execute: () => sql`SELECT ${waitColumns} FROM task_waits ORDER BY deadline, task, wait`
  })
  const due = SqlSchema.findAll({
    Request: Schema.Finite,
    Result: OpenWait,
    execute: (before) => sql`
      SELECT ${waitColumns} FROM task_waits WHERE deadline < ${before} ORDER BY deadline, task, wait`
  })
  const withoutWait = SqlSchema.findAll({
    Request: Schema.Void,
    Result: Schema.Struct({
      task_id: Schema.String,
      held: Schema.NullOr(HoldReason),
      held_detail: Schema.NullOr(Schema.String)
    }),
    execute: () => sql`
      SELECT task_id, held, held_detail FROM tasks
      WHERE ended IS NULL AND (held IS NOT NULL OR NOT EXISTS (SELECT 1 FROM task_waits WHERE task = number))
      ORDER BY number`
  })
  const waits = SqlSchema.findAll({
    Request: Schema.String,
    Result: OpenWait,
    execute: (taskId) => sql`SELECT ${waitColumns} FROM task_waits WHERE ${ofTask(taskId)} ORDER BY deadline, wait`
  })

  const rowOf = (taskId: string, sequence: number) =>
    Effect.map(journal.read(taskId, sequence - 1, 1), ([row]) => row?.record)

  // What a task was asked and what it answered come from the rows, which vouch for themselves.
  const recordOf = Effect.fnUntraced(function* (row: TaskRow) {
    const accepted = yield* rowOf(row.task_id, row.accepted)
    if (accepted?._tag !== "TaskAccepted") return yield* TaskRecords.unknownTask("get", row.task_id)
    const ended = row.ended === null ? undefined : yield* rowOf(row.task_id, row.ended)
    return {
      input: accepted.input,
      state: row.state,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      ...(ended?._tag === "TaskMoved" && ended.output !== undefined ? { output: ended.output } : undefined),
      ...(ended?._tag === "TaskMoved" && ended.error !== undefined ? { error: ended.error } : undefined)
    }
  })

  // The rows of the events stand among others in the stream: what lies between the first and the last of them is read.
  const events = Effect.fnUntraced(function* (taskId: string, after: number, limit: number) {
    const places = yield* eventPlaces({ taskId, after, limit })
    const first = places[0]
    const last = places.at(-1)
    if (first === undefined || last === undefined) return []
    const rows = yield* journal.read(taskId, first.row - 1, last.row - first.row + 1)
    return rows.flatMap((row) => Option.toArray(toEvent(row)))
  })

  const snapshot = Effect.fnUntraced(function* (row: TaskRow) {
    if (row.segment_row === null) return {}
    const began = yield* rowOf(row.task_id, row.segment_row)
    return began?._tag === "SegmentBegan" ? began.steps : {}
  })

  return {
    byId,
    /** Has a message with this key been here, be its task pruned or not? */
    isKnown: (key: string) => Effect.map(isKnown(key), ({ known }) => known),
    byKey,
    tombstone,
    unfinished,
    page,
    count,
    attempts,
    said,
    events,
    firstEvent,
    lastEvent,
    allWaits,
    due,
    withoutWait,
    waits,
    recordOf,
    snapshot
  }
})
