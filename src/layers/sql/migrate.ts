/**
 * Brings the tables of one capability up to date.
 *
 * @module
 */
import type * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import type { SqlClient } from "effect/sql/SqlClient"

const run = Migrator.make({})

/**
 * Runs the migrations that have not run yet, in the order of their numbers, in one transaction.
 *
 * **Details**
 *
 * Each capability gives a `table` of its own, in which its migrations are noted, so that several can share one database
 * and be numbered independently. The keys are `<number>_<name>`. What has been released is never changed again: a change
 * is a new migration. One statement for each `sql` text.
 *
 * Fails with a `MigrationError` where a migration fails, and then nothing of the batch is left behind.
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
export const migrate = (table: string, migrations: Record<string, Effect.Effect<void, unknown, SqlClient>>) =>
  run({ loader: Migrator.fromRecord(migrations), table })
