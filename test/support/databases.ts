/**
 * The database that a suite runs on: each suite of the platform runs once on SQLite, and once more on Postgres
 * (`vitest.config.ts` has two projects, and `postgresServer.ts` the server of the second).
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import { hash, randomUUID } from "node:crypto"
import * as PostgresClient from "../../src/layers/sql/PostgresClient.ts"
import * as SqliteClient from "../../src/layers/sql/SqliteClient.ts"

/** The URL of the Postgres server, without a database, in the project that runs on one. */
const serverUrl = Config.option(Config.String("MOLECULE_TEST_DATABASE")).pipe(
  Config.flatMap((chosen) =>
    Option.isNone(chosen)
      ? Config.succeed(Option.none<string>())
      : Config.option(Config.String("MOLECULE_TEST_POSTGRES"))
  )
)

// One database for each file that SQLite would have had, so that who comes back to the file finds what was there.
const databaseFor = Effect.fnUntraced(function* (server: string, filename: string) {
  const key = filename === ":memory:" ? randomUUID() : filename
  const name = `test_${hash("sha256", key).slice(0, 20)}`
  yield* Effect.gen(function* () {
    const sql = yield* SqlClient
    const found = yield* sql`SELECT 1 FROM pg_database WHERE datname = ${name}`
    if (found.length === 0) yield* sql`CREATE DATABASE ${sql(name)}`
  }).pipe(
    Effect.provide(PostgresClient.layerWith({ url: Redacted.make(`${server}/postgres`), maxConnections: 1 })),
    Effect.orDie
  )
  return `${server}/${name}`
})

/** The URL of the database that stands for the file, where the suite runs on Postgres. */
export const urlFor = Effect.fnUntraced(function* (filename: string) {
  const server = yield* Effect.orDie(serverUrl)
  return Option.isNone(server) ? undefined : yield* databaseFor(server.value, filename)
})

/** The database of that file, or the one on Postgres that stands for it. */
export const layerFor = (filename: string) =>
  Layer.unwrap(
    Effect.map(urlFor(filename), (url) =>
      url === undefined
        ? SqliteClient.layer({ filename })
        : PostgresClient.layerWith({ url: Redacted.make(url), maxConnections: 5 })
    )
  )

/** Does this suite run on Postgres? */
export const onPostgres = Effect.map(Effect.orDie(serverUrl), Option.isSome)
