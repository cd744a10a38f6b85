/**
 * Looking after a journal: checking every row of it, and making what is derived from it again.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import * as JournalFile from "./journalFile.ts"
import * as OpenExecutions from "./openExecutions.ts"
import type { Projection } from "./projection.ts"
import * as StreamRemoval from "./streamRemoval.ts"

/** What a check has found. */
export interface Report {
  readonly rows: number
  readonly streams: number
  /** Tables whose content is not what the rows give. */
  readonly differing: ReadonlyArray<string>
}

const attempt = <A>(file: string, body: () => A) =>
  Effect.try({ try: body, catch: (cause) => JournalFile.readFailure(file, cause) })

const opened = (file: string, readOnly: boolean) =>
  Effect.acquireRelease(
    attempt(file, () => new DatabaseSync(file, { readOnly, timeout: 1000 })),
    (database) => Effect.sync(() => database.close())
  )

// Of streams that are on their way out, a part may be left on one side and not on the other.
const contentOf = (database: DatabaseSync, table: string, staying: string) =>
  database
    .prepare(`SELECT * FROM ${table} ${staying}`)
    .all()
    .map((row) => Object.values(row).map(String).join("\u0000"))
    .toSorted()
    .join("\n")

/**
 * Reads every row, checks it against its stream, and compares the derived tables with those that the rows give. It may
 * run beside the owner of the file.
 *
 * **Details**
 *
 * Fails with `JournalDamaged` at the first row that is wrong. The comparison is made on a copy in memory, so that the
 * file is only read.
 */
export const check = Effect.fn("Journal.check")(function* (file: string, projections: ReadonlyArray<Projection>) {
  const database = yield* opened(file, true)
  const copy = yield* opened(":memory:", false)
  return yield* attempt(file, (): Report => {
    for (const { schema } of projections) for (const statement of schema) copy.exec(statement)
    const apply = projections.map((projection) => projection.prepare(copy))
    const streams = new Set<string>()
    const open = new Set<number>()
    let rows = 0
    // One look at the file: what its owner writes meanwhile is in neither side of the comparison.
    database.exec("BEGIN")
    copy.exec("BEGIN")
    JournalFile.forEachRow(file, database, (row) => {
      rows++
      streams.add(row.stream)
      for (const project of apply) project(row)
      if (row.record._tag === "ExecutionStarted") open.add(row.streamNumber)
      if (row.record._tag === "ExecutionCompleted") open.delete(row.streamNumber)
    })
    const tables = projections.flatMap((projection) => projection.tables)
    const staying = StreamRemoval.staying(database, projections)
    const differing = tables.filter(
      (table) => contentOf(database, table, staying(table)) !== contentOf(copy, table, "")
    )
    if (OpenExecutions.overlooked(database, open).length > 0) differing.push("open_executions")
    return { rows, streams: streams.size, differing }
  })
}, Effect.scoped)

/**
 * Drops the derived tables and fills them from the rows, in one transaction. The file must have no other writer: hold the
 * lock of its state directory.
 */
export const rebuild = Effect.fn("Journal.rebuild")(function* (file: string, projections: ReadonlyArray<Projection>) {
  // Read first: to open a file for writing would make one that is not there.
  yield* opened(file, true)
  const database = yield* opened(file, false)
  yield* attempt(file, () => {
    JournalFile.rebuild(file, database, projections)
  })
}, Effect.scoped)
