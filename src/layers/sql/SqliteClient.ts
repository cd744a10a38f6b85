/**
 * Effect's `SqlClient` on Node's own SQLite (`node:sqlite`).
 *
 * It has the exports, the options and the `driver` name of Effect's `@effect/sql-sqlite-node`, so that the official package
 * can take its place once it has a release for this line of Effect.
 *
 * @module
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, ConnectionError, isSqlError, SqlError, SqlSyntaxError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as SqliteFile from "./sqliteFile.ts"

/** How the database is opened. */
export interface SqliteClientConfig {
  /** Path of the file, made if it is missing (with mode 0600; SQLite gives its `-wal` and `-shm` the same). Or `:memory:`. */
  readonly filename: string
  /** Open without the right to write; the file must exist. */
  readonly readonly?: boolean | undefined
  /** How many prepared statements are kept, the least recently used going first. 200 if not given. */
  readonly prepareCacheSize?: number | undefined
  /** Keep the rollback journal instead of the write-ahead log. */
  readonly disableWAL?: boolean | undefined
  /**
   * How long a statement waits for another process's lock, in milliseconds. The wait blocks the whole process, so it is
   * short: 1000 if not given.
   */
  readonly busyTimeout?: number | undefined
  readonly transformResultNames?: ((name: string) => string) | undefined
  readonly transformQueryNames?: ((name: string) => string) | undefined
  readonly spanAttributes?: Record<string, unknown> | undefined
}

const sqlError = (cause: unknown, operation: string) => {
  const props = {
    cause,
    message: `SQLite: failed to ${operation}: ${cause instanceof Error ? cause.message : String(cause)}`,
    operation
  }
  if (Predicate.hasProperty(cause, "code") && cause.code === "ERR_INVALID_STATE") {
    return new SqlError({ reason: new ConnectionError(props) })
  }
  // Effect's classification looks for SQLite's number under `errno`; node:sqlite calls it `errcode`.
  const known =
    cause instanceof Error && Predicate.hasProperty(cause, "errcode")
      ? Object.assign(cause, { errno: cause.errcode })
      : cause
  return new SqlError({ reason: classifySqliteError(known, props) })
}

const attempt = <A>(operation: string, evaluate: () => A) =>
  Effect.try({ try: evaluate, catch: (cause) => (isSqlError(cause) ? cause : sqlError(cause, operation)) })

// A value that SQLite has no type for must fail here: as the only parameter of a statement node:sqlite would take an
// object for a set of named parameters, and bind nothing.
const toInput = (value: unknown): SQLInputValue => {
  if (value === undefined || value === null) return null
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array || value instanceof Int8Array) return value
  throw new TypeError(`cannot bind a value of type ${typeof value}`)
}

// SQLite compiles the first statement of a text and silently leaves out the rest.
const onlyOneStatement = (statement: StatementSync, text: string) => {
  const rest = text.slice(text.indexOf(statement.sourceSQL) + statement.sourceSQL.length)
  const meaning = rest.replace(/--[^\n]*|\/\*[^]*?\*\//g, "").replace(/[\s;]/g, "")
  if (meaning === "") return
  const message = "SQLite: more than one statement in one text: only the first would run"
  throw new SqlError({ reason: new SqlSyntaxError({ cause: new TypeError(text), message, operation: "prepare" }) })
}

const open = (config: SqliteClientConfig) => {
  if (config.filename !== ":memory:" && config.readonly !== true) SqliteFile.keepPrivate(config.filename)
  return new DatabaseSync(config.filename, {
    readOnly: config.readonly ?? false,
    timeout: config.busyTimeout ?? 1000,
    enableForeignKeyConstraints: true
  })
}

const configure = (db: DatabaseSync, config: SqliteClientConfig) => {
  if (config.readonly === true) {
    // The first read tells whether this is a database at all.
    db.exec("PRAGMA schema_version")
    return
  }
  if (config.disableWAL !== true) SqliteFile.writeAhead(db)
  SqliteFile.durable(db)
}

const makeStatements = (db: DatabaseSync, size: number) => {
  const cache = new Map<string, StatementSync>()
  const prepare = (sql: string) => {
    const statement = db.prepare(sql)
    onlyOneStatement(statement, sql)
    return statement
  }
  const cached = (sql: string) => {
    const found = cache.get(sql)
    const statement = found ?? prepare(sql)
    cache.delete(sql)
    cache.set(sql, statement)
    if (cache.size > size) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest)
        break
      }
    }
    return statement
  }
  return { prepare, cached }
}

type Mode = "rows" | "values" | "raw"

const pageSize = 128

const page = (iterator: ReturnType<StatementSync["iterate"]>) => {
  const rows: Array<Record<string, SQLOutputValue>> = []
  while (rows.length < pageSize) {
    const next = iterator.next()
    if (next.done === true) break
    rows.push({ ...next.value })
  }
  return rows
}

const makeConnection = (db: DatabaseSync, cacheSize: number): Connection => {
  const statements = makeStatements(db, cacheSize)

  const run = (sql: string, params: ReadonlyArray<unknown>, mode: Mode, prepared: boolean) =>
    Effect.withFiber((fiber) =>
      attempt("execute statement", (): unknown => {
        const statement = prepared ? statements.cached(sql) : statements.prepare(sql)
        statement.setReadBigInts(fiber.getRef(SqlClient.SafeIntegers))
        statement.setReturnArrays(mode === "values")
        const inputs = params.map(toInput)
        return mode === "raw" && statement.columns().length === 0 ? statement.run(...inputs) : statement.all(...inputs)
      })
    )

  const iterate = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.acquireRelease(
      Effect.withFiber((fiber) =>
        attempt("execute statement", () => {
          // Not from the cache: a statement that is being iterated cannot be run by anyone else.
          const statement = statements.prepare(sql)
          statement.setReadBigInts(fiber.getRef(SqlClient.SafeIntegers))
          return statement.iterate(...params.map(toInput))
        })
      ),
      // An iteration that stopped half way would keep its snapshot, and the log could never be shortened.
      (iterator) => Effect.sync(() => iterator.return?.())
    )

  const rows = (
    sql: string,
    params: ReadonlyArray<unknown>,
    transformRows: Parameters<Connection["execute"]>[2],
    prepared: boolean
  ) =>
    Effect.map(run(sql, params, "rows", prepared), (result) => {
      // node:sqlite's rows have no prototype, and would not be equal to plain objects.
      const plain: ReadonlyArray<object> = Array.isArray(result) ? result.map((row) => ({ ...row })) : []
      return transformRows === undefined ? plain : transformRows(plain)
    })

  const values = (sql: string, params: ReadonlyArray<unknown>, prepared: boolean) =>
    Effect.map(run(sql, params, "values", prepared), (result) => (Array.isArray(result) ? result : []))

  return {
    execute: (sql, params, transformRows) => rows(sql, params, transformRows, true),
    executeUnprepared: (sql, params, transformRows) => rows(sql, params, transformRows, false),
    executeRaw: (sql, params) => run(sql, params, "raw", true),
    executeValues: (sql, params) => values(sql, params, true),
    executeValuesUnprepared: (sql, params) => values(sql, params, false),
    executeStream: (sql, params, transformRows) =>
      Effect.map(iterate(sql, params), (iterator) =>
        Stream.paginate(undefined, () =>
          Effect.map(
            attempt("read rows", () => page(iterator)),
            (rows) => [
              transformRows === undefined ? rows : transformRows(rows),
              rows.length < pageSize ? Option.none<undefined>() : Option.some(undefined)
            ]
          )
        )
      ).pipe(Stream.unwrap)
  }
}

/**
 * Opens the database for as long as the scope lives: write-ahead log, `synchronous=FULL`, foreign keys enforced.
 *
 * **Details**
 *
 * One connection, one statement or transaction at a time; others wait their turn without blocking the process. A
 * transaction takes the write lock when it begins, so that two processes wait for each other instead of failing half way.
 * Whatever goes wrong, from a file that is no database to a full disk, is an `SqlError`.
 *
 * **Gotchas**
 *
 * A text with more than one statement is refused, since SQLite would run the first and forget the others.
 */
export const make = Effect.fnUntraced(function* (config: SqliteClientConfig) {
  const db = yield* Effect.acquireRelease(
    attempt("open database", () => open(config)),
    (db) => Effect.sync(() => db.close())
  )
  yield* attempt("open database", () => configure(db, config))
  const acquirers = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(makeConnection(db, config.prepareCacheSize ?? 200)),
    semaphore: yield* Semaphore.make(1),
    isTransaction: () => db.isTransaction
  })
  const { transformResultNames } = config
  return yield* SqlClient.make({
    ...acquirers,
    compiler: Statement.makeCompilerSqlite(config.transformQueryNames),
    driver: "sqlite-node",
    prepareTransactionControls: true,
    beginTransaction: config.readonly === true ? "BEGIN" : "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    transformRows:
      transformResultNames === undefined ? undefined : Statement.defaultTransforms(transformResultNames).array,
    spanAttributes: [...Object.entries(config.spanAttributes ?? {}), ["db.system.name", "sqlite"]]
  })
})

/**
 * {@link make} as a layer.
 *
 * **Example**
 *
 * ```ts
 * const Sql = SqliteClient.layer({ filename: "/var/lib/molecule/workspace.db" })
 * ```
 */
export const layer = (config: SqliteClientConfig): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(config)).pipe(Layer.provide(Reactivity.layer))
