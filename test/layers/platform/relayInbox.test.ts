import { assert, describe, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { ActivityRow, PulledEntries } from "../../../src/services/platform/RelaySchemas.ts"
import { eventually } from "../../support/processes.ts"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, online, send } from "./call.ts"

const pulled = Schema.decodeUnknownEffect(PulledEntries)
const listed = Schema.decodeUnknownEffect(Schema.Array(ActivityRow))

const world = Effect.gen(function* () {
  const parent = yield* create()
  const target = yield* online("remote://no-inbound", { parent_id: parent.id })
  const caller = yield* create({ parent_id: parent.id, name: "Beta", role: "tester" })
  const sql = yield* SqlClient
  const own = (method: "GET" | "POST", path: string, json?: unknown) =>
    send({ method, path: `/workspaces/${target.id}${path}`, bearer: target.token, json })
  const rpc = (messageId: string, more: { text?: string; contextId?: string; method?: string } = {}) => ({
    jsonrpc: "2.0",
    id: messageId,
    method: more.method ?? "message/send",
    params: {
      message: {
        role: "user",
        messageId,
        parts: [{ kind: "text", text: more.text ?? messageId }],
        ...(more.contextId === undefined ? {} : { contextId: more.contextId })
      }
    }
  })
  const ask = (json: unknown, options: { bearer?: string; headers?: Record<string, string>; path?: string } = {}) =>
    send({
      method: "POST",
      path: `/workspaces/${target.id}/a2a${options.path ?? ""}`,
      bearer: options.bearer ?? caller.token,
      json,
      headers: options.headers
    })
  const pull = (query = "wait=5") => Effect.flatMap(own("GET", `/a2a/queue?${query}`), ({ json }) => pulled(json))
  const one = Effect.flatMap(pull("wait=5&limit=1"), ({ entries: [entry] }) => Effect.fromNullishOr(entry))
  const answer = (entry: { id: string; lease: string }, part: object) =>
    own("POST", `/a2a/queue/${entry.id}/answer`, { lease: entry.lease, ...part })
  const activity = (query = "") =>
    Effect.flatMap(own("GET", `/activity?type=a2a_receive&limit=100${query}`), ({ json }) => listed(json))
  const depth = (count: number) =>
    eventually(
      Effect.filterOrFail(
        sql`SELECT 1 FROM relay_entries WHERE target = ${target.id} AND state <> 'answered'`,
        (rows) => rows.length === count
      )
    )
  return { activity, answer, ask, caller, depth, one, own, parent, pull, rpc, target }
})

describe("an agent that comes for its messages", () => {
  layer(layerWith({ queueLease: Duration.millis(400), maxAgentAnswerBytes: 1000 }), { excludeTestServices: true })(
    (it) => {
      it.effect("waits for them, answers, and the caller's request completes", () =>
        Effect.gen(function* () {
          const { answer, ask, caller, one, own, rpc, target } = yield* world
          const own1 = yield* own("GET", "")
          assert.match(own1.text, /"url":""/)
          const coming = yield* Effect.forkChild(one)
          const asked = yield* Effect.forkChild(ask(rpc("m-1"), { headers: { "a2a-version": "0.3" } }))
          const entry = yield* Fiber.join(coming)
          assert.deepStrictEqual([entry.caller, entry.attempt], [caller.id, 1])
          const { authorization = "", ...headers } = entry.request.headers
          assert.match(authorization, /^Bearer ey/)
          assert.notInclude(authorization, caller.token)
          assert.deepStrictEqual(headers, {
            "a2a-version": "0.3",
            "content-type": "application/json",
            "x-molecule-hops": target.id
          })
          assert.deepStrictEqual(JSON.parse(entry.request.body), rpc("m-1"))
          const body = '{"jsonrpc":"2.0","id":"m-1","result":{}}'
          const first = {
            sequence: 0,
            status: 200,
            headers: { "Content-Type": "application/json" },
            body: body.slice(0, 9)
          }
          assert.strictEqual((yield* answer(entry, first)).status, 200)
          // What was lost on the way is sent again, and counts once.
          assert.strictEqual((yield* answer(entry, first)).status, 200)
          const early = yield* answer(entry, { sequence: 2, body: "x" })
          assert.deepInclude(early.json, { code: "out_of_order", expected: 1 })
          yield* answer(entry, { sequence: 1, body: body.slice(9), done: true })
          const got = yield* Fiber.join(asked)
          assert.deepStrictEqual([got.status, got.text], [200, body])
          assert.strictEqual((yield* answer(entry, { sequence: 2, body: "more" })).status, 409)
        }).pipe(Effect.scoped)
      )

      it.effect("every kind of request comes to it, HTTP+JSON as well; who goes takes his question with him", () =>
        Effect.gen(function* () {
          const { answer, ask, caller, depth, one, own, target } = yield* world
          const asked = yield* Effect.forkChild(
            send({
              method: "GET",
              path: `/workspaces/${target.id}/a2a/tasks/t-1?historyLength=2`,
              bearer: caller.token
            })
          )
          const entry = yield* one
          assert.deepStrictEqual(
            [entry.request.method, entry.request.path, entry.request.body],
            ["GET", "/tasks/t-1?historyLength=2", ""]
          )
          const error = '{"error":{"code":404,"status":"NOT_FOUND","message":"Task not found"}}'
          yield* answer(entry, {
            sequence: 0,
            status: 404,
            headers: { "content-type": "application/a2a+json" },
            body: error,
            done: true
          })
          const got = yield* Fiber.join(asked)
          assert.deepStrictEqual(
            [got.status, got.text, got.headers["content-type"]],
            [404, error, "application/a2a+json"]
          )
          const leaving = yield* Effect.forkChild(
            ask({ jsonrpc: "2.0", id: 1, method: "tasks/get", params: { id: "t" } })
          )
          const second = yield* one
          yield* Fiber.interrupt(leaving)
          yield* depth(0)
          const renewed = yield* own("POST", `/a2a/queue/${second.id}/lease`, { lease: second.lease })
          assert.strictEqual(renewed.status, 410)
          assert.strictEqual((yield* answer(second, { sequence: 0, body: "{}" })).status, 410)
        }).pipe(Effect.scoped)
      )

      it.effect(
        "what it took and did not answer is given out again; the late answer of the first time is refused",
        () =>
          Effect.gen(function* () {
            const { answer, ask, one, own, rpc } = yield* world
            const asked = yield* Effect.forkChild(ask(rpc("m-1")))
            const first = yield* one
            yield* answer(first, { sequence: 0, status: 200, body: "half of" })
            const second = yield* one
            assert.deepStrictEqual([second.id, second.attempt], [first.id, 2])
            const late = yield* answer(first, { sequence: 1, body: "an answer", done: true })
            assert.strictEqual(late.status, 409)
            assert.deepInclude(late.json, { code: "lease_lost" })
            // While it says that it is at work it keeps it.
            for (let count = 0; count < 3; count++) {
              yield* Effect.sleep("250 millis")
              const renewed = yield* own("POST", `/a2a/queue/${second.id}/lease`, { lease: second.lease })
              assert.strictEqual(renewed.status, 200)
            }
            yield* answer(second, { sequence: 0, status: 200, body: '{"whole":1}', done: true })
            assert.strictEqual((yield* Fiber.join(asked)).text, '{"whole":1}')
          }).pipe(Effect.scoped)
      )

      it.effect("a context goes one after the other, others beside it, and what is no message waits for none", () =>
        Effect.gen(function* () {
          const { answer, ask, depth, pull, rpc } = yield* world
          const all = []
          for (const [index, json] of [
            rpc("m-1", { contextId: "c" }),
            rpc("m-2", { contextId: "c" }),
            rpc("m-3", { contextId: "d" }),
            { jsonrpc: "2.0", id: 1, method: "tasks/cancel", params: { id: "t", contextId: "c" } }
          ].entries()) {
            all.push(yield* Effect.forkChild(ask(json)))
            yield* depth(index + 1)
          }
          const { entries } = yield* pull()
          assert.deepStrictEqual(
            entries.map(({ request }) => /m-\d|cancel/.exec(request.body)?.[0]),
            ["m-1", "m-3", "cancel"]
          )
          for (const entry of entries) yield* answer(entry, { sequence: 0, status: 200, body: "{}", done: true })
          const { entries: rest } = yield* pull()
          assert.deepStrictEqual(
            rest.map(({ request }) => /m-\d/.exec(request.body)?.[0]),
            ["m-2"]
          )
          for (const entry of rest) yield* answer(entry, { sequence: 0, status: 200, body: "{}", done: true })
          for (const fiber of all) assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
        }).pipe(Effect.scoped)
      )

      it.effect("its streams reach the caller part by part; one that is too large ends", () =>
        Effect.gen(function* () {
          const { answer, ask, one, rpc } = yield* world
          const asked = yield* Effect.forkChild(ask(rpc("m-1", { method: "message/stream" })))
          const entry = yield* one
          const head = { status: 200, headers: { "content-type": "text/event-stream" } }
          yield* answer(entry, { sequence: 0, ...head })
          for (const sequence of [1, 2, 3]) yield* answer(entry, { sequence, body: `data: ${sequence}\n\n` })
          yield* answer(entry, { sequence: 4, done: true })
          const got = yield* Fiber.join(asked)
          assert.deepStrictEqual(
            [got.status, got.headers["content-type"], got.text],
            [200, "text/event-stream", "data: 1\n\ndata: 2\n\ndata: 3\n\n"]
          )
          const large = yield* Effect.forkChild(ask(rpc("m-2")))
          const second = yield* one
          assert.strictEqual((yield* answer(second, { sequence: 0, status: 200, body: "x".repeat(1001) })).status, 413)
          const refused = yield* Fiber.join(large)
          assert.deepStrictEqual(
            [refused.status, refused.json],
            [502, { error: "agent response is larger than 1000 bytes", delivery_confirmed: true }]
          )
        }).pipe(Effect.scoped)
      )
    }
  )
})

describe("a poller of the original kind", () => {
  layer(layerWith(), { excludeTestServices: true })((it) => {
    it.effect(
      "sees messages oldest first, one of each caller; a reply to a peer is the answer to what the peer asked",
      () =>
        Effect.gen(function* () {
          const { activity, ask, caller, depth, own, rpc, target } = yield* world
          const { adminToken } = yield* TestPlatform
          const first = yield* Effect.forkChild(ask(rpc("m-1", { text: "hello", contextId: "c" })))
          yield* depth(1)
          const canvas = yield* Effect.forkChild(ask(rpc("m-2", { text: "hi" }), { bearer: adminToken }))
          yield* depth(2)
          const second = yield* Effect.forkChild(ask(rpc("m-3")))
          yield* depth(3)
          const rows = yield* activity()
          assert.deepStrictEqual(
            rows.map(({ data, source_id }) => [source_id, data.source, data.text, data.peer_name, data.peer_role]),
            [
              [caller.id, "peer_agent", "hello", "Beta", "tester"],
              [null, "canvas_user", "hi", "", ""]
            ]
          )
          // The original's SDK: a new message to the peer, and a note for the canvas.
          const reply = { role: "agent", messageId: "r-1", parts: [{ kind: "text", text: "re:hello" }] }
          const sent = yield* send({
            method: "POST",
            path: `/workspaces/${caller.id}/a2a`,
            bearer: target.token,
            headers: { "x-workspace-id": target.id, "x-source-workspace-id": target.id },
            json: { jsonrpc: "2.0", id: "x", method: "message/send", params: { message: reply } }
          })
          assert.strictEqual(sent.status, 200)
          const answered = yield* Fiber.join(first)
          assert.strictEqual(answered.status, 200)
          assert.deepInclude(answered.json, { jsonrpc: "2.0", id: "m-1" })
          assert.match(answered.text, /"kind":"message","role":"agent".*"contextId":"c".*"re:hello"/)
          const noted = yield* own("POST", "/notify", { message: "echo: hi" })
          assert.deepStrictEqual([noted.status, noted.json], [200, { status: "sent" }])
          assert.match((yield* Fiber.join(canvas)).text, /echo: hi/)
          // The cursor passes what was seen; the next of the same caller comes.
          const next = yield* activity(`&since_id=${rows[1]?.id}`)
          assert.deepStrictEqual(
            next.map(({ data }) => data.text),
            ["m-3"]
          )
          // Not passed yet: it is shown again. Passed without an answer: the caller is told that it was taken.
          assert.deepStrictEqual(
            (yield* activity()).map(({ id }) => id),
            next.map(({ id }) => id)
          )
          assert.deepStrictEqual(yield* activity(`&since_id=${next[0]?.id}`), [])
          const taken = yield* Fiber.join(second)
          assert.strictEqual(taken.status, 202)
          assert.deepInclude(taken.json, { queued: true, queue_id: next[0]?.id, queue_depth: 0 })
          // A client that lost its cursor begins where it was; one that makes one up is told.
          assert.deepStrictEqual(yield* activity(), [])
          for (const since of ["nonsense", "00000000-0000-4000-8000-000000000000"])
            assert.strictEqual((yield* own("GET", `/activity?type=a2a_receive&since_id=${since}`)).status, 410)
        }).pipe(Effect.scoped)
    )

    it.effect("filters and limits are the original's; nothing else is in its list", () =>
      Effect.gen(function* () {
        const { activity, ask, caller, depth, own, rpc } = yield* world
        const { adminToken } = yield* TestPlatform
        yield* Effect.forkChild(ask(rpc("m-1")))
        yield* depth(1)
        yield* Effect.forkChild(ask(rpc("m-2"), { bearer: adminToken }))
        yield* depth(2)
        yield* Effect.forkChild(ask({ jsonrpc: "2.0", id: 1, method: "tasks/get", params: { id: "t" } }))
        yield* depth(3)
        const texts = (query: string) => Effect.map(activity(query), (rows) => rows.map(({ data }) => data.text))
        assert.deepStrictEqual(yield* texts("&before_ts=2020-01-01T00:00:00Z"), [])
        assert.strictEqual((yield* own("GET", "/activity?before_ts=yesterday")).status, 400)
        assert.deepStrictEqual((yield* own("GET", "/activity?type=delegation")).json, [])
        assert.deepStrictEqual(yield* texts(`&peer_id=${caller.id}`), ["m-1"])
        assert.deepStrictEqual((yield* own("GET", "/activity?limit=1")).text.match(/"text":"m-\d"/g)?.length, 2)
        assert.deepStrictEqual(yield* texts(""), ["m-1", "m-2"])
      }).pipe(Effect.scoped)
    )

    it.effect("only the original's text says that nobody can connect; registering a URL ends it", () =>
      Effect.gen(function* () {
        const { own, target } = yield* world
        const register = (url: string) =>
          send({
            method: "POST",
            path: "/registry/register",
            bearer: target.token,
            json: { id: target.id, url, agent_card: {} }
          })
        for (const url of ["remote://other", "remote://no-inbound/", "poll"])
          assert.strictEqual((yield* register(url)).status, 400, url)
        assert.strictEqual((yield* register("http://127.0.0.1:9/")).status, 200)
        const sql = yield* SqlClient
        assert.deepStrictEqual(yield* sql`SELECT url, delivery FROM workspaces WHERE id = ${target.id}`, [
          { url: "http://127.0.0.1:9/", delivery: "push" }
        ])
        assert.strictEqual((yield* own("GET", "/a2a/queue")).status, 200)
      }).pipe(Effect.scoped)
    )
  })
})
