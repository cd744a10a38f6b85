/**
 * Defects of the original that ours has not, by the numbers of their lists (`docs/compatibility.md`): status and lists.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { TestPlatform } from "../../support/platform.ts"
import { type Call, create, layerWith, online, send } from "./call.ts"

const agent = "http://127.0.0.1:9/"
const unknown = "00000000-0000-4000-8000-000000000000"
const Ids = Schema.Array(Schema.Struct({ id: Schema.String }))
const Steps = Schema.Array(Schema.Struct({ step_name: Schema.String }))
const State = Schema.Struct({ status: Schema.String })
const Made = Schema.Struct({ connection: Schema.Struct({ python_snippet: Schema.String }) })

interface Own {
  readonly id: string
  readonly token: string
}
const asAdmin = Effect.fnUntraced(function* (call: Call) {
  const { adminToken } = yield* TestPlatform
  return yield* send({ ...call, bearer: adminToken })
})
const beat = ({ id, token }: Own, fields: object = {}) =>
  send({ method: "POST", path: "/registry/heartbeat", bearer: token, json: { workspace_id: id, ...fields } })
const register = ({ id, token }: Own) =>
  send({ method: "POST", path: "/registry/register", bearer: token, json: { id, url: agent, agent_card: {} } })
const stateOf = ({ id, token }: Own) => send({ method: "GET", path: `/workspaces/${id}/state`, bearer: token })
const statusOf = Effect.fnUntraced(function* (own: Own) {
  return (yield* Schema.decodeUnknownEffect(State)((yield* stateOf(own)).json)).status
})
const setStatus = Effect.fnUntraced(function* (id: string, status: string) {
  const sql = yield* SqlClient
  yield* sql`UPDATE workspaces SET status = ${status} WHERE id = ${id}`
})
const discover = (from: Own, target: Own) =>
  send({
    method: "GET",
    path: `/registry/discover/${target.id}`,
    bearer: from.token,
    headers: { "x-workspace-id": from.id }
  })

describe("defects of the original: status and lists", () => {
  layer(layerWith())((it) => {
    it.effect("platform defect 20, remote U1: a workspace waits for its agent, and its first beat ends that", () =>
      Effect.gen(function* () {
        const own = yield* create()
        assert.strictEqual(yield* statusOf(own), "awaiting_agent")
        assert.strictEqual((yield* beat(own)).status, 200)
        assert.strictEqual(yield* statusOf(own), "online")
      })
    )

    it.effect(
      "platform defect 21: what registered itself stays external, and is found at its own URL at any time",
      () =>
        Effect.gen(function* () {
          const parent = yield* create()
          const own = yield* online(agent, { parent_id: parent.id })
          const asking = yield* online(agent, { parent_id: parent.id })
          yield* TestClock.adjust("10 minutes")
          yield* beat(own)
          assert.deepInclude((yield* discover(asking, own)).json, { id: own.id, url: agent })
          const { json } = yield* asAdmin({ method: "GET", path: `/workspaces/${own.id}` })
          assert.deepInclude(json, { runtime: "external", url: agent, status: "online" })
        })
    )

    it.effect(
      "platform defect 22, platform defect 23, remote U11: silence ends in offline, however the agent came, and every time anew",
      () =>
        Effect.gen(function* () {
          const registered = yield* online(agent)
          const beating = yield* create()
          yield* beat(beating)
          const made = yield* create({ url: agent })
          const silent = Effect.gen(function* () {
            yield* TestClock.adjust("106 seconds")
            assert.strictEqual(yield* statusOf(registered), "offline")
            assert.strictEqual(yield* statusOf(beating), "offline")
            const { json } = yield* asAdmin({ method: "GET", path: `/workspaces/${made.id}` })
            assert.deepInclude(json, { status: "offline" })
          })
          yield* silent
          // Back by a beat alone, it is missed again when it is silent again.
          for (const own of [registered, beating]) {
            yield* beat(own)
            assert.strictEqual(yield* statusOf(own), "online")
          }
          yield* silent
        })
    )

    it.effect("platform defect 25: beats, good and bad ones, undo neither a pause nor a deletion", () =>
      Effect.gen(function* () {
        const own = yield* online(agent)
        const fields = [{ error_rate: 0.9 }, { error_rate: 0 }, { runtime_state: "wedged" }, {}]
        const many = Effect.forEach([...fields, ...fields, ...fields], (one) => beat(own, one), { concurrency: 6 })
        yield* Effect.all([many, Effect.andThen(Effect.yieldNow, setStatus(own.id, "paused"))], { concurrency: 2 })
        assert.strictEqual(yield* statusOf(own), "paused")
        yield* setStatus(own.id, "online")
        const gone = asAdmin({ method: "DELETE", path: `/workspaces/${own.id}` })
        yield* Effect.all([many, Effect.andThen(Effect.yieldNow, gone)], { concurrency: 2 })
        assert.deepInclude((yield* asAdmin({ method: "GET", path: `/workspaces/${own.id}` })).json, {
          status: "removed"
        })
      })
    )

    it.effect("platform defect 26, remote U12: registering ends no pause, and nothing revives what was removed", () =>
      Effect.gen(function* () {
        const own = yield* online(agent)
        yield* setStatus(own.id, "paused")
        assert.strictEqual((yield* register(own)).status, 200)
        assert.deepInclude((yield* stateOf(own)).json, { status: "paused", paused: true })
        yield* asAdmin({ method: "DELETE", path: `/workspaces/${own.id}` })
        assert.strictEqual((yield* asAdmin({ method: "POST", path: `/workspaces/${own.id}/restart` })).status, 501)
        assert.strictEqual((yield* register(own)).status, 401)
        assert.deepInclude((yield* stateOf(own)).json, { status: "removed" })
      })
    )

    it.effect("platform defect 30: a patch of which a part is refused changes nothing, and says so", () =>
      Effect.gen(function* () {
        const { id } = yield* create({ name: "before" })
        const path = `/workspaces/${id}`
        for (const wrong of [{ workspace_dir: "/etc" }, { parent_id: unknown }, { tier: 1.5 }, { name: "a\nb" }])
          assert.strictEqual(
            (yield* asAdmin({ method: "PATCH", path, json: { name: "after", role: "r", ...wrong } })).status,
            400
          )
        assert.deepInclude((yield* asAdmin({ method: "GET", path })).json, { name: "before", role: null })
      })
    )

    it.effect("platform defect 31: deleting what there is not is a 404", () =>
      Effect.gen(function* () {
        const answer = yield* asAdmin({ method: "DELETE", path: `/workspaces/${unknown}` })
        assert.deepStrictEqual([answer.status, answer.json], [404, { error: "workspace not found" }])
      })
    )

    it.effect(
      "platform defect 33, remote U2: the token of a deleted workspace is told to stop, and its beats are refused",
      () =>
        Effect.gen(function* () {
          const own = yield* online(agent)
          yield* asAdmin({ method: "DELETE", path: `/workspaces/${own.id}` })
          const told = yield* stateOf(own)
          assert.deepStrictEqual(
            [told.status, told.json],
            [404, { workspace_id: own.id, status: "removed", deleted: true }]
          )
          assert.strictEqual((yield* beat(own)).status, 401)
        })
    )

    it.effect("platform defect 34: looking for peers fails for none that has no role", () =>
      Effect.gen(function* () {
        const parent = yield* create()
        const own = yield* create({ parent_id: parent.id })
        yield* create({ parent_id: parent.id, name: "none" })
        const found = yield* create({ parent_id: parent.id, name: "other", role: "Writer" })
        const answer = yield* send({ method: "GET", path: `/registry/${own.id}/peers?q=writ`, bearer: own.token })
        assert.strictEqual(answer.status, 200)
        const ids = (yield* Schema.decodeUnknownEffect(Ids)(answer.json)).map(({ id }) => id)
        assert.deepStrictEqual(ids, [found.id])
      })
    )

    it.effect("platform defect 35: of registrations at once one gets the token, of mintings at once fifty do", () =>
      Effect.gen(function* () {
        const fresh = yield* create({ url: agent })
        const own = yield* create()
        const first = yield* Effect.forEach(Array.from({ length: 8 }), () => register({ ...fresh, token: "" }), {
          concurrency: 8
        })
        assert.strictEqual(first.filter(({ status }) => status === 200).length, 1)
        const mint = send({ method: "POST", path: `/workspaces/${own.id}/tokens`, bearer: own.token })
        const minted = yield* Effect.forEach(Array.from({ length: 55 }), () => mint, { concurrency: 16 })
        assert.strictEqual(minted.filter(({ status }) => status === 201).length, 49)
        assert.strictEqual(minted.filter(({ status }) => status === 429).length, 6)
      })
    )

    it.effect("platform defect 36: what an agent can do counts in the very beat that says so", () =>
      Effect.gen(function* () {
        const own = yield* online(agent)
        const judges = { runtime_metadata: { capabilities: { status_mgmt: true } } }
        yield* beat(own, { error_rate: 0.9, ...judges })
        assert.strictEqual(yield* statusOf(own), "online")
        yield* beat(own, { error_rate: 0.9 })
        assert.strictEqual(yield* statusOf(own), "degraded")
      })
    )

    it.effect(
      "platform defect 50: what is equal comes in one order every time: steps newest first, peers oldest first",
      () =>
        Effect.gen(function* () {
          const parent = yield* create()
          const own = yield* create({ parent_id: parent.id })
          const names = ["c", "a", "d", "b"]
          // Virtual time stands still: all of it happens in one moment.
          const siblings = yield* Effect.forEach(names, (name) => create({ parent_id: parent.id, name }))
          const path = `/workspaces/${own.id}/checkpoints`
          for (const step_name of names)
            yield* send({ method: "POST", path, bearer: own.token, json: { workflow_id: "flow", step_name } })
          for (let count = 0; count < 3; count++) {
            const steps = yield* send({ method: "GET", path: `${path}/flow`, bearer: own.token })
            assert.deepStrictEqual(
              (yield* Schema.decodeUnknownEffect(Steps)(steps.json)).map(({ step_name }) => step_name),
              names.toReversed()
            )
            const latest = yield* send({ method: "GET", path: `${path}/latest`, bearer: own.token })
            assert.deepInclude(latest.json, { step_name: "b" })
            const peers = yield* send({ method: "GET", path: `/registry/${own.id}/peers`, bearer: own.token })
            assert.deepStrictEqual(
              (yield* Schema.decodeUnknownEffect(Ids)(peers.json)).map(({ id }) => id),
              [...siblings.map(({ id }) => id), parent.id]
            )
          }
        })
    )

    it.effect("remote U8: the program that creation shows needs nothing but Python", () =>
      Effect.gen(function* () {
        const made = yield* asAdmin({ method: "POST", path: "/workspaces", json: { name: "w" } })
        const { connection } = yield* Schema.decodeUnknownEffect(Made)(made.json)
        const imports = connection.python_snippet.match(/^(?:import|from) .*$/gm)
        assert.deepStrictEqual(imports, ["import json, time, urllib.request"])
        assert.notMatch(connection.python_snippet, /auth_token=|run_heartbeat_loop_async/)
      })
    )
  })
})
