/**
 * Look-ups of the pruning: which tasks have ended long ago, and which are forgotten by now.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { TaskState } from "../../services/durable/TaskStore.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

const Ended = Schema.Struct({
  number: Schema.Int,
  task_id: Schema.String,
  message_key: Schema.String,
  digest: Schema.String,
  state: TaskState,
  updated_at: Schema.Int
})
/** A task that may be pruned. */
export type Ended = typeof Ended.Type

const Part = Schema.Struct({ upTo: Schema.NullOr(Schema.Int), oldest: Schema.NullOr(Schema.Int) })

const Search = Schema.Struct({
  after: Schema.Int,
  upTo: Schema.Int,
  /** Milliseconds since 1970. */
  endedBefore: Schema.Finite,
  /** When this process began to run tasks. */
  started: Schema.Finite,
  limit: Schema.Int
})

/** Makes the look-ups. */
export const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const none = Schema.Void
  const counting = Schema.Struct({ count: Schema.Int })

  const ended = SqlSchema.findOne({
    Request: none,
    Result: counting,
    execute: () => sql`
      SELECT (SELECT COUNT(*) FROM tasks) - (SELECT COUNT(*) FROM tasks WHERE ended IS NULL) AS count`
  })
  const pending = SqlSchema.findOne({
    Request: none,
    Result: counting,
    execute: () => sql`SELECT COUNT(*) AS count FROM checkpoint_outbox`
  })
  const alarm = SqlSchema.findOneOption({
    Request: none,
    Result: counting,
    execute: () => sql`SELECT 1 AS count FROM checkpoint_alarm`
  })
  // A part of the table at a time, so that no look takes long.
  const part = SqlSchema.findOne({
    Request: Schema.Struct({ after: Schema.Int, size: Schema.Int }),
    Result: Part,
    execute: ({ after, size }) => sql`
      SELECT MAX(number) AS "upTo", MIN(created_at) AS oldest
      FROM (SELECT number, created_at FROM tasks WHERE number > ${after} ORDER BY number LIMIT ${size})`
  })
  // What the outbox still has of a task is read from its rows; and an execution that lives writes its end.
  const prunable = SqlSchema.findAll({
    Request: Search,
    Result: Ended,
    execute: ({ after, endedBefore, limit, started, upTo }) => sql`
      SELECT number, task_id, message_key, digest, state, updated_at FROM tasks
      WHERE number > ${after} AND number <= ${upTo} AND ended IS NOT NULL AND updated_at <= ${endedBefore}
        AND number NOT IN (SELECT stream FROM checkpoint_outbox)
        AND (updated_at < ${started} OR NOT EXISTS (
          SELECT 1 FROM executions WHERE execution_id > task_id || '/' AND execution_id < task_id || '0'
        ))
      ORDER BY number LIMIT ${limit}`
  })
  const streams = SqlSchema.findAll({
    Request: Schema.String,
    Result: Schema.Struct({ name: Schema.String }),
    execute: (taskId) => sql`
      SELECT name FROM streams
      WHERE name = ${taskId} OR (name > ${taskId} || '/' AND name < ${taskId} || '0') ORDER BY number`
  })
  const workflows = SqlSchema.findAll({
    Request: Schema.Int,
    Result: Schema.Struct({ workspace_id: WorkspaceId, workflow_id: Schema.String }),
    execute: (number) => sql`
      SELECT DISTINCT workspace_id, workflow_id FROM checkpoints WHERE stream = ${number} ORDER BY workflow_id`
  })
  const forgotten = SqlSchema.findAll({
    Request: Schema.Struct({ now: Schema.Finite, limit: Schema.Int }),
    Result: Schema.Struct({ name: Schema.String }),
    execute: ({ limit, now }) => sql`
      SELECT name FROM task_tombstones JOIN streams USING (number)
      WHERE until <= ${now} AND number NOT IN (SELECT stream FROM checkpoint_outbox)
        AND number NOT IN (SELECT number FROM leaving_streams)
      ORDER BY until LIMIT ${limit}`
  })

  return {
    /** How many tasks have ended and are kept. */
    ended: Effect.map(Effect.suspend(ended), ({ count }) => count),
    /** How many changes the outbox holds. */
    pending: Effect.map(Effect.suspend(pending), ({ count }) => count),
    /** The outbox was full, and has not sent what it held then. */
    isFull: Effect.map(Effect.suspend(alarm), Option.isSome),
    /** The last of the next so many tasks by their order of acceptance, and when the first of them was accepted. */
    part,
    prunable,
    /** The streams of a task and of its executions. */
    streams: (taskId: string) => Effect.map(streams(taskId), (rows) => rows.map(({ name }) => name)),
    /** The workflows that the platform may have checkpoints of, by the number of the task's stream. */
    workflows,
    /** The streams of tasks whose messages need not be recognised any more. */
    forgotten: (now: number, limit: number) =>
      Effect.map(forgotten({ now, limit }), (rows) => rows.map(({ name }) => name))
  }
})
