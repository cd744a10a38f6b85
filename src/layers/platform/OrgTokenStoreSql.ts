/**
 * Org tokens in SQL.
 *
 * @module
 */
import * as Digest from "effect/crypto/Digest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { maxOrgTokens, OrgTokenStore, TooManyOrgTokens } from "../../services/platform/OrgTokenStore.ts"
import { UnknownToken } from "../../services/platform/TokenStore.ts"
import * as Dialect from "../sql/dialect.ts"
import * as PlatformTables from "./platformTables.ts"
import { hashOf, listedColumns, usedResolution } from "./tokenRows.ts"

/** What is left of a revoked token is kept so long, for whoever wants to know what it was. */
const revokedFor = Duration.toMillis("90 days")

const Found = Schema.Array(
  Schema.Struct({ id: Schema.String, prefix: Schema.String, last_used_at: Schema.NullOr(Schema.Int) })
)
const Rows = Schema.Array(Schema.Struct({ ...listedColumns, name: Schema.String, created_by: Schema.String }))
const Count = Schema.NonEmptyArray(Schema.Struct({ count: Schema.Int }))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const { nth } = Dialect.of(sql)
  const digest = yield* Digest.Digest
  const now = Effect.map(DateTime.now, DateTime.toEpochMillis)

  return OrgTokenStore.of({
    mint: Effect.fn("OrgTokenStore.mint")(
      function* ({ hash, id, prefix }, { createdBy, name }) {
        const at = yield* now
        yield* sql`DELETE FROM org_tokens WHERE revoked_at < ${at - revokedFor}`
        const [{ count }] = yield* Schema.decodeUnknownEffect(Count)(
          yield* sql`SELECT count(*) AS count FROM org_tokens WHERE revoked_at IS NULL`
        )
        if (count >= maxOrgTokens) return yield* new TooManyOrgTokens()
        yield* sql`INSERT INTO org_tokens ${sql.insert({ id, hash, prefix, name, created_by: createdBy, created_at: at })}`
      },
      Dialect.oneByOne(sql, "platform/tokens"),
      Effect.catchTags(PlatformTables.unavailable("mintOrgToken"))
    ),

    find: Effect.fn("OrgTokenStore.find")(
      function* (token) {
        const hash = yield* hashOf(digest, Redacted.value(token))
        const [row] = yield* Schema.decodeUnknownEffect(Found)(
          yield* sql`SELECT id, prefix, last_used_at FROM org_tokens WHERE hash = ${hash} AND revoked_at IS NULL`
        )
        if (row === undefined) return Option.none()
        const at = yield* now
        if (row.last_used_at === null || row.last_used_at <= at - usedResolution) {
          yield* sql`UPDATE org_tokens SET last_used_at = ${at} WHERE id = ${row.id}`
        }
        return Option.some({ id: row.id, prefix: row.prefix })
      },
      Effect.catchTags(PlatformTables.unavailable("findOrgToken"))
    ),

    list: Effect.suspend(
      () => sql`SELECT id, prefix, name, created_by, created_at, last_used_at FROM org_tokens
        WHERE revoked_at IS NULL ORDER BY created_at DESC, ${nth} DESC`
    ).pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Rows)),
      Effect.map((rows) =>
        rows.map(({ created_at: created, created_by, id, last_used_at: used, name, prefix }) => ({
          id,
          prefix,
          ...(name === "" ? undefined : { name }),
          created_by,
          created_at: DateTime.formatIso(created),
          ...(used === null ? undefined : { last_used_at: DateTime.formatIso(used) })
        }))
      ),
      Effect.catchTags(PlatformTables.unavailable("listOrgTokens")),
      Effect.withSpan("OrgTokenStore.list")
    ),

    revoke: Effect.fn("OrgTokenStore.revoke")(
      function* (id) {
        const revoked = yield* sql`
          UPDATE org_tokens SET revoked_at = ${yield* now} WHERE id = ${id} AND revoked_at IS NULL RETURNING id`
        if (revoked.length === 0) return yield* new UnknownToken()
      },
      Effect.catchTag("SqlError", PlatformTables.unavailable("revokeOrgToken").SqlError)
    )
  })
})

/** Org tokens in the table `org_tokens`. */
export const layer = Layer.effect(OrgTokenStore, make).pipe(Layer.provide(PlatformTables.layer))
