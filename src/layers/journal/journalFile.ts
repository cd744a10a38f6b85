/**
 * The journal's file: its tables, its one writer, and the transaction in which rows and what is derived from them are
 * written. Synchronous, like SQLite itself; who shares a commit with whom is decided in `JournalSqlite`.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  JournalDamaged,
  type JournalEntry,
  type JournalRow,
  JournalUnavailable
} from "../../services/durable/Journal.ts"
import * as SqliteFile from "../sql/sqliteFile.ts"
import { checksum, genesis } from "./checksum.ts"
import * as JournalTables from "./journalTables.ts"
import * as OpenExecutions from "./openExecutions.ts"
import type { ProjectedRow, Projection } from "./projection.ts"
import { decodeRow, type StoredRow } from "./rowCodec.ts"
import * as StreamRemoval from "./streamRemoval.ts"

/** What a person can do about a damaged journal. */
export const damageRemedy =
  "stop the workspace, keep a copy of the file, and put a backup in its place; or delete the state directory: the next start rebuilds the unfinished tasks that the platform knows"

/** Positions are reserved so many at a time: a start goes on behind those reserved, and the numbers that are left out matter to nobody. */
const reserve = 100_000

const columns = "position, streams.name AS stream, number, sequence, kind, at, data, sum"
const rows = "journal JOIN streams ON number = journal.stream"

/** How many streams' ends are remembered; the others are looked up again. */
const rememberedEnds = 10_000

/** How many names are remembered that were looked up and are no streams yet: most of them are about to become one. */
const rememberedNames = 1_000

interface End {
  readonly number: number
  readonly sequence: number
  readonly sum: string
}

const isRow = (row: unknown): row is StoredRow & { readonly number: number } => Predicate.isObject(row)

const sqliteCode = (cause: unknown) =>
  Predicate.hasProperty(cause, "errcode") && typeof cause.errcode === "number" ? cause.errcode & 0xff : 0

/** SQLite's number for a file whose pages contradict each other, and for one that is no database. */
const corrupt = new Set([11, 26])

/** SQLite's numbers for what the system answered, whatever it was: a read or write that failed, a file that cannot be opened. */
const system = new Set([10, 14])

/**
 * The failure of an operation on the file, by SQLite's own code: 13 is a full disk, 8 a read-only file. Of what the system
 * answers SQLite tells no more than that it failed, so the file is asked.
 */
export const failureOf = (file: string, cause: unknown): JournalUnavailable => {
  const code = sqliteCode(cause)
  const detail = cause instanceof Error ? cause.message : String(cause)
  if (code === 13) {
    return new JournalUnavailable({
      file,
      reason: "full",
      detail,
      remedy: "make room on the disk; work goes on by itself"
    })
  }
  if (code === 8 || (system.has(code) && SqliteFile.isReadOnly(file))) {
    const remedy = "make the file and its directory writable for this user; work goes on by itself"
    return new JournalUnavailable({ file, reason: "readonly", detail, remedy })
  }
  const remedy = corrupt.has(code) ? damageRemedy : "see what the system says about the disk; work goes on by itself"
  return new JournalUnavailable({ file, reason: "failed", detail, remedy })
}

const isDamaged = Schema.is(JournalDamaged)

/** What went wrong while reading: damage as it is, everything else by SQLite's own code. */
export const readFailure = (file: string, cause: unknown): JournalDamaged | JournalUnavailable =>
  isDamaged(cause) ? cause : failureOf(file, cause)

/** An entry with its time and its text. */
export interface Staged extends JournalEntry {
  readonly at: number
  readonly data: string
}

/** The writer. */
export interface JournalFile {
  readonly epoch: () => string
  /** Keeps another epoch from now on, or throws SQLite's error. */
  readonly renew: (epoch: string) => void
  /** Writes all entries and what follows from them, durably, or throws and has written none. */
  readonly commit: (entries: ReadonlyArray<Staged>) => void
  /** Removes these streams, and those that a `TaskForgotten` named: at most so many rows. How many, or SQLite's error. */
  readonly remove: (streams: ReadonlyArray<string>, limit: number) => number
  /** The rows of a stream after a sequence number, checked. Throws {@link JournalDamaged} or SQLite's error. */
  readonly read: (stream: string, after: number, limit?: number) => ReadonlyArray<JournalRow>
  readonly close: () => void
}

/** How a journal is opened. */
export interface Options {
  readonly filename: string
  readonly projections: ReadonlyArray<Projection>
  /** A text that no other journal has. */
  readonly newEpoch: string
  /** Milliseconds that a start waits for another process's lock, in which it does nothing else. */
  readonly busyTimeout: number
}

// Prepared once: they are run for each commit.
const controls = new WeakMap<DatabaseSync, readonly [begin: StatementSync, end: StatementSync]>()
const controlsOf = (database: DatabaseSync) => {
  const known = controls.get(database)
  if (known !== undefined) return known
  const made = [database.prepare("BEGIN IMMEDIATE"), database.prepare("COMMIT")] as const
  controls.set(database, made)
  return made
}

const transaction = <A>(database: DatabaseSync, body: () => A): A => {
  const [begin, end] = controlsOf(database)
  begin.run()
  try {
    const result = body()
    end.run()
    return result
  } catch (cause) {
    // After some failures (a full disk among them) SQLite has rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK")
    throw cause
  }
}

const meta = (database: DatabaseSync, name: string): string | undefined => {
  const row = database.prepare("SELECT value FROM journal_meta WHERE name = ?").get(name)
  return typeof row?.["value"] === "string" ? row["value"] : undefined
}
const setMeta = (database: DatabaseSync, name: string, value: string) =>
  database.prepare("INSERT OR REPLACE INTO journal_meta (name, value) VALUES (?, ?)").run(name, value)

/**
 * Reads every row of the streams that stay in order, checking each against its stream. Throws {@link JournalDamaged} at the
 * first that is wrong.
 */
export const forEachRow = (file: string, database: DatabaseSync, visit: (row: ProjectedRow) => void) => {
  const ends = new Map<string, { readonly sequence: number; readonly sum: string }>()
  const leaving = StreamRemoval.leaving(database)
  for (const stored of database.prepare(`SELECT ${columns} FROM ${rows} ORDER BY position`).iterate()) {
    if (!isRow(stored) || leaving.has(stored.number)) continue
    const end = ends.get(stored.stream) ?? { sequence: 0, sum: genesis }
    if (stored.sequence !== end.sequence + 1) throw missing(file, stored.stream, end.sequence + 1)
    const row = decodeRow(end.sum, stored)
    if (Result.isFailure(row)) throw damaged(file, stored, row.failure)
    ends.set(stored.stream, { sequence: stored.sequence, sum: stored.sum })
    visit({ ...row.success, streamNumber: stored.number })
  }
}

const damaged = (file: string, { sequence, stream }: StoredRow, detail: string) =>
  new JournalDamaged({ file, stream, sequence, detail, remedy: damageRemedy })
const missing = (file: string, stream: string, sequence: number) =>
  new JournalDamaged({ file, stream, sequence, detail: "the row is missing", remedy: damageRemedy })

/** Empties the tables of the projections and fills them from the rows, in one transaction. */
export const rebuild = (file: string, database: DatabaseSync, projections: ReadonlyArray<Projection>) =>
  transaction(database, () => {
    for (const projection of projections) {
      for (const table of projection.tables) database.exec(`DROP TABLE IF EXISTS ${table}`)
      for (const statement of projection.schema) database.exec(statement)
      setMeta(database, `projection ${projection.name}`, String(projection.version))
    }
    JournalTables.make(database)
    OpenExecutions.reset(database)
    const apply = projections.map((projection) => projection.prepare(database))
    forEachRow(file, database, (row) => apply.forEach((project) => project(row)))
  })

const openDatabase = ({ busyTimeout, filename }: Options) => {
  SqliteFile.keepPrivate(filename)
  const database = new DatabaseSync(filename, { timeout: busyTimeout })
  SqliteFile.writeAhead(database)
  SqliteFile.durable(database)
  return database
}

const prepareTables = (database: DatabaseSync, options: Options) => {
  transaction(database, () => {
    JournalTables.make(database)
    if (meta(database, "epoch") === undefined) setMeta(database, "epoch", options.newEpoch)
  })
  const outdated = options.projections.filter(
    (projection) => meta(database, `projection ${projection.name}`) !== String(projection.version)
  )
  if (outdated.length > 0) rebuild(options.filename, database, outdated)
}

/** Opens the file, makes what is missing, and derives again what an older version had derived otherwise. */
export const open = (options: Options): JournalFile => {
  const { filename: file } = options
  const database = openDatabase(options)
  prepareTables(database, options)
  return makeWriter(file, database, options.projections)
}

const makeWriter = (file: string, database: DatabaseSync, projections: ReadonlyArray<Projection>): JournalFile => {
  const apply = projections.map((projection) => projection.prepare(database))
  const removal = StreamRemoval.make(database, projections)
  const insert = database.prepare(
    "INSERT INTO journal (id, position, kind, at, data, sum) VALUES (?1 << 32 | ?2, ?3, ?4, ?5, ?6, ?7)"
  )
  const insertStream = database.prepare("INSERT INTO streams (name, number) VALUES (?, ?)")
  const findStream = database.prepare("SELECT number FROM streams WHERE name = ?")
  const lastOf = database.prepare(
    "SELECT sequence, sum FROM journal WHERE id BETWEEN ?1 << 32 AND ?1 << 32 | 4294967295 ORDER BY id DESC LIMIT 1"
  )
  const rowsAfter = database.prepare(
    `SELECT position, ?3 AS stream, stream AS number, sequence, kind, at, data, sum FROM journal
    WHERE id BETWEEN ?1 << 32 | ?2 AND ?1 << 32 | 4294967295 ORDER BY id`
  )
  const ends = new Map<string, End>()
  const absent = new Set<string>()
  const reserved = Number(meta(database, "reserved positions") ?? 0)
  let epoch = meta(database, "epoch") ?? ""
  let position = reserved
  let limit = reserved
  // The number of the newest stream, be it on its way out.
  const newest = database
    .prepare(
      "SELECT max(ifnull((SELECT max(id) >> 32 FROM journal), 0), ifnull((SELECT max(number) FROM leaving_streams), 0)) AS number"
    )
    .get()?.["number"]
  let streams = typeof newest === "number" ? newest : 0
  // With those that the commit under way makes.
  let numbered = streams
  const executions = OpenExecutions.make(database)
  let lookedThrough = transaction(database, () => executions.begin(streams))

  const numberOf = (stream: string): number | undefined => {
    const known = ends.get(stream)
    if (known !== undefined) return known.number
    if (absent.has(stream)) return undefined
    const number = findStream.get(stream)?.["number"]
    if (typeof number === "number") return number
    if (absent.size >= rememberedNames) absent.clear()
    absent.add(stream)
    return undefined
  }

  const newStream = (stream: string): End => {
    const number = ++numbered
    insertStream.run(stream, number)
    return { number, sequence: 0, sum: genesis }
  }

  const endOf = (stream: string): End => {
    const known = ends.get(stream)
    if (known !== undefined) return known
    const number = numberOf(stream)
    if (number === undefined) return newStream(stream)
    const last = lastOf.get(number)
    const { sequence, sum } = last ?? {}
    return typeof sequence === "number" && typeof sum === "string"
      ? { number, sequence, sum }
      : { number, sequence: 0, sum: genesis }
  }

  const begunAnew = (stream: string): End => {
    removal.supersede(stream)
    return newStream(stream)
  }

  const write = ({ at, data, record, stream }: Staged, fresh: Map<string, End>, place: number): ProjectedRow => {
    const end = record._tag === "CheckpointsRestated" ? begunAnew(stream) : (fresh.get(stream) ?? endOf(stream))
    const { number } = end
    const sequence = end.sequence + 1
    const sum = checksum(end.sum, { stream, sequence, kind: record._tag, at, data })
    insert.run(number, sequence, place, record._tag, at, data, sum)
    fresh.set(stream, { number, sequence, sum })
    return { position: place, stream, streamNumber: number, sequence, at, record }
  }

  const remember = (fresh: Map<string, End>) => {
    for (const [stream, end] of fresh) {
      absent.delete(stream)
      ends.delete(stream)
      ends.set(stream, end)
    }
    for (const oldest of ends.keys()) {
      if (ends.size <= rememberedEnds) break
      ends.delete(oldest)
    }
  }

  const checked = (previous: string, stored: StoredRow) => {
    const row = decodeRow(previous, stored)
    if (Result.isFailure(row)) throw damaged(file, stored, row.failure)
    return row.success
  }

  const read = (stream: string, after: number, limit = Infinity) => {
    const found: Array<JournalRow> = []
    const number = numberOf(stream)
    if (number === undefined) return found
    let expected = after + 1
    let previous = genesis
    // The row before the first that is asked for comes along: its checksum is part of the next one's.
    for (const stored of rowsAfter.iterate(number, after, stream)) {
      if (!isRow(stored)) continue
      if (found.length >= limit) break
      if (stored.sequence === after) {
        previous = stored.sum
        continue
      }
      if (stored.sequence !== expected) throw missing(file, stream, expected)
      found.push(checked(previous, stored))
      previous = stored.sum
      expected++
    }
    return found
  }

  return {
    epoch: () => epoch,
    renew: (next) => {
      setMeta(database, "epoch", next)
      epoch = next
    },
    commit: (entries) => {
      const fresh = new Map<string, End>()
      numbered = streams
      const enough = position + entries.length <= limit ? limit : position + entries.length + reserve
      const looked = transaction(database, () => {
        if (enough > limit) setMeta(database, "reserved positions", String(enough))
        entries.forEach((entry, index) => {
          const row = write(entry, fresh, position + index + 1)
          for (const project of apply) project(row)
          if (entry.record._tag === "TaskForgotten") removal.mark(entry.record.streams)
        })
        return executions.look(lookedThrough, numbered)
      })
      lookedThrough = looked
      position += entries.length
      limit = enough
      streams = numbered
      remember(fresh)
    },
    remove: (streams, most) => {
      const { names, rows: removed } = transaction(database, () => {
        removal.mark(streams)
        return removal.remove(most)
      })
      for (const name of names) ends.delete(name)
      return removed
    },
    read,
    close: () => database.close()
  }
}
