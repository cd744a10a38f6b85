/**
 * Tokens in SQL, by their hash.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { maxLiveTokens, TokenStore, TooManyTokens, UnknownToken } from "../../services/platform/TokenStore.ts"
import { UnknownWorkspace } from "../../services/platform/WorkspaceStore.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as Dialect from "../sql/dialect.ts"
import * as PlatformTables from "./platformTables.ts"
import { hashOf, insertToken, listedColumns, usedResolution } from "./tokenRows.ts"

const tokenBytes = 32
const prefixLength = 8

const OwnerRows = Schema.Array(
  Schema.Struct({
    id: Schema.String,
    workspace_id: WorkspaceId,
    status: Schema.String,
    revoked_at: Schema.NullOr(Schema.Int),
    last_used_at: Schema.NullOr(Schema.Int)
  })
)
const InfoRows = Schema.Array(Schema.Struct(listedColumns))
const Count = Schema.NonEmptyArray(Schema.Struct({ count: Schema.Int }))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const { nth } = Dialect.of(sql)
  const random = yield* SecureRandom.SecureRandom
  const digest = yield* Digest.Digest

  const hash = (token: string) => hashOf(digest, token)
  const now = Effect.map(DateTime.now, DateTime.toEpochMillis)

  return TokenStore.of({
    generate: Effect.gen(function* () {
      const token = Base64Url.encode(yield* random.randomBytes(tokenBytes))
      return {
        token: Redacted.make(token),
        record: { id: yield* random.uuidV4(), hash: yield* hash(token), prefix: token.slice(0, prefixLength) }
      }
    }),

    mint: Effect.fn("TokenStore.mint")(
      function* (workspaceId, token) {
        const alive = yield* sql`SELECT 1 FROM workspaces WHERE id = ${workspaceId} AND status <> 'removed'`
        if (alive.length === 0) return yield* new UnknownWorkspace({ id: workspaceId })
        const [{ count }] = yield* Schema.decodeUnknownEffect(Count)(
          yield* sql`SELECT count(*) AS count FROM workspace_tokens WHERE workspace_id = ${workspaceId} AND revoked_at IS NULL`
        )
        if (count >= maxLiveTokens) return yield* new TooManyTokens()
        yield* insertToken(sql, workspaceId, token)
      },
      Dialect.oneByOne(sql, "platform/tokens"),
      Effect.catchTags(PlatformTables.unavailable("mint"))
    ),

    owner: Effect.fn("TokenStore.owner")(
      function* (token) {
        const [row] = yield* Schema.decodeUnknownEffect(OwnerRows)(
          yield* sql`
            SELECT token.id, token.workspace_id, token.revoked_at, token.last_used_at, workspaces.status
            FROM workspace_tokens AS token JOIN workspaces ON workspaces.id = token.workspace_id
            WHERE token.hash = ${yield* hash(Redacted.value(token))}`
        )
        if (row === undefined) return Option.none()
        const workspaceRemoved = row.status === "removed"
        const live = row.revoked_at === null && !workspaceRemoved
        const at = yield* now
        if (live && (row.last_used_at === null || row.last_used_at <= at - usedResolution)) {
          yield* sql`UPDATE workspace_tokens SET last_used_at = ${at} WHERE id = ${row.id}`
        }
        return Option.some({ tokenId: row.id, workspaceId: row.workspace_id, live, workspaceRemoved })
      },
      Effect.catchTags(PlatformTables.unavailable("owner"))
    ),

    list: Effect.fn("TokenStore.list")(
      function* (workspaceId, { limit, offset }) {
        const rows = yield* Schema.decodeUnknownEffect(InfoRows)(
          yield* sql`
            SELECT id, prefix, created_at, last_used_at FROM workspace_tokens
            WHERE workspace_id = ${workspaceId} AND revoked_at IS NULL
            ORDER BY created_at DESC, ${nth} DESC LIMIT ${limit} OFFSET ${offset}`
        )
        return rows.map((row) => ({
          id: row.id,
          prefix: row.prefix,
          created_at: DateTime.formatIso(row.created_at),
          last_used_at: row.last_used_at === null ? null : DateTime.formatIso(row.last_used_at)
        }))
      },
      Effect.catchTags(PlatformTables.unavailable("list"))
    ),

    revoke: Effect.fn("TokenStore.revoke")(
      function* (workspaceId, tokenId) {
        const revoked = yield* sql`
          UPDATE workspace_tokens SET revoked_at = ${yield* now}
          WHERE id = ${tokenId} AND workspace_id = ${workspaceId} AND revoked_at IS NULL
          RETURNING id`
        if (revoked.length === 0) return yield* new UnknownToken()
      },
      Effect.catchTag("SqlError", PlatformTables.unavailable("revoke").SqlError)
    ),

    anyOf: Effect.fn("TokenStore.anyOf")(
      function* (workspaceId) {
        const found = yield* sql`SELECT 1 FROM workspace_tokens WHERE workspace_id = ${workspaceId} LIMIT 1`
        return found.length > 0
      },
      Effect.catchTag("SqlError", PlatformTables.unavailable("anyOf").SqlError)
    )
  })
})

/** Tokens in the table `workspace_tokens`, beside the workspaces that they belong to. */
export const layer = Layer.effect(TokenStore, make).pipe(Layer.provide(PlatformTables.layer))
