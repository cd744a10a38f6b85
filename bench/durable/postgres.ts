/**
 * The Postgres server of the bench: its own, made for the run, with the settings that it is delivered with.
 *
 * @module
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { serve } from "../support/child.ts"

const Ready = Schema.fromJsonString(Schema.Struct({ port: Schema.Int, pid: Schema.Int }))

const settings = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "wal_sync_method"]

/** The server's own answers to `SHOW` for everything that decides whether a commit is on disk. */
const readSettings = Effect.fnUntraced(function* (sql: SqlClient) {
  const read = SqlSchema.findAll({
    Request: Schema.Array(Schema.String),
    Result: Schema.Struct({ name: Schema.String, setting: Schema.String }),
    execute: (names) =>
      sql`SELECT name, current_setting(name) AS setting FROM pg_settings WHERE ${sql.in("name", names)}`
  })
  const found = new Map((yield* read(settings)).map(({ name, setting }) => [name, setting]))
  const [version, ...rest] = settings.map((name) => `${name}=${found.get(name) ?? "?"}`)
  return `PostgreSQL ${(version ?? "").replace("server_version=", "")}, ${rest.join(", ")}`
})

/**
 * Starts the server on the data in `folder`, for as long as the scope lives. It answers the server's durability settings
 * in words, and how to get an empty database, which is dropped with its scope.
 */
export const start = Effect.fnUntraced(function* (folder: string) {
  const line = yield* serve(new URL("server.ts", import.meta.url), folder, "the Postgres server")
  const { pid, port } = yield* Schema.decodeUnknownEffect(Ready)(line)
  const login = { username: "bench", password: "bench" }
  const client = PgClient.layer({
    host: "127.0.0.1",
    port,
    database: "postgres",
    username: login.username,
    password: Redacted.make(login.password),
    maxConnections: 1
  })
  const sql = Context.get(yield* Layer.build(client), SqlClient)
  const database = (name: string) =>
    Effect.acquireRelease(Effect.as(sql`CREATE DATABASE ${sql(name)}`, { ...login, port, pid, database: name }), () =>
      Effect.orDie(sql`DROP DATABASE ${sql(name)} WITH (FORCE)`)
    )
  return { durability: yield* readSettings(sql), database }
})
