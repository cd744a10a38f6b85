/**
 * Defects of the original that ours has not, by the numbers of their lists (`docs/compatibility.md`): who may do what.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { decodeJwt } from "jose"
import { TestPlatform } from "../../support/platform.ts"
import { type Call, create, echoAgent, layerWith, online, send, serve } from "./call.ts"

const agent = "http://127.0.0.1:9/"
const unknown = "00000000-0000-4000-8000-000000000000"
const message = { jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { messageId: "m" } } }
const Counted = Schema.Array(Schema.Struct({ n: Schema.Int }))
const Tokens = Schema.Struct({ tokens: Schema.Array(Schema.Struct({ id: Schema.String })) })

const register = (id: string, bearer?: string, url = agent) =>
  send({ method: "POST", path: "/registry/register", bearer, json: { id, url, agent_card: {} } })
const asAdmin = Effect.fnUntraced(function* (call: Call) {
  const { adminToken } = yield* TestPlatform
  return yield* send({ ...call, bearer: adminToken })
})
const tokensOf = Effect.fnUntraced(function* (id: string) {
  const sql = yield* SqlClient
  const rows = yield* sql`SELECT COUNT(*) AS n FROM workspace_tokens WHERE workspace_id = ${id}`
  return (yield* Schema.decodeUnknownEffect(Counted)(rows))[0]?.n
})
const revokeAll = Effect.fnUntraced(function* ({ id, token }: { readonly id: string; readonly token: string }) {
  const path = `/workspaces/${id}/tokens`
  const { json } = yield* send({ method: "GET", path, bearer: token })
  for (const one of (yield* Schema.decodeUnknownEffect(Tokens)(json)).tokens)
    yield* asAdmin({ method: "DELETE", path: `${path}/${one.id}` })
})

// Everything that the original lets a workspace without a live token do unasked.
const asNobody = (id: string, other: string): ReadonlyArray<Call> => [
  { method: "POST", path: "/registry/register", json: { id, url: agent, agent_card: {} } },
  { method: "POST", path: "/registry/heartbeat", json: { workspace_id: id } },
  { method: "POST", path: "/registry/update-card", json: { workspace_id: id, agent_card: {} } },
  { method: "GET", path: `/registry/discover/${other}`, headers: { "x-workspace-id": id } },
  { method: "GET", path: `/registry/${id}/peers` },
  { method: "POST", path: `/workspaces/${other}/a2a`, headers: { "x-workspace-id": id }, json: message },
  { method: "GET", path: `/workspaces/${id}/tokens` },
  { method: "POST", path: `/workspaces/${id}/tokens` }
]

describe("defects of the original: who may do what", () => {
  layer(layerWith({ maxBodyBytes: 10_000, maxCheckpoints: 2 }), { excludeTestServices: true })((it) => {
    it.effect("platform defect 1: a message needs a credential, whatever caller it names or leaves out", () =>
      Effect.gen(function* () {
        let calls = 0
        const server = yield* serve((_request, _body, response) => {
          calls++
          response.end("{}")
        })
        const { id } = yield* online(server.url)
        const path = `/workspaces/${id}/a2a`
        for (const headers of [{}, { "x-workspace-id": "" }, { "x-workspace-id": id }, { "x-workspace-id": unknown }])
          assert.strictEqual((yield* send({ method: "POST", path, json: message, headers })).status, 401)
        assert.strictEqual(calls, 0)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "platform defect 2, remote U7: nobody registers an id that the admin did not create, or that was purged",
      () =>
        Effect.gen(function* () {
          const purged = yield* create()
          yield* asAdmin({ method: "DELETE", path: `/workspaces/${purged.id}?purge=true` })
          for (const id of [unknown, purged.id]) {
            const answer = yield* register(id)
            assert.deepStrictEqual([answer.status, answer.json], [401, { error: "missing workspace auth token" }])
            assert.strictEqual((yield* register(id, purged.token)).status, 401)
            assert.strictEqual((yield* asAdmin({ method: "GET", path: `/workspaces/${id}` })).status, 404)
          }
        })
    )

    it.effect(
      "platform defect 3: no live token opens nothing, neither after the last was revoked nor after deletion",
      () =>
        Effect.gen(function* () {
          const parent = yield* create()
          const other = yield* create({ parent_id: parent.id })
          const revoked = yield* create({ parent_id: parent.id })
          const deleted = yield* create({ parent_id: parent.id })
          yield* revokeAll(revoked)
          yield* asAdmin({ method: "DELETE", path: `/workspaces/${deleted.id}` })
          for (const { id, token } of [revoked, deleted])
            for (const call of asNobody(id, other.id))
              for (const bearer of [undefined, token, other.token])
                assert.strictEqual((yield* send({ ...call, bearer })).status, 401, `${call.method} ${call.path}`)
        })
    )

    it.effect("platform defect 4, remote U7: a removed workspace is given no token, by nobody", () =>
      Effect.gen(function* () {
        const gone = yield* create()
        const never = yield* create({ url: agent })
        for (const { id, token } of [gone, never]) {
          const before = yield* tokensOf(id)
          yield* asAdmin({ method: "DELETE", path: `/workspaces/${id}` })
          assert.strictEqual((yield* register(id)).status, 401)
          assert.strictEqual((yield* register(id, token)).status, 401)
          assert.strictEqual((yield* asAdmin({ method: "POST", path: `/workspaces/${id}/tokens` })).status, 404)
          assert.strictEqual(yield* tokensOf(id), before)
        }
      })
    )

    it.effect("platform defect 5: where no token was ever given, the admin's routes are closed all the same", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const own = yield* create()
        yield* sql`DELETE FROM workspace_tokens`
        for (const bearer of [undefined, "made-up", own.token]) {
          for (const [method, path] of [
            ["GET", "/workspaces"],
            ["POST", "/workspaces"],
            ["DELETE", `/workspaces/${own.id}`]
          ] as const)
            assert.strictEqual((yield* send({ method, path, bearer, json: { name: "x" } })).status, 401, path)
        }
      })
    )

    it.effect("platform defect 6: a database that fails is a 503, no open door and no lost token", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const own = yield* create()
        const fresh = yield* create({ url: agent })
        yield* sql`ALTER TABLE workspace_tokens RENAME TO away`
        const beat = { method: "POST", path: "/registry/heartbeat", json: { workspace_id: own.id } } as const
        const statuses = yield* Effect.all([
          send({ ...beat, bearer: own.token }),
          register(fresh.id),
          send({ method: "GET", path: `/workspaces/${own.id}/state`, bearer: own.token }),
          send({ method: "POST", path: `/workspaces/${fresh.id}/a2a`, bearer: own.token, json: message })
        ])
        yield* sql`ALTER TABLE away RENAME TO workspace_tokens`
        for (const { json, status } of statuses) {
          assert.strictEqual(status, 503)
          assert.deepInclude(json, { code: "platform_unavailable" })
        }
        assert.strictEqual((yield* send({ ...beat, bearer: own.token })).status, 200)
      })
    )

    it.effect("platform defect 7: an agent does not move itself in the hierarchy", () =>
      Effect.gen(function* () {
        const parent = yield* create()
        const elsewhere = yield* create()
        const own = yield* create({ parent_id: parent.id })
        for (const parent_id of [elsewhere.id, null]) {
          const answer = yield* send({
            method: "PATCH",
            path: `/workspaces/${own.id}`,
            bearer: own.token,
            json: { parent_id }
          })
          assert.strictEqual(answer.status, 403)
        }
        const { json } = yield* asAdmin({ method: "GET", path: `/workspaces/${own.id}` })
        assert.deepInclude(json, { parent_id: parent.id })
      })
    )

    it.effect("platform defect 8: parents form no circle, and one that is stored hangs nothing", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const top = yield* create()
        const middle = yield* create({ parent_id: top.id })
        const leaf = yield* create({ parent_id: middle.id })
        const stranger = yield* create({ parent_id: (yield* create()).id })
        const path = `/workspaces/${top.id}`
        assert.strictEqual((yield* asAdmin({ method: "PATCH", path, json: { parent_id: leaf.id } })).status, 400)
        yield* sql`UPDATE workspaces SET parent_id = ${leaf.id} WHERE id = ${top.id}`
        const ask = { caller_id: leaf.id, target_id: stranger.id }
        const asked = yield* asAdmin({ method: "POST", path: "/registry/check-access", json: ask })
        assert.deepStrictEqual(asked.json, { allowed: false })
        const gone = yield* asAdmin({ method: "DELETE", path: `${path}?confirm=true` })
        assert.deepStrictEqual(gone.json, { status: "removed", cascade_deleted: 2 })
      })
    )

    it.effect("platform defect 9: there is no route that hands out tokens for tests", () =>
      Effect.gen(function* () {
        const { id, token } = yield* create()
        for (const bearer of [undefined, token]) {
          const answer = yield* send({ method: "GET", path: `/admin/workspaces/${id}/test-token`, bearer })
          assert.strictEqual(answer.status, 501)
        }
        assert.strictEqual(yield* tokensOf(id), 1)
      })
    )

    it.effect("platform defect 10: without a credential neither URL nor card are shown, and no access is told", () =>
      Effect.gen(function* () {
        const own = yield* online(agent)
        const seen = yield* send({ method: "GET", path: `/workspaces/${own.id}` })
        assert.hasAllKeys(seen.json, ["id", "name", "role", "tier", "status", "parent_id"])
        const json = { caller_id: own.id, target_id: own.id }
        assert.strictEqual((yield* send({ method: "POST", path: "/registry/check-access", json })).status, 401)
      })
    )

    it.effect("platform defect 11, remote U10: a page's own address in Origin or Referer is no credential", () =>
      Effect.gen(function* () {
        const { url } = yield* TestPlatform
        const { id } = yield* online(agent)
        for (const headers of [{ origin: url }, { referer: `${url}/` }, { origin: url, referer: `${url}/page` }])
          for (const [method, path] of [
            ["GET", "/workspaces"],
            ["GET", `/workspaces/${id}/tokens`],
            ["POST", `/workspaces/${id}/tokens`],
            ["POST", `/workspaces/${id}/a2a`],
            ["PATCH", `/workspaces/${id}`]
          ] as const) {
            const json = method === "GET" ? undefined : {}
            assert.strictEqual((yield* send({ method, path, headers, json })).status, 401, path)
          }
      })
    )

    it.effect("platform defect 13, remote U13: an address inside is refused at creation and at registration", () =>
      Effect.gen(function* () {
        const own = yield* create()
        for (const url of [
          "http://0.0.0.0/",
          "http://[::]/",
          "http://10.0.0.1/",
          "http://169.254.169.254/",
          "http://[64:ff9b::a00:1]/",
          "http://240.0.0.1/",
          "http://198.18.0.1/",
          "ftp://example.com/"
        ]) {
          const made = yield* asAdmin({ method: "POST", path: "/workspaces", json: { name: "w", url } })
          const told = yield* register(own.id, own.token, url)
          for (const answer of [made, told]) {
            assert.strictEqual(answer.status, 400, url)
            assert.include(answer.text, '"path":"url"')
          }
        }
      })
    )

    it.effect("platform defect 14: the agent is told who calls, by a token that is not the caller's own", () =>
      Effect.gen(function* () {
        const seen = yield* Queue.unbounded<string>()
        const server = yield* serve((request, _body, response) => {
          Queue.offerUnsafe(seen, String(request.headers.authorization))
          response.end("{}")
        })
        const parent = yield* create()
        const target = yield* online(server.url, { parent_id: parent.id })
        const caller = yield* create({ parent_id: parent.id })
        yield* send({ method: "POST", path: `/workspaces/${target.id}/a2a`, bearer: caller.token, json: message })
        const token = (yield* Queue.take(seen)).replace("Bearer ", "")
        assert.notStrictEqual(token, caller.token)
        const { aud, sub } = decodeJwt(token)
        assert.deepStrictEqual([sub, aud], [caller.id, target.id])
      }).pipe(Effect.scoped)
    )

    it.effect("platform defect 15: forwarded headers do not change where agents are sent", () =>
      Effect.gen(function* () {
        const { url } = yield* TestPlatform
        const headers = { "x-forwarded-host": "evil.test", "x-forwarded-proto": "gopher" }
        const made = yield* asAdmin({ method: "POST", path: "/workspaces", json: { name: "w" }, headers })
        assert.include(made.text, `"platform_url":"${url}"`)
        assert.notMatch(made.text, /evil\.test|gopher/)
      })
    )

    it.effect("platform defect 17: a body, and a workspace's checkpoints, have a limit that is told", () =>
      Effect.gen(function* () {
        const own = yield* create()
        const save = (step_name: string, payload: unknown = null) =>
          send({
            method: "POST",
            path: `/workspaces/${own.id}/checkpoints`,
            bearer: own.token,
            json: { workflow_id: "flow", step_name, payload }
          })
        assert.strictEqual((yield* save("big", "x".repeat(10_000))).status, 413)
        const statuses = yield* Effect.forEach(["a", "b", "c", "a"], (step) => save(step))
        assert.deepStrictEqual(
          statuses.map(({ status }) => status),
          [201, 201, 429, 201]
        )
      })
    )

    it.effect("platform-more defect 53: a page may send the headers that the original's page sends", () =>
      Effect.gen(function* () {
        const headers = { origin: "http://localhost:3000", "access-control-request-method": "GET" }
        const told = yield* send({ method: "OPTIONS", path: "/workspaces", headers })
        assert.strictEqual(told.status, 204)
        const allowed = String(told.headers["access-control-allow-headers"]).toLowerCase().split(",")
        assert.includeMembers(allowed, [
          "authorization",
          "content-type",
          "x-workspace-id",
          "x-timeout",
          "x-molecule-org-id",
          "x-molecule-org-slug"
        ])
      })
    )
  })

  layer(layerWith({ requestsPerMinute: 6 }))("and the rate limit", (it) => {
    it.effect("platform defect 16: who sends too much holds up nobody else behind the same address", () =>
      Effect.gen(function* () {
        const { url } = yield* echoAgent
        const busy = yield* create()
        const quiet = yield* create({ url })
        const beat = ({ id, token }: { readonly id: string; readonly token: string }) =>
          send({ method: "POST", path: "/registry/heartbeat", bearer: token, json: { workspace_id: id } })
        const statuses = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], () => beat(busy))
        assert.include(
          statuses.map(({ status }) => status),
          429
        )
        const { json } = yield* register(quiet.id)
        const { auth_token } = yield* Schema.decodeUnknownEffect(Schema.Struct({ auth_token: Schema.String }))(json)
        assert.strictEqual((yield* beat({ id: quiet.id, token: auth_token })).status, 200)
      }).pipe(Effect.scoped)
    )
  })
})
