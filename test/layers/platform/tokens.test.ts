import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { create, layerWith, send } from "./call.ts"

const Page = Schema.Struct({
  tokens: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      prefix: Schema.String,
      created_at: Schema.String,
      last_used_at: Schema.NullOr(Schema.String)
    })
  ),
  count: Schema.Int
})
const Minted = Schema.Struct({ auth_token: Schema.String })

describe("tokens over HTTP", () => {
  layer(layerWith())((it) => {
    it.effect("fifty live ones, never one more, however many ask at once; a revoked one makes room", () =>
      Effect.gen(function* () {
        const own = yield* create()
        const path = `/workspaces/${own.id}/tokens`
        const mint = send({ method: "POST", path, bearer: own.token })
        const answers = yield* Effect.all(
          Array.from({ length: 60 }, () => mint),
          { concurrency: 20 }
        )
        assert.strictEqual(answers.filter(({ status }) => status === 201).length, 49)
        const refused = answers.filter(({ status }) => status === 429)
        assert.strictEqual(refused.length, 11)
        assert.deepStrictEqual(refused[0]?.json, { error: "maximum 50 active tokens per workspace" })
        assert.isUndefined(refused[0]?.headers["retry-after"])
        const { count, tokens } = yield* Schema.decodeUnknownEffect(Page)(
          (yield* send({ method: "GET", path, bearer: own.token })).json
        )
        assert.strictEqual(count, 50)
        const revoke = { method: "DELETE", path: `${path}/${tokens[0]?.id}`, bearer: own.token } as const
        assert.deepStrictEqual((yield* send(revoke)).json, { status: "revoked" })
        assert.deepStrictEqual((yield* send(revoke)).json, { error: "token not found or already revoked" })
        assert.strictEqual((yield* mint).status, 201)
      })
    )

    it.effect("each works at once, is listed by its first characters, newest first, page by page", () =>
      Effect.gen(function* () {
        const own = yield* create()
        const path = `/workspaces/${own.id}/tokens`
        const made: Array<string> = [own.token]
        for (let n = 0; n < 4; n++) {
          const answer = yield* send({ method: "POST", path, bearer: made[n] })
          made.push((yield* Schema.decodeUnknownEffect(Minted)(answer.json)).auth_token)
        }
        const prefixes = made.map((token) => token.slice(0, 8)).reverse()
        const list = Effect.fnUntraced(function* (query: string) {
          const answer = yield* send({ method: "GET", path: `${path}${query}`, bearer: own.token })
          return (yield* Schema.decodeUnknownEffect(Page)(answer.json)).tokens.map(({ prefix }) => prefix)
        })
        assert.deepStrictEqual(yield* list(""), prefixes)
        assert.deepStrictEqual(yield* list("?limit=2&offset=1"), prefixes.slice(1, 3))
        for (const bad of ["?limit=0", "?limit=201", "?limit=x&offset=-1", "?offset=1e3", "?limit=1&limit=2"]) {
          const answer = yield* send({ method: "GET", path: `${path}${bad}`, bearer: own.token })
          assert.include([200, 400], answer.status, bad)
        }
        assert.deepStrictEqual(yield* list("?limit=0&offset=zwei"), prefixes)
      })
    )

    it.effect("is good for its own workspace alone", () =>
      Effect.gen(function* () {
        const one = yield* create()
        const two = yield* create()
        const { tokens } = yield* Schema.decodeUnknownEffect(Page)(
          (yield* send({ method: "GET", path: `/workspaces/${two.id}/tokens`, bearer: two.token })).json
        )
        const across = yield* send({
          method: "DELETE",
          path: `/workspaces/${one.id}/tokens/${tokens[0]?.id}`,
          bearer: one.token
        })
        assert.strictEqual(across.status, 404)
        assert.strictEqual(
          (yield* send({ method: "GET", path: `/workspaces/${two.id}/state`, bearer: two.token })).status,
          200
        )
      })
    )
  })
})
