/**
 * The journal's own tables, and how those of earlier versions become them.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"
import * as OpenExecutions from "./openExecutions.ts"
import * as StreamRemoval from "./streamRemoval.ts"

// A row's id is made of its stream's number and its sequence, so that those of the streams that live lie side by side at
// the end of one tree: a commit then touches few pages, whatever the streams are called. It is the table's own key,
// because SQLite appends to such a table page by page, and shuffles several at the end of one that is WITHOUT ROWID.
const journal = `CREATE TABLE IF NOT EXISTS journal (
  id INTEGER PRIMARY KEY,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  sum TEXT NOT NULL,
  stream INTEGER NOT NULL GENERATED ALWAYS AS (id >> 32) VIRTUAL,
  sequence INTEGER NOT NULL GENERATED ALWAYS AS (id & 4294967295) VIRTUAL
) STRICT`

// Streams are numbered as they come.
const streams = `CREATE TABLE IF NOT EXISTS streams (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID`

const meta = `CREATE TABLE IF NOT EXISTS journal_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`

const createdAs = (database: DatabaseSync, table: string, part: string) =>
  database
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0")
    .get(table, part) !== undefined

const upgrade = (database: DatabaseSync) => {
  if (createdAs(database, "journal", "PRIMARY KEY (stream, sequence)")) {
    database.exec("ALTER TABLE journal RENAME TO journal_1")
    database.exec(journal)
    database.exec(`INSERT INTO journal (id, position, kind, at, data, sum)
      SELECT stream << 32 | sequence, position, kind, at, data, sum FROM journal_1 ORDER BY stream, sequence`)
    database.exec("DROP TABLE journal_1")
  }
  if (createdAs(database, "streams", "number INTEGER PRIMARY KEY")) {
    database.exec("ALTER TABLE streams RENAME TO streams_1")
    database.exec(streams)
    database.exec("INSERT INTO streams (name, number) SELECT name, number FROM streams_1 ORDER BY name")
    database.exec("DROP TABLE streams_1")
  }
  if (createdAs(database, "executions", "")) database.exec("DROP TABLE executions")
}

/** Makes what is missing, and turns what an earlier version made into what it would be now. In a transaction. */
export const make = (database: DatabaseSync) => {
  upgrade(database)
  for (const statement of [streams, journal, meta, StreamRemoval.schema, ...OpenExecutions.schema]) {
    database.exec(statement)
  }
}
