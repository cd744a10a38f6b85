import { assert, describe, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { ServerResponse } from "node:http"
import { eventually } from "../../support/processes.ts"
import { type Answer, create, layerWith, online, send, serve } from "./call.ts"

const Asked = Schema.fromJsonString(
  Schema.Struct({
    id: Schema.Json,
    params: Schema.Struct({ message: Schema.Struct({ messageId: Schema.String }) })
  })
)
const decode = Schema.decodeUnknownSync(Asked)

/** An agent that is told how to answer, and notes what it was asked. */
const makeAgent = Effect.gen(function* () {
  const state = {
    seen: [] as Array<string>,
    answer: (response: ServerResponse, { id, messageId }: { id: unknown; messageId: string }) => {
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { of: messageId } }))
    }
  }
  const ok = state.answer
  const server = yield* serve((_request, body, response) => {
    const { id, params } = decode(body)
    state.seen.push(params.message.messageId)
    state.answer(response, { id, messageId: params.message.messageId })
  })
  const busy = (response: ServerResponse) => {
    response.writeHead(503, { "retry-after": "1" })
    response.end("{}")
  }
  return { ...server, state, ok, busy }
})

const world = Effect.gen(function* () {
  const one = yield* makeAgent
  const parent = yield* create()
  const target = yield* online(one.url, { parent_id: parent.id })
  const caller = yield* online(one.url, { parent_id: parent.id })
  const other = yield* online(one.url, { parent_id: parent.id })
  const ask = (
    messageId: string,
    more: {
      id?: unknown
      contextId?: string
      headers?: Record<string, string>
      as?: typeof caller
      method?: string
    } = {}
  ) =>
    send({
      method: "POST",
      path: `/workspaces/${target.id}/a2a`,
      bearer: (more.as ?? caller).token,
      json: {
        jsonrpc: "2.0",
        id: more.id ?? 1,
        method: more.method ?? "message/send",
        params: { message: { messageId, ...(more.contextId === undefined ? {} : { contextId: more.contextId }) } }
      },
      headers: more.headers
    })
  const register = (url: string) =>
    send({
      method: "POST",
      path: "/registry/register",
      bearer: target.token,
      json: { id: target.id, url, agent_card: {} }
    })
  const beat = send({
    method: "POST",
    path: "/registry/heartbeat",
    bearer: target.token,
    json: { workspace_id: target.id }
  })
  const sql = yield* SqlClient
  const away = (millis: number) =>
    sql`UPDATE workspaces SET status = 'offline', last_heard_at = last_heard_at - ${millis} WHERE id = ${target.id}`
  const queued = (count: number) =>
    eventually(
      Effect.filterOrFail(
        sql`SELECT 1 FROM relay_entries WHERE target = ${target.id} AND state <> 'answered'`,
        (rows) => rows.length === count
      )
    )
  return { agent: one, ask, away, beat, caller, other, queued, register, target }
})

const result = (answer: Answer) => [answer.status, answer.json]
const answered = (messageId: string, id: unknown = 1) => [200, { jsonrpc: "2.0", id, result: { of: messageId } }]

describe("the relay's queue", () => {
  layer(layerWith({ queueLimit: 5 }), { excludeTestServices: true })((it) => {
    it.effect("a busy agent gets the message when it said it would, and the caller's request completes", () =>
      Effect.gen(function* () {
        const { agent, ask } = yield* world
        agent.state.answer = (response) => {
          agent.state.answer = agent.ok
          agent.busy(response)
        }
        assert.deepStrictEqual(result(yield* ask("m-1")), answered("m-1"))
        assert.deepStrictEqual(agent.state.seen, ["m-1", "m-1"])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "an agent that is away for less than its grace gets it when it is back; what is no message does not wait",
      () =>
        Effect.gen(function* () {
          const { agent, ask, away, beat, queued } = yield* world
          yield* away(Duration.toMillis("6 minutes"))
          const waiting = yield* Effect.forkChild(ask("m-1"))
          yield* queued(1)
          const lookup = yield* ask("m-2", { method: "tasks/get" })
          assert.deepStrictEqual(result(lookup), [503, { error: "workspace not available", status: "offline" }])
          assert.strictEqual((yield* beat).status, 200)
          assert.deepStrictEqual(result(yield* Fiber.join(waiting)), answered("m-1"))
          yield* away(Duration.toMillis("7 minutes"))
          assert.strictEqual((yield* ask("m-3")).status, 503)
          assert.deepStrictEqual(agent.state.seen, ["m-1"])
        }).pipe(Effect.scoped)
    )

    it.effect("so does one that cannot be reached: at once when it registers anew", () =>
      Effect.gen(function* () {
        const { agent, ask, queued, register } = yield* world
        agent.close()
        const waiting = yield* Effect.forkChild(ask("m-1"))
        yield* queued(1)
        const again = yield* makeAgent
        yield* register(again.url)
        assert.deepStrictEqual(result(yield* Fiber.join(waiting)), answered("m-1"))
        assert.deepStrictEqual(again.state.seen, ["m-1"])
      }).pipe(Effect.scoped)
    )

    it.effect("the same message of the same caller is one entry; each asker gets his own JSON-RPC id", () =>
      Effect.gen(function* () {
        const { agent, ask, away, beat, other, queued } = yield* world
        yield* away(0)
        const first = yield* Effect.forkChild(ask("m-1", { id: "a" }))
        yield* queued(1)
        const second = yield* Effect.forkChild(ask("m-1", { id: 12 }))
        const foreign = yield* Effect.forkChild(ask("m-1", { as: other }))
        yield* queued(2)
        yield* beat
        assert.deepStrictEqual(result(yield* Fiber.join(first)), answered("m-1", "a"))
        assert.deepStrictEqual(result(yield* Fiber.join(second)), answered("m-1", 12))
        assert.deepStrictEqual(result(yield* Fiber.join(foreign)), answered("m-1"))
        assert.deepStrictEqual(agent.state.seen, ["m-1", "m-1"])
        // Afterwards, too.
        assert.deepStrictEqual(result(yield* ask("m-1", { id: "b" })), answered("m-1", "b"))
        assert.strictEqual(agent.state.seen.length, 2)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "a context keeps its order, also against what comes when the agent is back; others do not wait for it",
      () =>
        Effect.gen(function* () {
          const { agent, ask, away, beat, queued } = yield* world
          yield* away(0)
          const all = yield* Effect.forEach(
            ["m-1", "m-2", "m-3"],
            Effect.fnUntraced(function* (messageId, index) {
              const fiber = yield* Effect.forkChild(ask(messageId, { contextId: "c" }))
              yield* queued(index + 1)
              return fiber
            })
          )
          const open: Array<() => void> = []
          agent.state.answer = (response, asked) => open.push(() => agent.ok(response, asked))
          yield* beat
          const next = Effect.gen(function* () {
            const release = yield* eventually(Effect.suspend(() => Effect.fromNullishOr(open.shift())))
            release()
          })
          yield* eventually(Effect.suspend(() => (open.length === 1 ? Effect.void : Effect.fail("not yet"))))
          const late = yield* Effect.forkChild(ask("m-4", { contextId: "c" }))
          yield* queued(4)
          const free = yield* Effect.forkChild(ask("m-5", { contextId: "d" }))
          yield* eventually(Effect.suspend(() => (open.length === 2 ? Effect.void : Effect.fail("not yet"))))
          for (let count = 0; count < 5; count++) yield* next
          for (const fiber of [...all, late, free]) assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
          assert.deepStrictEqual(agent.state.seen, ["m-1", "m-5", "m-2", "m-3", "m-4"])
        }).pipe(Effect.scoped)
    )

    it.effect("it is bounded; who waits longer than he likes is told, and the same message again gets the answer", () =>
      Effect.gen(function* () {
        const { ask, away, beat, queued } = yield* world
        yield* away(0)
        for (let count = 1; count <= 5; count++) {
          const told = yield* ask(`m-${count}`, { headers: { "x-timeout": "0.05" } })
          assert.strictEqual(told.status, 503)
          assert.strictEqual(told.headers["retry-after"], "5")
          assert.deepInclude(told.json, { code: "queued", queue_depth: count, retry_after: 5 })
        }
        const full = yield* ask("m-6")
        assert.strictEqual(full.status, 429)
        assert.deepInclude(full.json, { code: "queue_full" })
        assert.strictEqual(full.headers["retry-after"], "5")
        // One that is there already takes no place.
        const again = yield* Effect.forkChild(ask("m-3"))
        yield* beat
        assert.deepStrictEqual(result(yield* Fiber.join(again)), answered("m-3"))
        yield* queued(0)
        assert.deepStrictEqual(result(yield* ask("m-1")), answered("m-1"))
      }).pipe(Effect.scoped)
    )

    it.effect("a stream comes out of the queue as it is made", () =>
      Effect.gen(function* () {
        const { agent, ask, away, beat, queued } = yield* world
        yield* away(0)
        agent.state.answer = (response, { id }) => {
          response.writeHead(200, { "content-type": "text/event-stream" })
          for (const n of [1, 2, 3])
            response.write(`data: {"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${n}}\n\n`)
          response.end()
        }
        const first = yield* Effect.forkChild(ask("m-1", { method: "message/stream" }))
        yield* queued(1)
        yield* beat
        const events = (id: string) =>
          [1, 2, 3].map((n) => `data: {"jsonrpc":"2.0","id":${id},"result":${n}}\n\n`).join("")
        const answer = yield* Fiber.join(first)
        assert.deepStrictEqual(
          [answer.status, answer.headers["content-type"], answer.text],
          [200, "text/event-stream", events("1")]
        )
        assert.strictEqual((yield* ask("m-1", { method: "message/stream", id: "x" })).text, events('"x"'))
        assert.deepStrictEqual(agent.state.seen, ["m-1"])
      }).pipe(Effect.scoped)
    )

    it.effect("what waits for a workspace that is deleted is told so, and goes with it", () =>
      Effect.gen(function* () {
        const { ask, away, queued, target } = yield* world
        yield* away(0)
        const waiting = yield* Effect.forkChild(ask("m-1"))
        yield* queued(1)
        const sql = yield* SqlClient
        yield* sql`UPDATE workspaces SET status = 'removed' WHERE id = ${target.id}`
        assert.deepStrictEqual(result(yield* Fiber.join(waiting)), [404, { error: "workspace not found" }])
        yield* sql`DELETE FROM workspaces WHERE id = ${target.id}`
        assert.deepStrictEqual(yield* sql`SELECT * FROM relay_entries WHERE target = ${target.id}`, [])
      }).pipe(Effect.scoped)
    )
  })

  layer(layerWith({ queueExpiry: Duration.millis(300) }), { excludeTestServices: true })("and time", (it) => {
    it.effect("what is not taken in time expires with a word about it, and may be sent anew", () =>
      Effect.gen(function* () {
        const { agent, ask, away, beat, queued } = yield* world
        yield* away(0)
        const expired = yield* ask("m-1")
        assert.strictEqual(expired.status, 504)
        assert.deepInclude(expired.json, { code: "queue_expired" })
        assert.deepStrictEqual(agent.state.seen, [])
        const again = yield* Effect.forkChild(ask("m-1"))
        yield* queued(1)
        yield* beat
        assert.deepStrictEqual(result(yield* Fiber.join(again)), answered("m-1"))
      }).pipe(Effect.scoped)
    )
  })
})
