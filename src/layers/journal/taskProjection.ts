/**
 * Tasks, what they said, what they wait for: where the journal has it, and the little that is asked for by its content.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"
import { isTerminal } from "../../services/durable/TaskStore.ts"
import type { ProjectedRow, Projection } from "./projection.ts"

const schema = [
  // Input, answer and error are not here but in the rows `1` and `ended` of the task's stream, behind their checksums.
  `CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL,
    message_key TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    state TEXT NOT NULL,
    ended INTEGER,
    version INTEGER NOT NULL,
    code TEXT NOT NULL,
    restored INTEGER NOT NULL,
    segment INTEGER NOT NULL DEFAULT 0,
    segment_row INTEGER,
    held TEXT,
    held_detail TEXT,
    boots INTEGER NOT NULL DEFAULT 0,
    caller TEXT NOT NULL,
    context TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX IF NOT EXISTS tasks_unfinished ON tasks (number) WHERE ended IS NULL`,
  `CREATE TABLE IF NOT EXISTS task_events (
    task INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    row INTEGER NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (task, sequence)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS task_attempts (
    task INTEGER NOT NULL,
    step TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (task, step)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS task_waits (
    task INTEGER NOT NULL,
    wait TEXT NOT NULL,
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    since INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    retries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (task, wait)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS task_tombstones (
    number INTEGER PRIMARY KEY,
    message_key TEXT NOT NULL UNIQUE,
    task_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    until INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX IF NOT EXISTS task_tombstones_until ON task_tombstones (until)`
]

const prepare = (database: DatabaseSync) => {
  const accept = database.prepare(
    `INSERT INTO tasks (number, task_id, message_key, digest, accepted, state, version, code, restored, caller, context, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, 'submitted', ?, ?, ?, ?, ?, ?, ?)`
  )
  const move = database.prepare("UPDATE tasks SET state = ?, ended = ?, updated_at = ? WHERE number = ?")
  const endWaits = database.prepare("DELETE FROM task_waits WHERE task = ?")
  const say = database.prepare(
    "INSERT INTO task_events (task, sequence, row, step, attempt, number) VALUES (?, ?, ?, ?, ?, ?)"
  )
  const attempt = database.prepare(
    `INSERT INTO task_attempts (task, step, attempts) VALUES (?, ?, ?)
    ON CONFLICT (task, step) DO UPDATE SET attempts = excluded.attempts`
  )
  const segment = database.prepare("UPDATE tasks SET segment = ?, segment_row = ?, boots = 0 WHERE number = ?")
  const resumed = database.prepare("UPDATE tasks SET boots = boots + 1 WHERE number = ?")
  const progress = database.prepare("UPDATE tasks SET boots = 0 WHERE number = ? AND boots > 0")
  const hold = database.prepare("UPDATE tasks SET held = ?, held_detail = ? WHERE number = ?")
  const release = database.prepare("UPDATE tasks SET held = NULL, held_detail = NULL, boots = 0 WHERE number = ?")
  const wait = database.prepare(
    `INSERT INTO task_waits (task, wait, task_id, kind, reason, source, since, deadline) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (task, wait) DO NOTHING`
  )
  const retryWait = database.prepare(
    "UPDATE task_waits SET retries = retries + 1, deadline = ? WHERE task = ? AND wait = ?"
  )
  const endWait = database.prepare("DELETE FROM task_waits WHERE task = ? AND wait = ?")
  const bury = database.prepare(
    `INSERT OR REPLACE INTO task_tombstones (message_key, number, task_id, digest, state, until)
    VALUES (?, ?, ?, ?, ?, ?)`
  )
  // At once, so that nobody finds half a task; what else is derived from its rows goes with them.
  const forget = database.prepare("DELETE FROM tasks WHERE message_key = ? AND task_id = ?")

  return ({ at, record, sequence, stream, streamNumber }: ProjectedRow) => {
    switch (record._tag) {
      case "TaskAccepted":
        accept.run(
          streamNumber,
          stream,
          record.messageKey,
          record.digest,
          sequence,
          record.version,
          record.code,
          record.restored ? 1 : 0,
          record.input.caller,
          record.input.contextId === "" ? stream : record.input.contextId,
          at,
          at
        )
        break
      case "TaskMoved":
        move.run(record.state, isTerminal(record.state) ? sequence : null, at, streamNumber)
        say.run(streamNumber, record.sequence, sequence, "", 1, -record.sequence)
        if (isTerminal(record.state)) endWaits.run(streamNumber)
        break
      case "TaskSaid":
        say.run(streamNumber, record.sequence, sequence, record.step, record.attempt, record.number)
        break
      case "StepBegan":
        attempt.run(streamNumber, record.step, record.attempt)
        // A step that never began before: the task has got on since it was taken up.
        if (record.attempt === 1) progress.run(streamNumber)
        break
      case "SegmentBegan":
        segment.run(record.segment, sequence, streamNumber)
        break
      case "TaskResumed":
        resumed.run(streamNumber)
        break
      case "TaskHeld":
        hold.run(record.reason, record.detail, streamNumber)
        break
      case "TaskReleased":
        release.run(streamNumber)
        break
      case "WaitBegan":
        wait.run(streamNumber, record.wait, stream, record.kind, record.reason, record.from, at, record.deadline)
        progress.run(streamNumber)
        break
      case "WaitRetried":
        retryWait.run(record.deadline, streamNumber, record.wait)
        break
      case "WaitEnded":
        endWait.run(streamNumber, record.wait)
        break
      case "TaskForgotten":
        forget.run(record.messageKey, record.taskId)
        bury.run(record.messageKey, streamNumber, record.taskId, record.digest, record.state, record.until)
        break
    }
  }
}

/** Tables `tasks`, `task_events`, `task_attempts`, `task_waits` and `task_tombstones`. */
export const projection: Projection = {
  name: "tasks",
  version: 2,
  tables: ["tasks", "task_events", "task_attempts", "task_waits", "task_tombstones"],
  ofStreams: [
    { table: "tasks", stream: "number", key: "number" },
    { table: "task_events", stream: "task", key: "sequence" },
    { table: "task_attempts", stream: "task", key: "step" },
    { table: "task_waits", stream: "task", key: "wait" },
    { table: "task_tombstones", stream: "number", key: "number" }
  ],
  schema,
  prepare
}
