import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { MintedOrgToken, OrgTokenList } from "../../../src/services/platform/PlatformSchemas.ts"
import { maxOrgTokens } from "../../../src/services/platform/OrgTokenStore.ts"
import { TestPlatform } from "../../support/platform.ts"
import { type Call, create, layerWith, send } from "./call.ts"

const asAdmin = Effect.fnUntraced(function* (call: Call) {
  const { adminToken } = yield* TestPlatform
  return yield* send({ bearer: adminToken, ...call })
})
const mint = Effect.fnUntraced(function* (call: Partial<Call> = {}) {
  const answer = yield* asAdmin({ method: "POST", path: "/org/tokens", ...call })
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* Schema.decodeUnknownEffect(MintedOrgToken)(answer.json)
})
const list = Effect.flatMap(asAdmin({ method: "GET", path: "/org/tokens" }), ({ json }) =>
  Schema.decodeUnknownEffect(OrgTokenList)(json)
)

describe("org tokens over HTTP", () => {
  layer(layerWith())((it) => {
    it.effect("are shown once, listed newest first by their first characters, and say who made them", () =>
      Effect.gen(function* () {
        const first = yield* mint({ json: { name: "deploys" } })
        assert.match(first.auth_token, /^[\w-]{43}$/)
        assert.strictEqual(first.prefix, first.auth_token.slice(0, 8))
        assert.strictEqual(first.warning, "copy this token now; it will not be shown again")
        // The original's clients send no body where there is no name.
        const second = yield* mint({ bearer: first.auth_token })
        assert.notProperty(second, "name")
        const { count, tokens } = yield* list
        assert.strictEqual(count, 2)
        assert.deepStrictEqual(
          tokens.map(({ created_by, id, name, prefix }) => [id, prefix, name, created_by]),
          [
            [second.id, second.prefix, undefined, `org-token:${first.prefix}`],
            [first.id, first.prefix, "deploys", "admin-token"]
          ]
        )
        assert.isUndefined(tokens[0]?.last_used_at)
        assert.isString(tokens[1]?.last_used_at)
        assert.notInclude(JSON.stringify(tokens), first.auth_token)
        // In the database there is only its hash.
        const sql = yield* SqlClient
        const rows = yield* sql`SELECT id, prefix, name, created_by FROM org_tokens`
        assert.notInclude(JSON.stringify(rows), first.auth_token)
      })
    )

    it.effect("do what the admin may, and nothing after they were revoked; what they are not, is nobody", () =>
      Effect.gen(function* () {
        const org = yield* mint()
        const workspaces = { method: "GET", path: "/workspaces", bearer: org.auth_token } as const
        assert.strictEqual((yield* send(workspaces)).status, 200)
        const own = yield* create()
        const patch = {
          method: "PATCH",
          path: `/workspaces/${own.id}`,
          bearer: org.auth_token,
          json: { tier: 2 }
        } as const
        assert.strictEqual((yield* send(patch)).status, 200, "the tier is the admin's to change")
        const revoke = { method: "DELETE", path: `/org/tokens/${org.id}`, bearer: org.auth_token } as const
        assert.deepStrictEqual((yield* send(revoke)).json, { revoked: org.id }, "its own, too")
        assert.deepStrictEqual(
          [(yield* send(workspaces)).status, (yield* send(workspaces)).json],
          [401, { error: "invalid admin auth token" }]
        )
        const again = yield* asAdmin({ method: "DELETE", path: `/org/tokens/${org.id}` })
        assert.deepStrictEqual([again.status, again.json], [404, { error: "token not found or already revoked" }])
        const unknown = yield* asAdmin({ method: "DELETE", path: "/org/tokens/nonsense" })
        assert.strictEqual(unknown.status, 404)
      })
    )

    it.effect(
      "platform defect 18, platform-more defect 69: a cookie does not decide who is said to have made a token",
      () =>
        Effect.gen(function* () {
          const { id } = yield* mint({ headers: { cookie: "session=whoever" } })
          const { tokens } = yield* list
          assert.strictEqual(tokens.find((token) => token.id === id)?.created_by, "admin-token")
        })
    )

    it.effect("a name that is none, or too long, is refused by its field, and no token is made", () =>
      Effect.gen(function* () {
        const before = (yield* list).count
        for (const call of [{ json: { name: "x".repeat(101) } }, { json: { name: 7 } }]) {
          const answer = yield* asAdmin({ method: "POST", path: "/org/tokens", ...call })
          assert.strictEqual(answer.status, 400)
          assert.include(answer.text, '"path":"name"')
        }
        assert.strictEqual((yield* asAdmin({ method: "POST", path: "/org/tokens", raw: "{" })).status, 400)
        assert.strictEqual((yield* list).count, before)
      })
    )

    it.effect("there are as many as one list shows, never one more, however many ask at once", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const have = (yield* list).count
        const room = 3
        for (let n = 0; n < maxOrgTokens - have - room; n++) {
          yield* sql`INSERT INTO org_tokens (id, hash, prefix, name, created_by, created_at)
            VALUES (${`filler-${n}`}, ${new TextEncoder().encode(`filler-${n}`)}, 'filler', '', 'test', 0)`
        }
        const answers = yield* Effect.all(
          Array.from({ length: 10 }, () => asAdmin({ method: "POST", path: "/org/tokens" })),
          { concurrency: 10 }
        )
        assert.strictEqual(answers.filter(({ status }) => status === 200).length, room)
        const refused = answers.find(({ status }) => status === 429)
        assert.deepStrictEqual(refused?.json, { error: "maximum 500 active org tokens: revoke one first" })
        assert.strictEqual((yield* list).count, maxOrgTokens)
      })
    )
  })
})
