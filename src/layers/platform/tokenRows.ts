/**
 * The row of a token, which the stores of tokens and of workspaces both write.
 *
 * @module
 */
import * as Digest from "effect/crypto/Digest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { TokenRecord } from "../../services/platform/TokenStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

/** That a token was used is noted only this often, so that a busy caller does not cost a write a request. Milliseconds. */
export const usedResolution = 60_000

/** What is listed of every kind of token. */
export const listedColumns = {
  id: Schema.String,
  prefix: Schema.String,
  created_at: Schema.DateTimeUtcFromMillis,
  last_used_at: Schema.NullOr(Schema.DateTimeUtcFromMillis)
}

/** What is stored of a token, and found by. */
export const hashOf = (digest: Digest.Digest["Service"], token: string) =>
  digest.digest(Digest.sha256, new TextEncoder().encode(token))

/** Stores a token, in the transaction at hand. */
export const insertToken = Effect.fnUntraced(function* (sql: SqlClient, workspaceId: WorkspaceId, token: TokenRecord) {
  const createdAt = DateTime.toEpochMillis(yield* DateTime.now)
  yield* sql`
    INSERT INTO workspace_tokens (id, workspace_id, hash, prefix, created_at)
    VALUES (${token.id}, ${workspaceId}, ${token.hash}, ${token.prefix}, ${createdAt})`
})
