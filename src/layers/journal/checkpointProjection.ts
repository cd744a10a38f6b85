/**
 * Checkpoints and the outbox to the platform: where the journal has the current checkpoint of each step, and which rows
 * are still to be sent.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"
import type { ProjectedRow, Projection } from "./projection.ts"

const schema = [
  `CREATE TABLE IF NOT EXISTS checkpoints (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    workspace_id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    step_name TEXT NOT NULL,
    step_index INTEGER NOT NULL,
    at INTEGER NOT NULL,
    refused TEXT
  ) STRICT`,
  `CREATE UNIQUE INDEX IF NOT EXISTS checkpoints_step
    ON checkpoints (stream, workflow_id, workspace_id, step_name)`,
  // `since` is set where the row stands for all steps of its workflow that were saved from there up to its position.
  `CREATE TABLE IF NOT EXISTS checkpoint_outbox (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    workspace_id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    step_name TEXT NOT NULL,
    clears INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    since INTEGER
  ) STRICT`,
  `CREATE TABLE IF NOT EXISTS checkpoint_alarm (
    id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) STRICT`
]

/** What follows the task's id in the name of the workflow that holds its steps. */
const stepsSuffix = "/llm_call"

// The task that a workflow belongs to: its name up to the first slash.
const taskOf = (table: string) => `substr(${table}.workflow_id, 1, instr(${table}.workflow_id || '/', '/') - 1)`

const finished = `EXISTS (
  SELECT 1 FROM checkpoints AS done
  WHERE done.stream = o.stream AND done.workflow_id = ${taskOf("o")} AND done.workspace_id = o.workspace_id
    AND done.step_name = 'task_complete'
)`
const isResult = `(o.workflow_id = ${taskOf("o")} AND o.step_name IN ('llm_call', 'task_complete'))`
const isStep = `(o.clears = 0 AND o.position <= ? AND substr(o.workflow_id, -${stepsSuffix.length}) = '${stepsSuffix}')`

const isNumber = (value: unknown): value is number => typeof value === "number"

const makeCompact = (database: DatabaseSync) => {
  const dropReplaced = database.prepare(
    `DELETE FROM checkpoint_outbox AS o WHERE position <= ? AND clears = 0 AND since IS NULL
    AND NOT EXISTS (SELECT 1 FROM checkpoints WHERE checkpoints.position = o.position)`
  )
  const dropEarlierClears = database.prepare(
    `DELETE FROM checkpoint_outbox WHERE position <= ? AND clears = 1 AND position NOT IN (
      SELECT MAX(position) FROM checkpoint_outbox WHERE clears = 1 GROUP BY stream, workspace_id, workflow_id
    )`
  )
  const dropFinished = database.prepare(
    `DELETE FROM checkpoint_outbox AS o WHERE position <= ? AND clears = 0 AND NOT ${isResult} AND ${finished}`
  )
  const mergeSteps = database.prepare(
    `UPDATE checkpoint_outbox SET since = merged.since, bytes = merged.bytes FROM (
      SELECT MAX(position) AS last, MIN(COALESCE(since, position)) AS since, SUM(bytes) AS bytes
      FROM checkpoint_outbox AS o WHERE ${isStep}
      GROUP BY stream, workspace_id, workflow_id HAVING COUNT(*) > 1
    ) AS merged WHERE position = merged.last`
  )
  const dropMerged = database.prepare(
    `DELETE FROM checkpoint_outbox WHERE position IN (
      SELECT position FROM (
        SELECT position, MAX(position) OVER (PARTITION BY stream, workspace_id, workflow_id) AS last
        FROM checkpoint_outbox AS o WHERE ${isStep}
      ) WHERE position < last
    )`
  )
  const size = database.prepare(
    "SELECT COUNT(*) AS entries, COALESCE(SUM(bytes), 0) AS bytes FROM checkpoint_outbox WHERE position <= ?"
  )
  const results = database.prepare(
    `SELECT position, bytes FROM checkpoint_outbox AS o WHERE position <= ? AND clears = 0 AND ${isResult} AND ${finished}
    ORDER BY step_name = 'task_complete', position`
  )
  const drop = database.prepare("DELETE FROM checkpoint_outbox WHERE position = ?")

  return (upTo: number, keepEntries: number, keepBytes: number) => {
    dropReplaced.run(upTo)
    dropEarlierClears.run(upTo)
    dropFinished.run(upTo)
    mergeSteps.run(upTo)
    dropMerged.run(upTo)
    const left = size.get(upTo)
    let entries = Number(left?.["entries"] ?? 0)
    let bytes = Number(left?.["bytes"] ?? 0)
    if (entries <= keepEntries && bytes <= keepBytes) return
    for (const { bytes: own, position } of results.all(upTo)) {
      if (entries <= keepEntries && bytes <= keepBytes) return
      if (!isNumber(own) || !isNumber(position)) continue
      drop.run(position)
      entries--
      bytes -= own
    }
  }
}

const prepare = (database: DatabaseSync) => {
  // A step that is saved again takes the place of what it was: the unique index has the old row replaced.
  const save = database.prepare(
    `INSERT OR REPLACE INTO checkpoints
    (position, stream, sequence, workspace_id, workflow_id, step_name, step_index, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
  )
  const clear = database.prepare("DELETE FROM checkpoints WHERE stream = ? AND workflow_id = ? AND workspace_id = ?")
  const enqueue = database.prepare(
    `INSERT INTO checkpoint_outbox (position, stream, sequence, workspace_id, workflow_id, step_name, clears, bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
  )
  const forwarded = database.prepare("DELETE FROM checkpoint_outbox WHERE position <= ?")
  const relieve = database.prepare("DELETE FROM checkpoint_alarm WHERE position <= ?")
  const pass = database.prepare("DELETE FROM checkpoint_outbox WHERE position = ?")
  const refuse = database.prepare("UPDATE checkpoints SET refused = ? WHERE position = ?")
  const alarm = database.prepare(
    `INSERT INTO checkpoint_alarm (id, position, at) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET position = excluded.position`
  )
  const compact = makeCompact(database)

  return ({ at, position, record, sequence, streamNumber }: ProjectedRow) => {
    switch (record._tag) {
      case "CheckpointSaved": {
        const { known, payload, stepIndex, stepName, workflowId, workspaceId } = record
        save.run(position, streamNumber, sequence, workspaceId, workflowId, stepName, stepIndex, at)
        if (known === true) break
        const bytes = Buffer.byteLength(JSON.stringify(payload))
        enqueue.run(position, streamNumber, sequence, workspaceId, workflowId, stepName, 0, bytes)
        break
      }
      case "CheckpointsCleared":
        clear.run(streamNumber, record.workflowId, record.workspaceId)
        enqueue.run(position, streamNumber, sequence, record.workspaceId, record.workflowId, "", 1, 0)
        break
      case "CheckpointsForwarded":
        forwarded.run(record.upTo)
        relieve.run(record.upTo)
        break
      case "CheckpointRefused":
        pass.run(record.position)
        refuse.run(record.detail, record.position)
        break
      case "CheckpointsRestated":
        forwarded.run(record.upTo)
        for (const { detail, position } of record.refused) refuse.run(detail, position)
        break
      case "OutboxCompacted":
        compact(record.upTo, record.keepEntries, record.keepBytes)
        alarm.run(record.upTo, at)
        break
    }
  }
}

/**
 * Tables `checkpoints`, `checkpoint_outbox` and `checkpoint_alarm`.
 *
 * **Details**
 *
 * `OutboxCompacted` leaves, of the changes up to its position:
 *
 * 1. of each step the newest save, and of each workflow the newest clear; what a clear has removed goes;
 * 2. of a finished task (it has a checkpoint `task_complete`, which is never taken back) only that and `llm_call`;
 * 3. of the steps of a task that is not finished (workflow `<task>/llm_call`) one row, in the place of the newest, which
 *    stands for all of them: a snapshot;
 * 4. where that is still more than `keepEntries` or `keepBytes`: of finished tasks the oldest `llm_call` go, then the
 *    oldest `task_complete`, until it is not. What unfinished tasks need never goes.
 */
export const projection: Projection = {
  name: "checkpoints",
  version: 1,
  tables: ["checkpoints", "checkpoint_outbox", "checkpoint_alarm"],
  ofStreams: [
    { table: "checkpoints", stream: "stream", key: "position" },
    { table: "checkpoint_outbox", stream: "stream", key: "position" }
  ],
  schema,
  prepare
}
