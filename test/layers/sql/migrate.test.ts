import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { SqlClient } from "effect/sql/SqlClient"
import { DatabaseNewer, migrate } from "../../../src/layers/sql/migrate.ts"
import * as Databases from "../../support/databases.ts"

const create = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`CREATE TABLE things (name TEXT NOT NULL)`
})
const add = (name: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* sql`INSERT INTO things (name) VALUES (${name})`
  })
const names = Effect.flatMap(SqlClient, (sql) => sql`SELECT name FROM things ORDER BY name`)

describe("migrate", () => {
  it.effect("runs each migration once, in the order of the numbers", () =>
    Effect.gen(function* () {
      const first = { "1_create": create, "2_one": add("one") }
      yield* migrate("m", first)
      yield* migrate("m", first)
      yield* migrate("m", { ...first, "10_ten": add("ten"), "3_three": add("three") })
      assert.deepStrictEqual(yield* names, [{ name: "one" }, { name: "ten" }, { name: "three" }])
    }).pipe(Effect.provide(Databases.layerFor(":memory:")))
  )

  it.effect("refuses a database that is newer, in words, and leaves it as it is", () =>
    Effect.gen(function* () {
      yield* migrate("m", { "1_create": create, "2_one": add("one"), "7_seven": add("seven") })
      const error = yield* Effect.flip(
        migrate("m", { "1_create": create, "2_one": add("one"), "3_other": add("other") })
      )
      assert.deepInclude(error, { _tag: "DatabaseNewer", table: "m", found: 7, known: 3 })
      assert.instanceOf(error, DatabaseNewer)
      assert.include(error.message, "start a version that is as new")
      assert.deepStrictEqual(yield* names, [{ name: "one" }, { name: "seven" }])
    }).pipe(Effect.provide(Databases.layerFor(":memory:")))
  )

  it.effect("one that fails leaves nothing of the batch", () =>
    Effect.gen(function* () {
      const broken = Effect.flatMap(SqlClient, (sql) => sql`INSERT INTO nowhere (name) VALUES (1)`).pipe(Effect.asVoid)
      yield* Effect.flip(migrate("m", { "1_create": create, "2_one": add("one"), "3_broken": broken }))
      yield* Effect.flip(names)
      yield* migrate("m", { "1_create": create, "2_one": add("one") })
      assert.deepStrictEqual(yield* names, [{ name: "one" }])
    }).pipe(Effect.provide(Databases.layerFor(":memory:")))
  )

  it.effect("two processes that start at once migrate once", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const filename = `${yield* files.makeTempDirectoryScoped()}/a.db`
      const start = migrate("m", { "1_create": create, "2_one": add("one") }).pipe(
        Effect.provide(Databases.layerFor(filename), { local: true })
      )
      yield* Effect.provide(start, Databases.layerFor(filename), { local: true })
      yield* Effect.all([start, start, start], { concurrency: 3 })
      assert.deepStrictEqual(yield* Effect.provide(names, Databases.layerFor(filename)), [{ name: "one" }])
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
