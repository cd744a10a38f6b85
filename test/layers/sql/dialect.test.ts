import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Dialect from "../../../src/layers/sql/dialect.ts"
import * as Databases from "../../support/databases.ts"

const things = Effect.gen(function* () {
  const sql = yield* SqlClient
  const t = Dialect.of(sql)
  yield* sql`CREATE TABLE things (
    ${t.numbered}
    name TEXT NOT NULL PRIMARY KEY,
    at ${t.integer} NOT NULL DEFAULT 0,
    share ${t.real} NOT NULL DEFAULT 0,
    bytes ${t.bytes},
    place ${t.sequence} NOT NULL
  ) ${t.strict}`
  return { sql, t }
})

describe("dialect", () => {
  it.effect.prop(
    "a text comes back as it was, whatever is in it",
    [Schema.Array(Schema.Union([Schema.Literals(["\0", "\uFFFE", "\uFFFE0", "\uFFFE1", "'"]), Schema.String]))],
    ([pieces]) =>
      Effect.gen(function* () {
        const { sql, t } = yield* things
        const text = pieces.join("").toWellFormed()
        yield* sql`INSERT INTO things (name, place) VALUES (${text}, ${t.next("things", "place")})`
        assert.deepStrictEqual(yield* sql`SELECT name FROM things WHERE name = ${text}`, [{ name: text }])
        yield* sql`DROP TABLE things`
      }).pipe(Effect.provide(Databases.layerFor(":memory:"))),
    { arbitrary: { runs: 20 } }
  )

  it.effect("whole numbers, fractions and bytes come back as such; rows have the order in which they were made", () =>
    Effect.gen(function* () {
      const { sql, t } = yield* things
      for (const [name, at] of [
        ["b", Number.MAX_SAFE_INTEGER],
        ["a", -1],
        ["c", 1_790_000_000_000]
      ] as const) {
        yield* sql`INSERT INTO things (name, at, share, bytes, place)
          VALUES (${name}, ${at}, ${0.25}, ${new Uint8Array([0, 255])}, ${t.next("things", "place")})`
      }
      const rows = yield* sql`SELECT name, at, share, place FROM things ORDER BY ${t.nth}`
      assert.deepStrictEqual(rows, [
        { name: "b", at: Number.MAX_SAFE_INTEGER, share: 0.25, place: 1 },
        { name: "a", at: -1, share: 0.25, place: 2 },
        { name: "c", at: 1_790_000_000_000, share: 0.25, place: 3 }
      ])
      assert.deepStrictEqual(
        yield* sql`SELECT count(*) AS count FROM things WHERE bytes = ${new Uint8Array([0, 255])}`,
        [{ count: 3 }]
      )
    }).pipe(Effect.provide(Databases.layerFor(":memory:")))
  )

  it.effect("transactions of one key take turns: what one checks stays so until it has written", () =>
    Effect.gen(function* () {
      const { sql, t } = yield* things
      const addIfFew = (name: string) =>
        Dialect.oneByOne(
          sql,
          "things"
        )(
          Effect.gen(function* () {
            const rows = yield* sql`SELECT name FROM things`
            yield* Effect.yieldNow
            if (rows.length < 3) {
              yield* sql`INSERT INTO things (name, place) VALUES (${name}, ${t.next("things", "place")})`
            }
          })
        )
      yield* Effect.forEach(
        Array.from({ length: 12 }, (_, n) => `t${n}`),
        addIfFew,
        { concurrency: 12, discard: true }
      )
      assert.strictEqual((yield* sql`SELECT name FROM things`).length, 3)
    }).pipe(Effect.provide(Databases.layerFor(":memory:")))
  )

  it.effect("a transaction in which a statement failed is not taken for committed", () =>
    Effect.gen(function* () {
      const { sql, t } = yield* things
      const add = (name: string) => sql`INSERT INTO things (name, place) VALUES (${name}, ${t.next("things", "place")})`
      // Whoever goes on from a failure: SQLite keeps the rest, Postgres nothing, and says so.
      const exit = yield* Effect.exit(
        sql.withTransaction(Effect.andThen(add("a"), Effect.ignore(sql`INSERT INTO nowhere (name) VALUES (1)`)))
      )
      const kept = yield* sql`SELECT name FROM things`
      assert.strictEqual(kept.length, Exit.isSuccess(exit) ? 1 : 0)
      yield* add("b")
    }).pipe(Effect.provide(Databases.layerFor(":memory:")))
  )
})
