/**
 * Where tasks' events are pushed to, how far, and what was given up.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"
import type { ProjectedRow, Projection } from "./projection.ts"

const schema = [
  // The configuration itself, with its secrets, is in the row of the task's stream, behind its checksum.
  `CREATE TABLE IF NOT EXISTS push_configs (
    task INTEGER NOT NULL,
    id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    row INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    PRIMARY KEY (task, id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS push_dead (
    task INTEGER NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (task, id, sequence)
  ) STRICT, WITHOUT ROWID`
]

const prepare = (database: DatabaseSync) => {
  const set = database.prepare(
    `INSERT INTO push_configs (task, id, task_id, row, delivered) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (task, id) DO UPDATE SET row = excluded.row, delivered = excluded.delivered`
  )
  const remove = database.prepare("DELETE FROM push_configs WHERE task = ? AND id = ?")
  const delivered = database.prepare("UPDATE push_configs SET delivered = max(delivered, ?) WHERE task = ? AND id = ?")
  const bury = database.prepare("INSERT OR REPLACE INTO push_dead (task, id, sequence, detail) VALUES (?, ?, ?, ?)")

  return ({ record, sequence, stream, streamNumber }: ProjectedRow) => {
    switch (record._tag) {
      case "PushConfigured":
        set.run(streamNumber, record.id, stream, sequence, record.after)
        break
      case "PushRemoved":
        remove.run(streamNumber, record.id)
        break
      case "PushDelivered":
        delivered.run(record.upTo, streamNumber, record.id)
        if (record.detail !== undefined) bury.run(streamNumber, record.id, record.upTo, record.detail)
        break
    }
  }
}

/** Tables `push_configs` and `push_dead`. */
export const projection: Projection = {
  name: "push",
  version: 1,
  tables: ["push_configs", "push_dead"],
  schema,
  prepare
}
