import * as Fs from "node:fs"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { migrate } from "../../../src/layers/sql/migrate.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"

const memory = SqliteClient.layer({ filename: ":memory:" })

const temporary = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.makeTempDirectoryScoped()
}).pipe(Effect.provide(NodeFileSystem.layer))

const numbers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY, note TEXT UNIQUE) STRICT`
  return {
    sql,
    add: (n: number) => sql`INSERT INTO numbers ${sql.insert({ n, note: `note ${n}` })}`,
    all: Effect.map(sql`SELECT n FROM numbers ORDER BY n`.values, (rows) => rows.map(([n]) => n))
  }
})

const failsWithSqlError = <A, E>(exit: Exit.Exit<A, E>) => {
  assert.isTrue(Exit.isFailure(exit))
  if (Exit.isSuccess(exit)) return undefined
  assert.isFalse(Cause.hasDies(exit.cause), Cause.pretty(exit.cause))
  const error = Cause.squash(exit.cause)
  assert.instanceOf(error, SqlError)
  return error instanceof SqlError ? error.reason._tag : undefined
}

describe("SqliteClient", () => {
  it.effect("a transaction that fails or is interrupted leaves nothing behind", () =>
    Effect.gen(function* () {
      const { add, all, sql } = yield* numbers
      yield* Effect.exit(sql.withTransaction(Effect.andThen(add(1), Effect.fail("no"))))
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        sql.withTransaction(
          add(2).pipe(Effect.andThen(Deferred.succeed(begun, undefined)), Effect.andThen(Effect.never))
        )
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* all, [])
      yield* sql.withTransaction(add(3))
      assert.deepStrictEqual(yield* all, [3])
    }).pipe(Effect.provide(memory))
  )

  it.effect("a nested transaction that fails takes only itself back", () =>
    Effect.gen(function* () {
      const { add, all, sql } = yield* numbers
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* add(1)
          yield* Effect.exit(sql.withTransaction(Effect.andThen(add(2), Effect.fail("no"))))
          yield* sql.withTransaction(add(3))
        })
      )
      assert.deepStrictEqual(yield* all, [1, 3])
    }).pipe(Effect.provide(memory))
  )

  it.effect("a statement of another fiber waits for the transaction, and does not become part of it", () =>
    Effect.gen(function* () {
      const { add, all, sql } = yield* numbers
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const transaction = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* add(1)
            yield* Deferred.succeed(begun, undefined)
            yield* Deferred.await(goOn)
            return yield* Effect.fail("no")
          })
        )
      )
      yield* Deferred.await(begun)
      const other = yield* Effect.forkChild(add(2), { startImmediately: true })
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.await(transaction)
      yield* Fiber.join(other)
      assert.deepStrictEqual(yield* all, [2])
      yield* Effect.forEach([10, 11, 12, 13, 14], add, { concurrency: 5, discard: true })
      assert.deepStrictEqual(yield* all, [2, 10, 11, 12, 13, 14])
    }).pipe(Effect.provide(memory))
  )

  it.effect("a commit that fails is an error, and the connection works on", () =>
    Effect.gen(function* () {
      const { add, all, sql } = yield* numbers
      yield* sql`CREATE TABLE children (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED)`
      const exit = yield* Effect.exit(sql.withTransaction(sql`INSERT INTO children VALUES (7)`))
      assert.strictEqual(failsWithSqlError(exit), "ConstraintError")
      yield* add(1)
      assert.deepStrictEqual(yield* all, [1])
    }).pipe(Effect.provide(memory))
  )

  it.effect("values go in and come out: undefined, dates, booleans, bytes, big integers; rows are plain objects", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const date = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
      const rows = yield* sql`SELECT ${undefined} AS none, ${date} AS date, ${true} AS yes, ${"it's"} AS text`
      assert.deepStrictEqual(rows, [{ none: null, date: "2026-01-02T03:04:05.678Z", yes: 1, text: "it's" }])
      assert.deepStrictEqual(yield* sql`SELECT ${date} AS only`, [{ only: "2026-01-02T03:04:05.678Z" }])
      const [bytes] = yield* sql`SELECT ${new Uint8Array([1, 2])} AS bytes`.values
      assert.deepStrictEqual(bytes, [new Uint8Array([1, 2])])
      const big = sql`SELECT ${9007199254740993n} AS big`
      assert.strictEqual(failsWithSqlError(yield* Effect.exit(big)), "UnknownError")
      assert.deepStrictEqual(yield* Effect.provideService(big, SqlClient.SafeIntegers, true), [
        { big: 9007199254740993n }
      ])
    }).pipe(Effect.provide(memory))
  )

  it.effect("an object as the only parameter, several statements in one text: refused, not misread", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const connection = yield* Effect.scoped(sql.reserve)
      const object = yield* Effect.exit(connection.execute("SELECT ? AS x", [{ x: 1 }], undefined))
      assert.strictEqual(failsWithSqlError(object), "UnknownError")
      const two = yield* Effect.exit(sql`CREATE TABLE a (x); CREATE TABLE b (x)`)
      assert.strictEqual(failsWithSqlError(two), "SqlSyntaxError")
      assert.deepStrictEqual(yield* sql`SELECT 1 AS x; -- and a word`, [{ x: 1 }])
    }).pipe(Effect.provide(memory))
  )

  it.effect("errors of a statement have their reason", () =>
    Effect.gen(function* () {
      const { add, sql } = yield* numbers
      yield* add(1)
      const unique = yield* Effect.exit(sql`INSERT INTO numbers VALUES (2, 'note 1')`)
      assert.strictEqual(failsWithSqlError(unique), "UniqueViolation")
      assert.strictEqual(failsWithSqlError(yield* Effect.exit(add(1))), "ConstraintError")
      assert.strictEqual(failsWithSqlError(yield* Effect.exit(sql`SELEC`)), "UnknownError")
    }).pipe(Effect.provide(memory))
  )

  it.effect("a cached statement sees a changed table, and the cache stays within its size", () =>
    Effect.gen(function* () {
      const { add, sql } = yield* numbers
      const everything = sql`SELECT * FROM numbers`
      yield* add(1)
      assert.deepStrictEqual(yield* everything, [{ n: 1, note: "note 1" }])
      yield* sql`ALTER TABLE numbers ADD COLUMN more TEXT`
      assert.deepStrictEqual(yield* everything, [{ n: 1, note: "note 1", more: null }])
      for (const n of [1, 2, 3, 4]) {
        assert.deepStrictEqual(yield* sql.unsafe(`SELECT ${n} AS n`), [{ n }])
        assert.deepStrictEqual(yield* sql.unsafe(`SELECT ${n} AS n`).values, [[n]])
      }
    }).pipe(Effect.provide(SqliteClient.layer({ filename: ":memory:", prepareCacheSize: 2 })))
  )

  it.effect("streams rows, and leaves no statement open when the reader stops early", () =>
    Effect.gen(function* () {
      const { all, sql } = yield* numbers
      yield* sql`WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300) INSERT INTO numbers SELECT n, NULL FROM c`
      const stream = sql`SELECT n FROM numbers ORDER BY n`.stream
      assert.strictEqual((yield* Stream.runCollect(stream)).length, 300)
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(stream, 2)), [{ n: 1 }, { n: 2 }])
      yield* sql`DROP TABLE numbers`
      assert.isTrue(Exit.isFailure(yield* Effect.exit(all)))
    }).pipe(Effect.provide(memory))
  )

  it.effect("the file and its companions are for their owner alone, and hold what was written", () =>
    Effect.gen(function* () {
      const filename = `${yield* temporary}/a.db`
      const sqlite = Layer.fresh(SqliteClient.layer({ filename }))
      yield* Effect.gen(function* () {
        const { add, sql } = yield* numbers
        yield* add(1)
        for (const end of ["", "-wal", "-shm"]) assert.strictEqual(Fs.statSync(filename + end).mode & 0o777, 0o600)
        assert.deepStrictEqual(yield* sql`PRAGMA synchronous`, [{ synchronous: 2 }])
        assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`, [{ journal_mode: "wal" }])
        assert.deepStrictEqual(yield* sql`PRAGMA foreign_keys`, [{ foreign_keys: 1 }])
      }).pipe(Effect.provide(sqlite))
      Fs.chmodSync(filename, 0o644)
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`SELECT n FROM numbers`, [{ n: 1 }])
        assert.strictEqual(Fs.statSync(filename).mode & 0o777, 0o600)
      }).pipe(Effect.provide(sqlite))
    })
  )

  it.effect("a missing folder, a file that is no database, a read-only and a closed one: errors, not defects", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const use = (config: SqliteClient.SqliteClientConfig) =>
        Effect.exit(
          Effect.provide(
            Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE TABLE t (x)`),
            Layer.fresh(SqliteClient.layer(config))
          )
        )
      failsWithSqlError(yield* use({ filename: `${directory}/no/a.db` }))
      Fs.writeFileSync(
        `${directory}/text.db`,
        "this is no database, but quite long enough to be taken for one ".repeat(50)
      )
      failsWithSqlError(yield* use({ filename: `${directory}/text.db` }))
      assert.isTrue(Exit.isSuccess(yield* use({ filename: `${directory}/a.db`, disableWAL: true })))
      failsWithSqlError(yield* use({ filename: `${directory}/a.db`, readonly: true }))
      failsWithSqlError(yield* use({ filename: `${directory}/none.db`, readonly: true }))

      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(memory), scope)
      yield* Scope.close(scope, Exit.void)
      const closed = Effect.provideContext(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT 1`),
        context
      )
      assert.strictEqual(failsWithSqlError(yield* Effect.exit(closed)), "ConnectionError")
    })
  )

  it.effect("another connection's lock is waited for shortly, and then an error that says so", () =>
    Effect.gen(function* () {
      const config = { filename: `${yield* temporary}/a.db`, busyTimeout: 10 }
      const [one, two] = yield* Effect.all([
        Layer.build(Layer.fresh(SqliteClient.layer(config))),
        Layer.build(Layer.fresh(SqliteClient.layer(config)))
      ])
      const write = Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(sql`CREATE TABLE IF NOT EXISTS t (x)`)
      )
      const exit = yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(Effect.exit(Effect.provideContext(write, two)))
      ).pipe(Effect.provideContext(one))
      assert.strictEqual(failsWithSqlError(exit), "LockTimeoutError")
      yield* Effect.provideContext(write, two)
    })
  )
})

describe("migrate", () => {
  const create = (table: string) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.asVoid(sql.unsafe(`CREATE TABLE ${table} (x)`)))

  it.effect("two capabilities share one database, each with its own numbers, each migration once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* migrate("a_migrations", { "1_create": create("a") }), [[1, "create"]])
      assert.deepStrictEqual(yield* migrate("b_migrations", { "1_create": create("b") }), [[1, "create"]])
      const both = { "2_more": create("a2"), "1_create": create("a") }
      assert.deepStrictEqual(yield* migrate("a_migrations", both), [[2, "more"]])
      assert.deepStrictEqual(yield* migrate("a_migrations", both), [])
    }).pipe(Effect.provide(memory))
  )

  it.effect("one that fails leaves nothing of its batch", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const error = yield* Effect.flip(migrate("a_migrations", { "1_create": create("a"), "2_again": create("a") }))
      assert.strictEqual(error._tag, "MigrationError")
      assert.deepStrictEqual(yield* sql`SELECT name FROM sqlite_schema WHERE name = 'a'`, [])
      assert.strictEqual((yield* migrate("a_migrations", { "1_create": create("a") })).length, 1)
    }).pipe(Effect.provide(memory))
  )
})
