/**
 * Brings the tables of one capability up to date.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Migrator from "effect/sql/Migrator"
import { SqlClient } from "effect/sql/SqlClient"

const run = Migrator.make({})

/** The database was written by a newer version of this program, which may have changed what this one reads. */
export class DatabaseNewer extends Schema.TaggedError<DatabaseNewer>()("DatabaseNewer", {
  /** Where the migrations are noted. */
  table: Schema.String,
  /** The newest migration that the database has, and the newest that this program knows. */
  found: Schema.Int,
  known: Schema.Int
}) {
  override get message() {
    return `the database has migration ${this.found} of ${this.table}, and this program knows ${this.known} at most: start a version that is as new as the one that wrote it, or restore a backup from before`
  }
}

const Latest = Schema.NonEmptyArray(Schema.Struct({ latest: Schema.NullOr(Schema.Int) }))

/**
 * Runs the migrations that have not run yet, in the order of their numbers, in one transaction.
 *
 * **Details**
 *
 * Each capability gives a `table` of its own, in which its migrations are noted, so that several can share one database
 * and be numbered independently. The keys are `<number>_<name>`. What has been released is never changed again: a change
 * is a new migration. One statement for each `sql` text.
 *
 * Fails with a `MigrationError` where a migration fails, and then nothing of the batch is left behind; and with
 * {@link DatabaseNewer}, having changed nothing, where the database has migrations that are not among these. Migrations
 * only lead forward.
 *
 * **Example**
 *
 * ```ts
 * yield* migrate("checkpoint_migrations", {
 *   "1_create": Effect.gen(function* () {
 *     const sql = yield* SqlClient
 *     yield* sql`CREATE TABLE workflow_checkpoints (...) STRICT`
 *   })
 * })
 * ```
 */
export const migrate = Effect.fn("migrate")(function* (
  table: string,
  migrations: Record<string, Effect.Effect<void, unknown, SqlClient>>
) {
  const sql = yield* SqlClient
  const done = yield* run({ loader: Migrator.fromRecord(migrations), table })
  const known = Math.max(...Object.keys(migrations).map((key) => Number.parseInt(key, 10)))
  const [{ latest }] = yield* Schema.decodeUnknownEffect(Latest)(
    yield* sql`SELECT max(migration_id) AS latest FROM ${sql(table)}`
  )
  const found = latest ?? 0
  return found > known ? yield* new DatabaseNewer({ table, found, known }) : done
})
