/**
 * `ClusterWorkflowEngine` of effect/cluster as its documentation sets it up for one process (`SingleRunner`), on the same
 * SQLite driver as ours and on Postgres.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"
import { sqliteSettings } from "../settings.ts"
import type { Place, System } from "../system.ts"
import { runOn } from "../workflow.ts"

const Engine = ClusterWorkflowEngine.layer.pipe(Layer.provide(SingleRunner.layer()), Layer.provide(NodeCrypto.layer))

/** On SQLite. */
export const clusterSqlite: System = Effect.fnUntraced(function* ({ directory, steps }: Place) {
  const services = yield* Layer.build(SqliteClient.layer({ filename: `${directory}/cluster.db` }))
  const sql = Context.get(services, SqlClient)
  const [mode] = yield* sql`PRAGMA journal_mode`
  const [synchronous] = yield* sql`PRAGMA synchronous`
  const durability = sqliteSettings(mode, synchronous)
  return yield* runOn(Engine.pipe(Layer.provide(Layer.succeedContext(services))), { steps, durability })
})

/** On Postgres, with the driver's own settings: a larger pool, or `multiplex`, makes it slower on two cores. */
export const clusterPostgres: System = Effect.fnUntraced(function* ({ postgres, steps }: Place) {
  if (postgres === undefined) return yield* Effect.die("cluster-postgres needs a database")
  const { database, password, port, username } = postgres
  const Client = PgClient.layer({
    host: "127.0.0.1",
    port,
    database,
    username,
    password: Redacted.make(password)
  })
  return yield* runOn(Engine.pipe(Layer.provide(Client)), { steps, durability: "Postgres" })
})
