/**
 * The tables of the platform's own data.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { StoreUnavailable } from "../../services/platform/StoreUnavailable.ts"
import { WorkspaceRecord } from "../../services/platform/WorkspaceStore.ts"
import { migrate } from "../sql/migrate.ts"

const migrations = {
  "1_create": Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* sql`CREATE TABLE workspaces (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      role TEXT,
      tier INTEGER NOT NULL,
      status TEXT NOT NULL,
      runtime TEXT NOT NULL DEFAULT 'external',
      agent_card TEXT,
      url TEXT NOT NULL DEFAULT '',
      parent_id TEXT REFERENCES workspaces (id),
      active_tasks INTEGER NOT NULL DEFAULT 0,
      max_concurrent_tasks INTEGER NOT NULL DEFAULT 1,
      uptime_seconds INTEGER NOT NULL DEFAULT 0,
      last_error_rate REAL NOT NULL DEFAULT 0,
      last_sample_error TEXT NOT NULL DEFAULT '',
      current_task TEXT NOT NULL DEFAULT '',
      workspace_dir TEXT,
      workspace_access TEXT NOT NULL DEFAULT 'none',
      budget_limit INTEGER,
      monthly_spend INTEGER NOT NULL DEFAULT 0,
      x REAL NOT NULL DEFAULT 0,
      y REAL NOT NULL DEFAULT 0,
      collapsed INTEGER NOT NULL DEFAULT 0,
      last_outbound_at TEXT,
      last_heard_at INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT`
    yield* sql`CREATE INDEX workspaces_parent ON workspaces (parent_id)`
    yield* sql`CREATE INDEX workspaces_status ON workspaces (status, last_heard_at)`
    yield* sql`CREATE TABLE workspace_tokens (
      id TEXT NOT NULL PRIMARY KEY,
      workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
      hash BLOB NOT NULL UNIQUE,
      prefix TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT`
    yield* sql`CREATE INDEX workspace_tokens_workspace ON workspace_tokens (workspace_id)`
  })
}

/** Makes and migrates the tables. One constant, so that both stores share one run of it. */
export const layer = Layer.effectDiscard(migrate("platform_migrations", migrations))

/** A row of `workspaces` as SQLite gives it. */
export const WorkspaceRow = Schema.Struct({
  ...WorkspaceRecord.fields,
  agent_card: Schema.NullOr(Schema.fromJsonString(Schema.Json)),
  collapsed: Schema.BooleanFromBit
})

/** The columns of {@link WorkspaceRow}. */
export const workspaceColumns = Object.keys(WorkspaceRow.fields).join(", ")

const fail = (operation: string) => (cause: unknown) => Effect.fail(new StoreUnavailable({ operation, cause }))

/** For `Effect.catchTags`: whatever the database does wrong, down to a row that cannot be read, is one error. */
export const unavailable = (operation: string) => ({
  SqlError: fail(operation),
  SchemaError: fail(operation)
})
