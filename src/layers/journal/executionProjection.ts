/**
 * The executions that have not ended: what a start of the engine takes up again.
 *
 * @module
 */
import type { Projection } from "./projection.ts"

/** Table `executions`: one row for each execution that has begun and not ended. */
export const projection: Projection = {
  name: "executions",
  version: 1,
  tables: ["executions"],
  ofStreams: [{ table: "executions", stream: "number", key: "number" }],
  schema: [
    `CREATE TABLE IF NOT EXISTS executions (
      number INTEGER PRIMARY KEY,
      execution_id TEXT NOT NULL,
      workflow TEXT NOT NULL
    ) STRICT`
  ],
  prepare: (database) => {
    const begin = database.prepare("INSERT INTO executions (number, execution_id, workflow) VALUES (?, ?, ?)")
    const end = database.prepare("DELETE FROM executions WHERE number = ?")
    return ({ record, stream, streamNumber }) => {
      if (record._tag === "ExecutionStarted") begin.run(streamNumber, stream, record.workflow)
      else if (record._tag === "ExecutionCompleted") end.run(streamNumber)
    }
  }
}
