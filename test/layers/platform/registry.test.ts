import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, online, send } from "./call.ts"

const agent = "http://127.0.0.1:9/"
const Rows = Schema.Array(Schema.Struct({ id: Schema.String }))
const State = Schema.Struct({ status: Schema.String, paused: Schema.Boolean })

const beat = (own: { readonly id: string; readonly token: string }, fields: object = {}) =>
  send({ method: "POST", path: "/registry/heartbeat", bearer: own.token, json: { workspace_id: own.id, ...fields } })
const statusOf = Effect.fnUntraced(function* (own: { readonly id: string; readonly token: string }) {
  const { json } = yield* send({ method: "GET", path: `/workspaces/${own.id}/state`, bearer: own.token })
  return (yield* Schema.decodeUnknownEffect(State)(json)).status
})
const setStatus = Effect.fnUntraced(function* (id: string, status: string) {
  const sql = yield* SqlClient
  yield* sql`UPDATE workspaces SET status = ${status} WHERE id = ${id}`
})

describe("the registry over HTTP", () => {
  layer(layerWith())((it) => {
    it.effect("of many first registrations at once exactly one gets a token, and only its URL counts", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const fresh = yield* create({ url: agent })
        const answers = yield* Effect.forEach(
          Array.from({ length: 12 }, (_, n) => `http://127.0.0.1:${n + 10}/`),
          (url) =>
            Effect.map(
              send({ method: "POST", path: "/registry/register", json: { id: fresh.id, url, agent_card: {} } }),
              (answer) => ({ answer, url })
            ),
          { concurrency: 12 }
        )
        const winners = answers.filter(({ answer }) => answer.status === 200)
        assert.strictEqual(winners.length, 1)
        assert.isTrue(answers.every(({ answer }) => answer.status === 200 || answer.status === 401))
        const row = yield* send({ method: "GET", path: `/workspaces/${fresh.id}`, bearer: adminToken })
        assert.include(row.text, String(winners[0]?.url))
      })
    )

    it.effect("a first token is not given twice, not even after the last one was revoked", () =>
      Effect.gen(function* () {
        const own = yield* create()
        const list = yield* send({ method: "GET", path: `/workspaces/${own.id}/tokens`, bearer: own.token })
        const { tokens } = yield* Schema.decodeUnknownEffect(Schema.Struct({ tokens: Rows }))(list.json)
        yield* send({ method: "DELETE", path: `/workspaces/${own.id}/tokens/${tokens[0]?.id}`, bearer: own.token })
        const anonymous = {
          method: "POST",
          path: "/registry/register",
          json: { id: own.id, url: agent, agent_card: {} }
        } as const
        assert.strictEqual((yield* send(anonymous)).status, 401)
        assert.strictEqual((yield* send({ ...anonymous, bearer: own.token })).status, 401)
      })
    )

    it.effect(
      "registering again updates URL and card, gives no token, and refuses addresses that are not allowed",
      () =>
        Effect.gen(function* () {
          const own = yield* create()
          const register = (url: string) =>
            send({
              method: "POST",
              path: "/registry/register",
              bearer: own.token,
              json: { id: own.id, url, agent_card: { n: url } }
            })
          assert.deepStrictEqual((yield* register("http://127.0.0.1:1/")).json, { status: "registered" })
          assert.deepStrictEqual((yield* register("http://127.0.0.1:2/")).json, { status: "registered" })
          for (const url of ["remote://inbound", "http://10.0.0.1/", "http://169.254.169.254/"]) {
            const refused = yield* register(url)
            assert.strictEqual(refused.status, 400, url)
            assert.deepInclude(refused.json, { error: "invalid request body" })
            assert.include(refused.text, '"path":"url"')
          }
          const row = yield* send({ method: "GET", path: `/workspaces/${own.id}`, bearer: own.token })
          assert.deepInclude(row.json, {
            url: "http://127.0.0.1:2/",
            agent_card: { n: "http://127.0.0.1:2/" },
            status: "online"
          })
        })
    )

    it.effect("heartbeats move the status, and never end a pause; a registration does not either", () =>
      Effect.gen(function* () {
        const own = yield* create()
        assert.strictEqual(yield* statusOf(own), "awaiting_agent")
        yield* beat(own)
        assert.strictEqual(yield* statusOf(own), "online")
        yield* beat(own, { error_rate: 0.7 })
        assert.strictEqual(yield* statusOf(own), "degraded")
        yield* beat(own, { error_rate: 0.2 })
        assert.strictEqual(yield* statusOf(own), "degraded")
        yield* beat(own, { error_rate: 0 })
        assert.strictEqual(yield* statusOf(own), "online")
        yield* setStatus(own.id, "paused")
        yield* beat(own)
        yield* send({
          method: "POST",
          path: "/registry/register",
          bearer: own.token,
          json: { id: own.id, url: agent, agent_card: {} }
        })
        const state = yield* send({ method: "GET", path: `/workspaces/${own.id}/state`, bearer: own.token })
        assert.deepStrictEqual(state.json, { workspace_id: own.id, status: "paused", paused: true, deleted: false })
      })
    )

    it.effect("a heartbeat stores what it says, absent numbers as 0, spending only upwards of 0", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const own = yield* create()
        const full = {
          error_rate: 0.25,
          sample_error: "e\u0000e",
          active_tasks: 2,
          current_task: "t",
          uptime_seconds: 7,
          monthly_spend: 5,
          runtime_metadata: { capabilities: { a: true } }
        }
        yield* beat(own, full)
        const read = Effect.gen(function* () {
          const list = yield* send({ method: "GET", path: "/workspaces", bearer: adminToken })
          const rows = yield* Schema.decodeUnknownEffect(Schema.Array(Schema.Record(Schema.String, Schema.Unknown)))(
            list.json
          )
          return rows.find((row) => row["id"] === own.id) ?? {}
        })
        assert.deepInclude(yield* read, {
          last_error_rate: 0.25,
          last_sample_error: "e\u0000e",
          active_tasks: 2,
          current_task: "t",
          uptime_seconds: 7,
          monthly_spend: 5
        })
        yield* beat(own, { monthly_spend: -1 })
        assert.deepInclude(yield* read, {
          last_error_rate: 0,
          last_sample_error: "",
          active_tasks: 0,
          current_task: "",
          monthly_spend: 5
        })
        for (const bad of [
          { active_tasks: 1.5 },
          { active_tasks: -1 },
          { error_rate: "x" },
          { runtime_metadata: { capabilities: { a: 1 } } }
        ]) {
          assert.strictEqual((yield* beat(own, bad)).status, 400, JSON.stringify(bad))
        }
      })
    )

    it.effect("discover gives the stored URL to whom the hierarchy connects, and 503 for who is not there", () =>
      Effect.gen(function* () {
        const parent = yield* online(agent)
        const a = yield* online("http://127.0.0.1:21/", { parent_id: parent.id, name: "a" })
        const b = yield* online(agent, { parent_id: parent.id })
        const cousin = yield* online(agent, { parent_id: (yield* online(agent, { parent_id: parent.id })).id })
        const ask = (from: { readonly id: string; readonly token: string }, target: string) =>
          send({
            method: "GET",
            path: `/registry/discover/${target}`,
            bearer: from.token,
            headers: { "x-workspace-id": from.id }
          })
        assert.deepStrictEqual((yield* ask(b, a.id)).json, { id: a.id, url: "http://127.0.0.1:21/", name: "a" })
        assert.strictEqual((yield* ask(cousin, a.id)).status, 403)
        assert.strictEqual((yield* ask(b, "00000000-0000-4000-8000-000000000000")).status, 403)
        yield* setStatus(a.id, "offline")
        const away = yield* ask(b, a.id)
        assert.deepStrictEqual([away.status, away.json], [503, { error: "workspace not available", status: "offline" }])
        yield* setStatus(a.id, "removed")
        assert.strictEqual((yield* ask(b, a.id)).status, 404)
      })
    )

    it.effect("peers: siblings, children, parent, oldest first; q looks in name and role and never fails", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const parent = yield* create({ name: "parent" })
        const own = yield* create({ name: "own", parent_id: parent.id })
        const child = yield* create({ name: "child", parent_id: own.id, role: "Writer" })
        const first = yield* create({ name: "first", parent_id: parent.id })
        const second = yield* create({ name: "second", parent_id: parent.id, role: null })
        const gone = yield* create({ name: "gone", parent_id: parent.id })
        yield* send({ method: "DELETE", path: `/workspaces/${gone.id}`, bearer: adminToken })
        const peers = Effect.fnUntraced(function* (query: string) {
          const answer = yield* send({ method: "GET", path: `/registry/${own.id}/peers${query}`, bearer: own.token })
          assert.strictEqual(answer.status, 200, answer.text)
          return (yield* Schema.decodeUnknownEffect(Rows)(answer.json)).map(({ id }) => id)
        })
        assert.deepStrictEqual(yield* peers(""), [first.id, second.id, child.id, parent.id])
        assert.deepStrictEqual(yield* peers("?q=WRIT"), [child.id])
        assert.deepStrictEqual(yield* peers("?q=seco"), [second.id])
        assert.deepStrictEqual(yield* peers("?q=%25"), [])
        const access = yield* send({
          method: "POST",
          path: "/registry/check-access",
          bearer: adminToken,
          json: { caller_id: child.id, target_id: first.id }
        })
        assert.deepStrictEqual(access.json, { allowed: false })
      })
    )
  })
})
