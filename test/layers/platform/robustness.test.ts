import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { accessTable, credentials } from "../../../src/services/platform/Access.ts"
import { MintedOrgToken } from "../../../src/services/platform/PlatformSchemas.ts"
import { TestPlatform } from "../../support/platform.ts"
import { type Answer, type Call, create, layerWith, send } from "./call.ts"
import { isAccessKey, requestFor } from "./requests.ts"

const keys = Object.keys(accessTable).filter(isAccessKey)
const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const Bytes = Schema.Uint8Array.check(Schema.isMaxLength(200))
const at = <A>(list: ReadonlyArray<A>, index: number): A => {
  const found = list[index % list.length]
  return found === undefined ? assert.fail("empty") : found
}

const names = [
  "name",
  "role",
  "tier",
  "url",
  "agent_card",
  "error_rate",
  "active_tasks",
  "payload",
  "workflow_id",
  "step_name",
  "step_index",
  "params",
  "method",
  "x",
  "y",
  "workspace_dir",
  "runtime_metadata",
  "budget_limit",
  "parent_id",
  "canvas",
  "monthly_spend"
]

// What must be true of every answer, whatever was asked.
const decent = (answer: Answer, label: string) => {
  const { json, status, text } = answer
  assert.notStrictEqual(status, 500, label)
  // What a defect is answered with.
  assert.notInclude(text, "could not answer this request", label)
  if (status >= 300 && text !== "404 page not found" && status !== 308) {
    const told = Predicate.hasProperty(json, "error") && Predicate.isString(json.error)
    const stop = Predicate.hasProperty(json, "deleted") && json.deleted === true
    const confirm = Predicate.hasProperty(json, "status") && json.status === "confirmation_required"
    assert.isTrue(told || stop || confirm, `${label}: ${status} ${text}`)
  }
}

const makeWorld = Effect.gen(function* () {
  const { adminToken } = yield* TestPlatform
  const parent = yield* create()
  const subject = yield* create({ parent_id: parent.id })
  const other = yield* create()
  const org = yield* send({ method: "POST", path: "/org/tokens", bearer: adminToken })
  const { auth_token: orgToken } = yield* Schema.decodeUnknownEffect(MintedOrgToken)(org.json)
  const bearers = ["", subject.token, other.token, "revoked", "deleted", adminToken, orgToken]
  assert.strictEqual(bearers.length, credentials.length)
  return { adminToken, parent, subject, bearers }
})

const about = { subject: "", target: "", tokenId: "t", url: "http://127.0.0.1:9/", purpose: "p" }
const writing = keys.filter((key) => requestFor(key, about).method !== "GET")
const withBody = writing.filter((key) => requestFor(key, about).json !== undefined)

const base = Effect.fnUntraced(function* (among: typeof keys, key: number, credential: number) {
  const { bearers, parent, subject } = yield* makeWorld
  const call = requestFor(at(among, key), { ...about, subject: subject.id, target: parent.id })
  return { call: { ...call, bearer: at(bearers, credential) || undefined }, subject }
})

const alive = Effect.gen(function* () {
  assert.strictEqual((yield* send({ method: "GET", path: "/health" })).status, 200)
})

describe("whatever is sent", () => {
  layer(layerWith({ maxBodyBytes: 20_000 }))((it) => {
    it.effect.prop(
      "random bytes as body get an answer, and never 500",
      [Index, Index, Bytes],
      ([key, credential, raw]) =>
        Effect.gen(function* () {
          const { call } = yield* base(writing, key, credential)
          decent(yield* send({ ...call, json: undefined, raw }), `${call.method} ${call.path}`)
        })
    )

    it.effect.prop("so does any JSON", [Index, Index, Schema.Json], ([key, credential, json]) =>
      Effect.gen(function* () {
        const { call } = yield* base(writing, key, credential)
        decent(
          yield* send({ ...call, raw: JSON.stringify(json) }),
          `${call.method} ${call.path} ${JSON.stringify(json)}`
        )
      })
    )

    const Fields = Schema.Array(Schema.Tuple([Index, Schema.Json]))
    it.effect.prop(
      "so does a request that is right but for some fields",
      [Index, Index, Fields],
      ([key, credential, fields]) =>
        Effect.gen(function* () {
          const { call } = yield* base(withBody, key, credential)
          if (!Predicate.isObject(call.json)) return assert.fail(call.path)
          const changed = Object.fromEntries(fields.map(([index, value]) => [at(names, index), value]))
          decent(
            yield* send({ ...call, json: { ...call.json, ...changed } }),
            `${call.method} ${call.path} ${JSON.stringify(fields)}`
          )
        })
    )

    it.effect.prop(
      "so do any path, query and header",
      [Index, Index, Schema.String, Schema.String],
      ([key, credential, text, other]) =>
        Effect.gen(function* () {
          const { call, subject } = yield* base(keys, key, credential)
          const wild = encodeURIComponent(text.toWellFormed())
          const header = other.replace(/[^\x20-\x7e]/g, "")
          const calls: ReadonlyArray<Call> = [
            { ...call, path: call.path.replace(subject.id, wild === "" || wild === "." || wild === ".." ? "x" : wild) },
            {
              ...call,
              path: `${call.path}${call.path.includes("?") ? "&" : "?"}${wild}=${wild}&limit=${wild}&q=${wild}&confirm=${wild}`
            },
            {
              ...call,
              headers: {
                ...call.headers,
                "x-workspace-id": header,
                "x-timeout": header,
                "content-type": header,
                origin: header
              }
            },
            { ...call, bearer: header }
          ]
          for (const one of calls) decent(yield* send(one), `${one.method} ${one.path} ${header}`)
        })
    )

    it.effect("and it is still there", () => alive)
  })
})
