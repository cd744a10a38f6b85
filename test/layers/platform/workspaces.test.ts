import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { onPostgres } from "../../support/databases.ts"
import { TestPlatform } from "../../support/platform.ts"
import { type Answer, create, layerWith, online, send } from "./call.ts"

const agent = "http://127.0.0.1:9/"
const Issues = Schema.Struct({
  error: Schema.String,
  issues: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))
})
const Record_ = Schema.Record(Schema.String, Schema.Unknown)

const refusedFor = Effect.fnUntraced(function* (answer: Answer) {
  const { error, issues } = yield* Schema.decodeUnknownEffect(Issues)(answer.json)
  return { status: answer.status, error, paths: issues.map(({ path }) => path) }
})
const read = Effect.fnUntraced(function* (id: string) {
  const { adminToken } = yield* TestPlatform
  const list = yield* send({ method: "GET", path: "/workspaces", bearer: adminToken })
  const rows = yield* Schema.decodeUnknownEffect(Schema.Array(Record_))(list.json)
  return rows.find((row) => row["id"] === id) ?? {}
})
const asAdmin = Effect.fnUntraced(function* (call: Parameters<typeof send>[0]) {
  const { adminToken } = yield* TestPlatform
  return yield* send({ ...call, bearer: adminToken })
})

describe("workspaces over HTTP", () => {
  layer(layerWith())((it) => {
    it.effect("create refuses what does not fit, naming every field, and keeps nothing of it", () =>
      Effect.gen(function* () {
        const before = yield* asAdmin({ method: "GET", path: "/workspaces" })
        const bad: ReadonlyArray<readonly [unknown, string, ReadonlyArray<string>]> = [
          [{}, "invalid workspace payload", ["name"]],
          [{ name: "", tier: 1.5, external: "yes" }, "invalid workspace payload", ["name", "external", "tier"]],
          [{ name: "a\nb" }, "invalid workspace payload", ["name"]],
          [{ name: "a: [b]" }, "invalid workspace payload", ["name"]],
          [{ name: "x".repeat(256) }, "invalid workspace payload", ["name"]],
          [{ name: "a", parent_id: "no" }, "invalid workspace payload", ["parent_id"]],
          [{ name: "a", parent_id: "00000000-0000-4000-8000-000000000000" }, "invalid parent_id", ["parent_id"]],
          [{ name: "a", workspace_dir: "relative" }, "invalid workspace directory", ["workspace_dir"]],
          [{ name: "a", workspace_dir: "/home/../etc" }, "invalid workspace directory", ["workspace_dir"]],
          [{ name: "a", workspace_dir: "//etc/passwd" }, "invalid workspace directory", ["workspace_dir"]],
          [{ name: "a", workspace_dir: "/./etc" }, "invalid workspace directory", ["workspace_dir"]],
          [{ name: "a", workspace_access: "read_only" }, "invalid workspace access", ["workspace_access"]],
          [{ name: "a", url: "http://169.254.169.254/" }, "invalid workspace URL", ["url"]],
          [{ name: "a", url: "ftp://x" }, "invalid workspace URL", ["url"]]
        ]
        for (const [json, error, paths] of bad) {
          const answer = yield* asAdmin({ method: "POST", path: "/workspaces", json })
          assert.deepStrictEqual(
            yield* refusedFor(answer),
            { status: 400, error, paths: [...paths] },
            JSON.stringify(json)
          )
        }
        assert.strictEqual((yield* asAdmin({ method: "GET", path: "/workspaces" })).text, before.text)
      })
    )

    it.effect("create without a URL gives the token once; with one it is online and has no token yet", () =>
      Effect.gen(function* () {
        const { stateDirectory, url } = yield* TestPlatform
        const answer = yield* asAdmin({
          method: "POST",
          path: "/workspaces",
          json: { name: "agent", tier: 0, max_concurrent_tasks: -1 }
        })
        const { connection, id, status } = yield* Schema.decodeUnknownEffect(
          Schema.Struct({ id: Schema.String, status: Schema.String, connection: Record_ })
        )(answer.json)
        assert.strictEqual(status, "awaiting_agent")
        assert.strictEqual(connection["platform_url"], url)
        assert.strictEqual(connection["workspace_id"], id)
        assert.include(String(connection["curl_register_template"]), id)
        assert.notInclude(String(connection["python_snippet"]), String(connection["auth_token"]))
        const row = yield* read(id)
        assert.deepStrictEqual([row["tier"], row["max_concurrent_tasks"], row["runtime"]], [3, 1, "external"])
        const withUrl = yield* asAdmin({ method: "POST", path: "/workspaces", json: { name: "b", url: agent } })
        assert.deepInclude(withUrl.json, { external: true, status: "online" })
        assert.notInclude(withUrl.text, "auth_token")
        // Only the hash is stored.
        if (yield* onPostgres) return
        const { readFileSync } = yield* Effect.promise(() => import("node:fs"))
        for (const name of ["platform.db", "platform.db-wal"]) {
          assert.notInclude(readFileSync(`${stateDirectory}/${name}`, "latin1"), String(connection["auth_token"]))
        }
      })
    )

    it.effect("patch is all or nothing, and where it stands is not the workspace's own to change", () =>
      Effect.gen(function* () {
        const parent = yield* create()
        const own = yield* create({ parent_id: parent.id, name: "before" })
        const path = `/workspaces/${own.id}`
        const patch = (json: unknown) => send({ method: "PATCH", path, bearer: own.token, json })
        for (const [field, value] of [
          ["tier", 1],
          ["parent_id", null],
          ["runtime", "x"],
          ["workspace_dir", "/home/x"]
        ] as const) {
          const answer = yield* patch({ name: "after", [field]: value })
          assert.deepStrictEqual([answer.status, answer.json], [403, { error: `${field} is the admin's to change` }])
        }
        // What has not changed may be sent back.
        assert.strictEqual((yield* patch({ tier: 3, parent_id: parent.id, runtime: "external" })).status, 200)
        assert.strictEqual((yield* read(own.id))["name"], "before")
        const half = yield* asAdmin({ method: "PATCH", path, json: { name: "after", workspace_dir: "/etc" } })
        assert.deepStrictEqual(yield* refusedFor(half), {
          status: 400,
          error: "invalid workspace directory",
          paths: ["workspace_dir"]
        })
        const circle = yield* asAdmin({
          method: "PATCH",
          path: `/workspaces/${parent.id}`,
          json: { name: "after", parent_id: own.id }
        })
        assert.strictEqual(circle.status, 400)
        const itself = yield* asAdmin({ method: "PATCH", path, json: { name: "after", parent_id: own.id } })
        assert.strictEqual(itself.status, 400)
        assert.strictEqual((yield* read(own.id))["name"], "before")
        assert.strictEqual((yield* read(parent.id))["name"], "w")

        const all = {
          name: "after",
          role: "r",
          tier: 1,
          parent_id: null,
          workspace_dir: "/home/x",
          collapsed: true,
          x: 1.5,
          y: -2
        }
        const done = yield* asAdmin({
          method: "PATCH",
          path,
          json: { ...all, status: "removed", url: "http://x", budget_limit: 1 }
        })
        assert.deepStrictEqual(done.json, { status: "updated", needs_restart: true })
        assert.deepInclude(yield* read(own.id), { ...all, status: "awaiting_agent", url: "", budget_limit: null })
        assert.deepStrictEqual((yield* patch({ x: 9 })).json, { status: "updated" })
        assert.strictEqual((yield* read(own.id))["x"], 1.5)
      })
    )

    it.effect("delete asks before it takes children along, takes all of them, and can be repeated", () =>
      Effect.gen(function* () {
        const top = yield* create()
        const middle = yield* create({ parent_id: top.id, name: "middle" })
        const leaf = yield* create({ parent_id: middle.id })
        const path = `/workspaces/${top.id}`
        const asked = yield* asAdmin({ method: "DELETE", path })
        assert.strictEqual(asked.status, 409)
        assert.deepInclude(asked.json, {
          status: "confirmation_required",
          children: [{ id: middle.id, name: "middle" }],
          children_count: 1
        })
        const gone = yield* asAdmin({ method: "DELETE", path: `${path}?confirm=true` })
        assert.deepStrictEqual(gone.json, { status: "removed", cascade_deleted: 2 })
        for (const { id, token } of [top, middle, leaf]) {
          const state = yield* send({ method: "GET", path: `/workspaces/${id}/state`, bearer: token })
          assert.deepStrictEqual(
            [state.status, state.json],
            [404, { workspace_id: id, status: "removed", deleted: true }]
          )
          assert.strictEqual(
            (yield* send({ method: "POST", path: "/registry/heartbeat", bearer: token, json: { workspace_id: id } }))
              .status,
            401
          )
          const again = yield* send({
            method: "POST",
            path: "/registry/register",
            json: { id, url: agent, agent_card: {} }
          })
          assert.strictEqual(again.status, 401)
        }
        assert.deepStrictEqual((yield* asAdmin({ method: "DELETE", path })).json, {
          status: "removed",
          cascade_deleted: 0
        })
        assert.strictEqual((yield* asAdmin({ method: "POST", path: `${path}/tokens` })).status, 404)
        assert.strictEqual(
          (yield* asAdmin({ method: "POST", path: "/workspaces", json: { name: "x", parent_id: top.id } })).status,
          400
        )
      })
    )

    it.effect("purge leaves nothing: row, tokens, checkpoints", () =>
      Effect.gen(function* () {
        const top = yield* create()
        const child = yield* create({ parent_id: top.id })
        const checkpoint = {
          method: "POST",
          path: `/workspaces/${child.id}/checkpoints`,
          json: { workflow_id: "a", step_name: "b" }
        } as const
        assert.strictEqual((yield* send({ ...checkpoint, bearer: child.token })).status, 201)
        const purged = yield* asAdmin({ method: "DELETE", path: `/workspaces/${top.id}?confirm=true&purge=true` })
        assert.deepStrictEqual(purged.json, { status: "purged", cascade_deleted: 1 })
        assert.strictEqual(
          (yield* asAdmin({ method: "GET", path: `/workspaces/${child.id}/checkpoints/latest` })).status,
          404
        )
        const state = yield* send({ method: "GET", path: `/workspaces/${child.id}/state`, bearer: child.token })
        assert.deepStrictEqual([state.status, state.json], [404, { workspace_id: child.id, deleted: true }])
        assert.strictEqual((yield* asAdmin({ method: "DELETE", path: `/workspaces/${top.id}` })).status, 404)
      })
    )

    it.effect("budget: a spent one stops messages", () =>
      Effect.gen(function* () {
        const target = yield* online(agent, { budget_limit: 100 })
        const beat = { workspace_id: target.id, monthly_spend: 100 }
        yield* send({ method: "POST", path: "/registry/heartbeat", bearer: target.token, json: beat })
        const answer = yield* asAdmin({ method: "POST", path: `/workspaces/${target.id}/a2a`, json: { method: "x" } })
        assert.deepStrictEqual([answer.status, answer.json], [402, { error: "workspace budget limit exceeded" }])
      })
    )
  })
})
