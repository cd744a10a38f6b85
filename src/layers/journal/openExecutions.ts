/**
 * Which executions have begun and not ended: what a start of the engine takes up again.
 *
 * It is read from the journal's own rows, so that an execution's begin and end cost a commit no page of their own. The view
 * `executions` looks at the streams that came last, and at those that were open when the others were looked through.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"

/** So many streams that came last are looked at whenever somebody asks. */
const recent = 256

const through = "CAST((SELECT value FROM journal_meta WHERE name = 'executions looked through') AS INTEGER)"

const rowsOf = (number: string) => `journal WHERE id BETWEEN ${number} << 32 AND ${number} << 32 | 4294967295`

// A value may be given to an execution that has not begun. A stream that is on its way out loses its end first, and would
// look open. The last row is most often the one looked for.
const mayBeOpen = (number: string) => `
  (SELECT kind FROM journal WHERE id = ${number} << 32 | 1) IN ('ExecutionStarted', 'DeferredCompleted')
  AND (SELECT 1 FROM ${rowsOf(number)} AND kind = 'ExecutionCompleted' ORDER BY id DESC LIMIT 1) IS NULL
  AND ${number} NOT IN (SELECT number FROM leaving_streams)`

/** Table `open_executions`, and the view `executions` with number, name and workflow of each that has begun and not ended. */
export const schema = [
  "CREATE TABLE IF NOT EXISTS open_executions (number INTEGER PRIMARY KEY) STRICT",
  "INSERT OR IGNORE INTO journal_meta (name, value) VALUES ('executions looked through', '0')",
  `CREATE VIEW IF NOT EXISTS executions (number, execution_id, workflow) AS
    SELECT number, name, began ->> 'workflow' FROM (
      SELECT number, name,
        (SELECT data FROM ${rowsOf("streams.number")} AND kind = 'ExecutionStarted' ORDER BY id LIMIT 1) AS began
      FROM streams WHERE (number > ${through} OR number IN (SELECT number FROM open_executions))
        AND ${mayBeOpen("streams.number")}
    ) WHERE began IS NOT NULL`
]

/** Forgets what was looked through: the next start looks through all. */
export const reset = (database: DatabaseSync) => {
  database.exec("DELETE FROM open_executions")
  database.exec("UPDATE journal_meta SET value = '0' WHERE name = 'executions looked through'")
}

/** Of these open executions, those that the view does not show. */
export const overlooked = (database: DatabaseSync, open: ReadonlySet<number>): ReadonlyArray<number> => {
  // A file of an earlier version has none of it.
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'open_executions'").get() === undefined) return []
  const executions = database.prepare("SELECT number FROM executions").all()
  const shown = new Set(executions.map(({ number }) => number))
  return Array.from(open).filter((number) => !shown.has(number))
}

/** Looks through streams, now and then. Both are called within a transaction. */
export interface OpenExecutions {
  /** Looks through those up to this one, the newest, if there are many by now; answers what the next call is to be given. */
  readonly look: (before: number, newest: number) => number
  /** Up to which stream all were looked through. A stream whose number is given anew is looked at again. */
  readonly begin: (newest: number) => number
}

/** Makes what looks through the streams of a file. */
export const make = (database: DatabaseSync): OpenExecutions => {
  const add = database.prepare(
    `WITH RECURSIVE new (number) AS (SELECT ?1 + 1 UNION ALL SELECT number + 1 FROM new WHERE number < ?2)
    INSERT OR IGNORE INTO open_executions (number) SELECT number FROM new WHERE ${mayBeOpen("new.number")}`
  )
  const drop = database.prepare(`DELETE FROM open_executions WHERE NOT (${mayBeOpen("open_executions.number")})`)
  const keep = database.prepare("UPDATE journal_meta SET value = ? WHERE name = 'executions looked through'")
  const known = database.prepare("SELECT value FROM journal_meta WHERE name = 'executions looked through'")
  const look = (before: number, newest: number) => {
    if (newest - before < recent) return before
    add.run(before, newest)
    drop.run()
    keep.run(String(newest))
    return newest
  }
  return {
    look,
    begin: (newest) => {
      const before = Number(known.get()?.["value"] ?? 0)
      if (before <= newest) return look(before, newest)
      keep.run(String(newest))
      return newest
    }
  }
}
