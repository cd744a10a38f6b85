/**
 * What is derived from the journal: tables that are written in the transaction of the rows they come from, and that can
 * be made again from the rows at any time.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite"
import type { JournalRow } from "../../services/durable/Journal.ts"

/** A row with the number of its stream, which is a shorter key than its name, and grows with each new stream. */
export interface ProjectedRow extends JournalRow {
  readonly streamNumber: number
}

/**
 * One set of derived tables.
 *
 * **Details**
 *
 * `apply` is called for each row in the order of positions, inside the transaction that writes the row. It may read and
 * write its own tables only, and depends on nothing but the rows: neither the clock nor chance nor another projection.
 * What it throws undoes the transaction. Prepare statements once, in `prepare`.
 */
export interface Projection {
  readonly name: string
  /** Raise it whenever tables or rules change: at the next start the tables are made again from the journal. */
  readonly version: number
  readonly tables: ReadonlyArray<string>
  /** `CREATE TABLE` and `CREATE INDEX` statements for `tables`. */
  readonly schema: ReadonlyArray<string>
  /**
   * Those of `tables` whose rows belong to one stream each, whose number is in the column `stream`: they go with it. `key`
   * is the column that tells apart the rows of a stream. Unless the table is small, an index begins with `stream`.
   */
  readonly ofStreams?: ReadonlyArray<{ readonly table: string; readonly stream: string; readonly key: string }>
  readonly prepare: (database: DatabaseSync) => (row: ProjectedRow) => void
}
