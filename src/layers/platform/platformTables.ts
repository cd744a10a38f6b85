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
import * as Dialect from "../sql/dialect.ts"
import { migrate } from "../sql/migrate.ts"

const migrations = {
  "1_create": Effect.gen(function* () {
    const sql = yield* SqlClient
    const t = Dialect.of(sql)
    yield* sql`CREATE TABLE workspaces (
      ${t.numbered}
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      role TEXT,
      tier ${t.integer} NOT NULL,
      status TEXT NOT NULL,
      runtime TEXT NOT NULL DEFAULT 'external',
      agent_card TEXT,
      url TEXT NOT NULL DEFAULT '',
      parent_id TEXT REFERENCES workspaces (id),
      active_tasks ${t.integer} NOT NULL DEFAULT 0,
      max_concurrent_tasks ${t.integer} NOT NULL DEFAULT 1,
      uptime_seconds ${t.integer} NOT NULL DEFAULT 0,
      last_error_rate ${t.real} NOT NULL DEFAULT 0,
      last_sample_error TEXT NOT NULL DEFAULT '',
      current_task TEXT NOT NULL DEFAULT '',
      workspace_dir TEXT,
      workspace_access TEXT NOT NULL DEFAULT 'none',
      budget_limit ${t.integer},
      monthly_spend ${t.integer} NOT NULL DEFAULT 0,
      x ${t.real} NOT NULL DEFAULT 0,
      y ${t.real} NOT NULL DEFAULT 0,
      collapsed ${t.integer} NOT NULL DEFAULT 0,
      last_outbound_at TEXT,
      last_heard_at ${t.integer} NOT NULL,
      created_at ${t.integer} NOT NULL
    ) ${t.strict}`
    yield* sql`CREATE INDEX workspaces_parent ON workspaces (parent_id)`
    yield* sql`CREATE INDEX workspaces_status ON workspaces (status, last_heard_at)`
    yield* sql`CREATE TABLE workspace_tokens (
      ${t.numbered}
      id TEXT NOT NULL PRIMARY KEY,
      workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
      hash ${t.bytes} NOT NULL UNIQUE,
      prefix TEXT NOT NULL,
      created_at ${t.integer} NOT NULL,
      last_used_at ${t.integer},
      revoked_at ${t.integer}
    ) ${t.strict}`
    yield* sql`CREATE INDEX workspace_tokens_workspace ON workspace_tokens (workspace_id)`
  }),
  "2_relay": Effect.gen(function* () {
    const sql = yield* SqlClient
    const t = Dialect.of(sql)
    yield* sql`ALTER TABLE workspaces ADD COLUMN delivery TEXT NOT NULL DEFAULT 'push'`
    // How far this workspace's poller of the activity list has come.
    yield* sql`ALTER TABLE workspaces ADD COLUMN inbox_id TEXT`
    yield* sql`ALTER TABLE workspaces ADD COLUMN inbox_place ${t.integer} NOT NULL DEFAULT 0`
    yield* sql`CREATE TABLE relay_entries (
      place ${t.counted},
      id TEXT NOT NULL UNIQUE,
      target TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
      caller TEXT NOT NULL,
      operation TEXT NOT NULL,
      message_id TEXT,
      context_id TEXT,
      method TEXT NOT NULL,
      path TEXT NOT NULL,
      headers TEXT NOT NULL,
      body TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'queued',
      shown ${t.integer} NOT NULL DEFAULT 0,
      lease TEXT,
      lease_until ${t.integer},
      attempts ${t.integer} NOT NULL DEFAULT 0,
      not_before ${t.integer} NOT NULL,
      enqueued_at ${t.integer} NOT NULL,
      expires_at ${t.integer} NOT NULL,
      answer TEXT,
      parts ${t.integer} NOT NULL DEFAULT 0,
      answer_bytes ${t.integer} NOT NULL DEFAULT 0,
      generation ${t.integer} NOT NULL DEFAULT 0,
      answered_at ${t.integer},
      failed ${t.integer} NOT NULL DEFAULT 0
    ) ${t.strict}`
    yield* sql`CREATE UNIQUE INDEX relay_entries_message ON relay_entries (target, caller, operation, message_id)
      WHERE message_id IS NOT NULL`
    yield* sql`CREATE INDEX relay_entries_open ON relay_entries (target, place) WHERE state <> 'answered'`
    yield* sql`CREATE INDEX relay_entries_context ON relay_entries (target, context_id, place) WHERE state <> 'answered'`
    yield* sql`CREATE INDEX relay_entries_answered ON relay_entries (target, answered_at) WHERE state = 'answered'`
    yield* sql`CREATE TABLE relay_parts (
      entry ${t.integer} NOT NULL REFERENCES relay_entries (place) ON DELETE CASCADE,
      sequence ${t.integer} NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (entry, sequence)
    ) ${t.byKey}`
  }),
  "3_org_tokens": Effect.gen(function* () {
    const sql = yield* SqlClient
    const t = Dialect.of(sql)
    yield* sql`CREATE TABLE org_tokens (
      ${t.numbered}
      id TEXT NOT NULL PRIMARY KEY,
      hash ${t.bytes} NOT NULL UNIQUE,
      prefix TEXT NOT NULL,
      name TEXT NOT NULL,
      created_by TEXT NOT NULL,
      created_at ${t.integer} NOT NULL,
      last_used_at ${t.integer},
      revoked_at ${t.integer}
    ) ${t.strict}`
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
