import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import { SqlClient } from "effect/sql/SqlClient"
import {
  accessTable,
  type Credential,
  credentials,
  describeAccess,
  expectedStatus,
  findRule,
  refusals
} from "../../../src/services/platform/Access.ts"
import { PlatformApi } from "../../../src/services/platform/PlatformApi.ts"
import { RelayQueue } from "../../../src/services/platform/RelayQueue.ts"
import type { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"
import { TestPlatform } from "../../support/platform.ts"
import { type Call, create, echoAgent, layerWith, online, send } from "./call.ts"
import { isAccessKey, requestFor } from "./requests.ts"

const endpoints: Array<{ readonly key: string; readonly method: string; readonly path: string }> = []
HttpApi.reflect(PlatformApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, group }) => {
    endpoints.push({ key: `${group.identifier}.${endpoint.identifier}`, method: endpoint.method, path: endpoint.path })
  }
})

const keys = Object.keys(accessTable).filter(isAccessKey)

// A message in the subject's queue, held with a lease that the requests know.
const heldEntry = Effect.fnUntraced(function* (target: WorkspaceId) {
  const sql = yield* SqlClient
  const queue = yield* RelayQueue
  const request = { method: "POST", path: "", headers: {}, body: "{}" } as const
  const message = { id: "m", contextId: undefined }
  // Not to be taken by anybody else before.
  const notBefore = Number.MAX_SAFE_INTEGER
  const { id } = yield* queue.enqueue({
    target,
    caller: "admin",
    request,
    operation: "message/send",
    message,
    notBefore
  })
  yield* sql`UPDATE relay_entries SET state = 'held', lease = 'lease', lease_until = ${Number.MAX_SAFE_INTEGER}
    WHERE id = ${id}`
  return id
})

const mintOrg = Effect.fnUntraced(function* (bearer: string) {
  const { json } = yield* send({ method: "POST", path: "/org/tokens", bearer })
  return { id: stringField(json, "id"), token: stringField(json, "auth_token") }
})

// Everyone who could call, around one subject.
const makeWorld = Effect.gen(function* () {
  const { adminToken } = yield* TestPlatform
  const agent = yield* echoAgent
  const parent = yield* online(agent.url)
  const subject = yield* online(agent.url, { parent_id: parent.id })
  const child = yield* create({ parent_id: subject.id })
  const other = yield* online(agent.url, { parent_id: parent.id })
  const fresh = yield* create({ parent_id: parent.id, url: agent.url })
  const minted = yield* send({ method: "POST", path: `/workspaces/${subject.id}/tokens`, bearer: subject.token })
  const listed = yield* send({ method: "GET", path: `/workspaces/${subject.id}/tokens`, bearer: subject.token })
  const save = { workflow_id: "flow", step_name: "step", step_index: 0 }
  yield* send({ method: "POST", path: `/workspaces/${subject.id}/checkpoints`, bearer: subject.token, json: save })
  const entry = yield* heldEntry(subject.id)
  const deleted = yield* online(agent.url, { parent_id: parent.id })
  yield* send({ method: "DELETE", path: `/workspaces/${deleted.id}`, bearer: adminToken })
  const org = yield* mintOrg(adminToken)
  const spare = yield* mintOrg(adminToken)
  return { adminToken, agent, parent, subject, child, other, fresh, deleted, minted, listed, entry, org, spare }
})
type World = Effect.Success<typeof makeWorld>

const stringField = (value: unknown, ...path: ReadonlyArray<string | number>): string => {
  let at: unknown = value
  for (const key of path) at = Object.entries(at ?? {}).find(([name]) => name === String(key))?.[1]
  return String(at)
}

// The credential's bearer, and the workspace that the request is about.
const bearerFor = Effect.fnUntraced(function* (credential: Credential, world: World) {
  const { subject } = world
  switch (credential) {
    case "none":
      return { bearer: undefined, subject }
    case "own":
      return { bearer: subject.token, subject }
    case "other":
      return { bearer: world.other.token, subject }
    case "admin":
      return { bearer: world.adminToken, subject }
    case "org":
      return { bearer: world.org.token, subject }
    case "deleted":
      return { bearer: world.deleted.token, subject: world.deleted }
    case "revoked": {
      const extra = stringField(world.minted.json, "auth_token")
      const id = stringField(world.listed.json, "tokens", 0, "id")
      yield* send({ method: "DELETE", path: `/workspaces/${subject.id}/tokens/${id}`, bearer: subject.token })
      return { bearer: extra, subject }
    }
  }
})

describe("the access table", () => {
  it("has a line for every endpoint, and an endpoint for every line", () => {
    assert.deepStrictEqual(endpoints.map(({ key }) => key).sort(), [...keys].sort())
    for (const { key } of endpoints) {
      const [group = "", endpoint = ""] = key.split(".")
      assert.isDefined(findRule(group, endpoint), key)
    }
  })

  it("stands in the OpenAPI description of every endpoint", () => {
    const { paths } = OpenApi.fromApi(PlatformApi)
    for (const { key, method, path } of endpoints) {
      if (!isAccessKey(key)) return assert.fail(key)
      const operations = Object.entries(paths[path.replace(/:(\w+)/g, "{$1}")] ?? {})
      const operation = operations.find(([name]) => name === method.toLowerCase())?.[1]
      assert.include(stringField(operation, "description"), describeAccess(key), key)
    }
  })

  layer(layerWith())("over HTTP", (it) => {
    for (const key of keys) {
      it.effect(key, () =>
        Effect.gen(function* () {
          let world = yield* makeWorld
          for (const credential of credentials) {
            const { bearer, subject } = yield* bearerFor(credential, world)
            const rule = accessTable[key]
            const verdict = rule.verdicts[credential]
            // A first token is for a workspace that never had one.
            const about = verdict === "firstToken" ? world.fresh : subject
            const call: Call = {
              ...requestFor(key, {
                subject: about.id,
                target: world.parent.id,
                tokenId: stringField(world.listed.json, "tokens", 1, "id"),
                url: world.agent.url,
                orgTokenId: world.spare.id,
                entry: world.entry,
                purpose: credential
              }),
              bearer
            }
            const answer = yield* send(call)
            const label = `${key} × ${credential}: ${answer.text}`
            assert.strictEqual(answer.status, expectedStatus(key, credential), label)
            // What was let in, or revoked, has changed the world.
            if (verdict === "allow" || verdict === "firstToken" || credential === "revoked") world = yield* makeWorld
            if (verdict === "allow" || verdict === "public") continue
            if (verdict === "firstToken") assert.match(stringField(answer.json, "auth_token"), /^[\w-]{43}$/)
            else if (verdict === "stop") {
              assert.deepStrictEqual(answer.json, { workspace_id: about.id, status: "removed", deleted: true }, label)
            } else assert.deepStrictEqual(answer.json, { error: refusals[verdict].error }, label)
          }
        }).pipe(Effect.scoped)
      )
    }
  })
})

describe("beside the table", () => {
  layer(layerWith())("over HTTP", (it) => {
    it.effect("a bearer that nobody issued is refused as a revoked one is, wherever a credential counts", () =>
      Effect.gen(function* () {
        const world = yield* makeWorld
        for (const key of keys) {
          const call = requestFor(key, {
            subject: world.subject.id,
            target: world.parent.id,
            tokenId: "x",
            url: world.agent.url,
            purpose: "x"
          })
          const answer = yield* send({ ...call, bearer: "no-such-token" })
          assert.strictEqual(answer.status, expectedStatus(key, "revoked"), `${key}: ${answer.text}`)
        }
      }).pipe(Effect.scoped)
    )

    it.effect("unknown ids: nobody registers one, state says stop, the admin gets 404", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const { subject } = yield* makeWorld
        const id = "00000000-0000-4000-8000-000000000000"
        const register = {
          method: "POST",
          path: "/registry/register",
          json: { id, url: "http://127.0.0.1:1/", agent_card: {} }
        } as const
        assert.strictEqual((yield* send(register)).status, 401)
        assert.strictEqual((yield* send({ ...register, bearer: subject.token })).status, 401)
        assert.strictEqual((yield* send({ ...register, bearer: "made-up" })).status, 401)
        for (const bearer of ["made-up", adminToken]) {
          const state = yield* send({ method: "GET", path: `/workspaces/${id}/state`, bearer })
          assert.deepStrictEqual([state.status, state.json], [404, { workspace_id: id, deleted: true }])
        }
        assert.strictEqual((yield* send({ method: "GET", path: `/workspaces/${id}/state` })).status, 401)
        assert.strictEqual(
          (yield* send({ method: "GET", path: `/workspaces/${id}/state`, bearer: subject.token })).status,
          401
        )
        const calls: ReadonlyArray<Call> = [
          { method: "GET", path: `/workspaces/${id}` },
          { method: "DELETE", path: `/workspaces/${id}` },
          { method: "PATCH", path: `/workspaces/${id}`, json: { name: "x" } },
          { method: "POST", path: `/workspaces/${id}/tokens` },
          { method: "POST", path: `/workspaces/${id}/checkpoints`, json: { workflow_id: "a", step_name: "b" } },
          { method: "POST", path: `/workspaces/${id}/a2a`, json: { method: "x" } }
        ]
        for (const call of calls)
          assert.strictEqual((yield* send({ ...call, bearer: adminToken })).status, 404, call.path)
      }).pipe(Effect.scoped)
    )

    it.effect("an id that is none is a 400 for whoever may ask, also from the proxy's and discover's header", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const { subject } = yield* makeWorld
        const bad = yield* send({ method: "GET", path: "/workspaces/nonsense/state", bearer: adminToken })
        assert.strictEqual(bad.status, 400)
        assert.strictEqual(stringField(bad.json, "error"), "invalid workspace ID")
        const discover = { method: "GET", path: `/registry/discover/${subject.id}`, bearer: subject.token } as const
        const without = yield* send(discover)
        assert.deepStrictEqual(
          [without.status, stringField(without.json, "error")],
          [400, "X-Workspace-ID header is required"]
        )
        assert.strictEqual((yield* send({ ...discover, headers: { "x-workspace-id": "nonsense" } })).status, 400)
        for (const name of ["system:x", "webhook:1", "nonsense"]) {
          const proxied = yield* send({
            method: "POST",
            path: `/workspaces/${subject.id}/a2a`,
            bearer: adminToken,
            json: {},
            headers: { "x-workspace-id": name }
          })
          assert.deepStrictEqual([proxied.status, proxied.json], [403, { error: "invalid caller ID" }])
        }
      }).pipe(Effect.scoped)
    )

    it.effect("anyone sees six fields of a workspace, its own token and the admin see more, nobody sees a secret", () =>
      Effect.gen(function* () {
        const { adminToken, subject } = yield* makeWorld
        const path = `/workspaces/${subject.id}`
        const fields = (json: unknown) => Object.keys(json ?? {}).sort()
        const open = yield* send({ method: "GET", path })
        assert.deepStrictEqual(fields(open.json), ["id", "name", "parent_id", "role", "status", "tier"])
        const own = yield* send({ method: "GET", path, bearer: subject.token })
        assert.include(fields(own.json), "url")
        assert.notInclude(fields(own.json), "budget_limit")
        assert.deepStrictEqual((yield* send({ method: "GET", path, bearer: adminToken })).json, own.json)
        const list = yield* send({ method: "GET", path: "/workspaces", bearer: adminToken })
        assert.include(list.text, "budget_limit")
        assert.notInclude(list.text, subject.token)
      }).pipe(Effect.scoped)
    )
  })
})
