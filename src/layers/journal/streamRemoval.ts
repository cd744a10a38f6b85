/**
 * Taking streams out of a journal's file, a few rows at a time.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"
import type { Projection } from "./projection.ts"

/** The streams that are on their way out: what is left of their rows counts for nothing. */
export const schema =
  "CREATE TABLE IF NOT EXISTS leaving_streams (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT"

/** How many bytes of rows are removed at once, besides those of the one row that may be larger: each page takes its time. */
const maxBytes = 512 * 1024

const isThere = (database: DatabaseSync) =>
  database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'leaving_streams'").get() !== undefined

/** The numbers of the streams that are on their way out. A file of an older version has none. */
export const leaving = (database: DatabaseSync): ReadonlySet<unknown> =>
  isThere(database)
    ? new Set(
        database
          .prepare("SELECT number FROM leaving_streams")
          .all()
          .map(({ number }) => number)
      )
    : new Set()

/** The condition by which a derived table is read without what is left of streams that are on their way out. */
export const staying = (database: DatabaseSync, projections: ReadonlyArray<Projection>) => {
  const columns = new Map(
    isThere(database)
      ? projections.flatMap(({ ofStreams = [] }) => ofStreams.map(({ stream, table }) => [table, stream] as const))
      : []
  )
  return (table: string): string => {
    const column = columns.get(table)
    return column === undefined ? "" : `WHERE ${column} NOT IN (SELECT number FROM leaving_streams)`
  }
}

/** Removes streams. Both functions are called within a transaction. */
export interface Removal {
  /** These streams are over. Names that no stream has are passed over. */
  readonly mark: (streams: ReadonlyArray<string>) => void
  /** The stream is over, and its name is free for another. */
  readonly supersede: (stream: string) => void
  /**
   * Removes at most so many rows of the streams that are over, derived ones included, and tells how many, and which streams
   * are gone.
   */
  readonly remove: (limit: number) => { readonly rows: number; readonly names: ReadonlyArray<string> }
}

/** Makes the removal of a file that has these projections. */
export const make = (database: DatabaseSync, projections: ReadonlyArray<Projection>): Removal => {
  const mark = database.prepare(
    "INSERT OR IGNORE INTO leaving_streams (number, name) SELECT number, name FROM streams WHERE name = ?"
  )
  const rename = database.prepare("UPDATE streams SET name = name || '/' || number WHERE name = ? RETURNING name")
  const next = database.prepare("SELECT number, name FROM leaving_streams ORDER BY number DESC LIMIT 1")
  const derived = projections
    .flatMap(({ ofStreams = [] }) => ofStreams)
    .map(({ key, stream, table }) =>
      database.prepare(
        `DELETE FROM ${table} WHERE ${stream} = ?1 AND ${key} IN (SELECT ${key} FROM ${table} WHERE ${stream} = ?1 LIMIT ?2)`
      )
    )
  // From the end: what is left vouches for itself as before.
  const last = database.prepare(
    `SELECT sequence, octet_length(data) AS bytes FROM journal
    WHERE id BETWEEN ?1 << 32 AND ?1 << 32 | 4294967295 ORDER BY id DESC LIMIT ?2`
  )
  const cut = database.prepare("DELETE FROM journal WHERE id BETWEEN ?1 << 32 | ?2 AND ?1 << 32 | 4294967295")
  const dropStream = database.prepare("DELETE FROM streams WHERE name = ?")
  const unmark = database.prepare("DELETE FROM leaving_streams WHERE number = ?")

  const removeEnd = (number: number, limit: number) => {
    let from: number | undefined
    let bytes = 0
    for (const row of last.iterate(number, limit)) {
      bytes += Number(row["bytes"])
      if (from !== undefined && bytes > maxBytes) break
      from = Number(row["sequence"])
    }
    return { rows: from === undefined ? 0 : Number(cut.run(number, from).changes), whole: bytes <= maxBytes }
  }

  return {
    mark: (streams) => {
      for (const stream of streams) mark.run(stream)
    },
    supersede: (stream) => {
      const name = rename.get(stream)?.["name"]
      if (typeof name === "string") mark.run(name)
    },
    remove: (limit) => {
      const names: Array<string> = []
      let left = limit
      while (left > 0) {
        const stream = next.get()
        if (stream === undefined) break
        const number = Number(stream["number"])
        for (const statement of derived) {
          if (left > 0) left -= Number(statement.run(number, left).changes)
        }
        if (left <= 0) break
        const { rows, whole } = removeEnd(number, left)
        left -= rows
        if (!whole) break
        if (left <= 0) break
        dropStream.run(stream["name"] ?? null)
        unmark.run(number)
        names.push(String(stream["name"]))
        // Counted too: while there are streams to be dropped, there is something to do.
        left--
      }
      return { rows: limit - left, names }
    }
  }
}
