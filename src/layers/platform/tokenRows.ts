/**
 * The row of a token, which the stores of tokens and of workspaces both write.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { TokenRecord } from "../../services/platform/TokenStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

/** That a token was used is noted only this often, so that a busy caller does not cost a write a request. Milliseconds. */
export const usedResolution = 60_000

/** Stores a token, in the transaction at hand. */
export const insertToken = Effect.fnUntraced(function* (sql: SqlClient, workspaceId: WorkspaceId, token: TokenRecord) {
  const createdAt = DateTime.toEpochMillis(yield* DateTime.now)
  yield* sql`
    INSERT INTO workspace_tokens (id, workspace_id, hash, prefix, created_at)
    VALUES (${token.id}, ${workspaceId}, ${token.hash}, ${token.prefix}, ${createdAt})`
})
