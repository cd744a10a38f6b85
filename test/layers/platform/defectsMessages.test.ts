/**
 * Defects of the original that ours has not, by the numbers of their lists (`docs/compatibility.md`): messages.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { IncomingMessage, ServerResponse } from "node:http"
import { ActivityRow } from "../../../src/services/platform/RelaySchemas.ts"
import { eventually } from "../../support/processes.ts"
import { TestPlatform } from "../../support/platform.ts"
import { type Call, create, layerWith, online, send, serve } from "./call.ts"

const listed = Schema.decodeUnknownEffect(Schema.Array(ActivityRow))
const rpc = (messageId: string, method = "message/send") => ({
  jsonrpc: "2.0",
  id: messageId,
  method,
  params: { message: { role: "user", messageId, parts: [{ kind: "text", text: messageId }] } }
})
const asAdmin = Effect.fnUntraced(function* (call: Call) {
  const { adminToken } = yield* TestPlatform
  return yield* send({ ...call, bearer: adminToken })
})
const ok = (response: ServerResponse) => response.end('{"jsonrpc":"2.0","id":1,"result":{"ok":true}}')
const busy = (response: ServerResponse) => {
  response.writeHead(503, { "retry-after": "1" })
  response.end("{}")
}

// An agent that does the first thing the first time, and so on, then the last one always; and somebody who asks it.
type Act = (response: ServerResponse, request: IncomingMessage) => void
const pairOf = Effect.fnUntraced(function* (acts: ReadonlyArray<Act>) {
  const seen: Array<string> = []
  const agent = yield* serve((request, body, response) => {
    const act = acts[Math.min(seen.length, acts.length - 1)]
    seen.push(body)
    act?.(response, request)
  })
  const parent = yield* create()
  const target = yield* online(agent.url, { parent_id: parent.id })
  const caller = yield* create({ parent_id: parent.id })
  const path = `/workspaces/${target.id}/a2a`
  const post = (json: unknown, headers: Record<string, string> = {}) =>
    send({ method: "POST", path, bearer: caller.token, json, headers })
  const raw = (text: string) => send({ method: "POST", path, bearer: caller.token, raw: text })
  const beat = send({
    method: "POST",
    path: "/registry/heartbeat",
    bearer: target.token,
    json: { workspace_id: target.id }
  })
  const sql = yield* SqlClient
  const open = (count: number) =>
    eventually(
      Effect.filterOrFail(
        sql`SELECT 1 FROM relay_entries WHERE target = ${target.id} AND state <> 'answered'`,
        (rows) => rows.length === count
      )
    )
  const away = sql`UPDATE workspaces SET status = 'offline' WHERE id = ${target.id}`
  return { away, beat, open, path, post, raw, seen, sql, target }
})
const pair = (...acts: ReadonlyArray<Act>) => pairOf(acts)

// An agent that nobody can connect to, and somebody who asks it.
const polling = Effect.gen(function* () {
  const target = yield* online("remote://no-inbound")
  const ask = (messageId: string) =>
    asAdmin({ method: "POST", path: `/workspaces/${target.id}/a2a`, json: rpc(messageId) })
  const activity = (query = "") =>
    Effect.flatMap(
      send({
        method: "GET",
        path: `/workspaces/${target.id}/activity?type=a2a_receive${query}`,
        bearer: target.token
      }),
      ({ json }) => listed(json)
    )
  const notify = (text: string) =>
    send({ method: "POST", path: `/workspaces/${target.id}/notify`, bearer: target.token, json: { message: text } })
  const rows = (count: number) => eventually(Effect.filterOrFail(activity(), (found) => found.length === count))
  return { activity, ask, notify, rows, target }
})

describe("defects of the original: messages", () => {
  layer(layerWith({ maxAgentAnswerBytes: 1000, maxBodyBytes: 5000 }), { excludeTestServices: true })((it) => {
    it.effect("platform defect 13: an agent's redirect is not followed", () =>
      Effect.gen(function* () {
        let reached = 0
        const inside = yield* serve((_request, _body, response) => {
          reached++
          response.end("{}")
        })
        for (const status of [301, 307]) {
          const outside = yield* pair((response) => {
            response.writeHead(status, { location: inside.url })
            response.end()
          })
          assert.strictEqual((yield* outside.post(rpc("m-1"))).status, 502)
        }
        assert.strictEqual(reached, 0)
      }).pipe(Effect.scoped)
    )

    it.effect("platform defect 37: nothing is sent to who is removed, failed, paused or long gone", () =>
      Effect.gen(function* () {
        const { post, seen, sql, target } = yield* pair(ok)
        for (const status of ["offline", "failed", "paused", "hibernated"]) {
          yield* sql`UPDATE workspaces SET status = ${status}, last_heard_at = 0 WHERE id = ${target.id}`
          assert.strictEqual((yield* post(rpc("m-1"))).status, 503, status)
        }
        yield* asAdmin({ method: "DELETE", path: `/workspaces/${target.id}` })
        assert.strictEqual((yield* post(rpc("m-1"))).status, 404)
        assert.deepStrictEqual(seen, [])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "platform defect 38, platform defect 39: a message that meets a busy agent twice is kept, and its answer reaches who asked",
      () =>
        Effect.gen(function* () {
          const { post, seen } = yield* pair(busy, busy, ok)
          const answer = yield* post(rpc("m-1"))
          assert.strictEqual(answer.status, 200)
          assert.deepInclude(answer.json, { result: { ok: true } })
          assert.strictEqual(seen.length, 3)
        }).pipe(Effect.scoped)
    )

    it.effect("platform defect 40: what may have arrived is not sent again, whatever ended it", () =>
      Effect.gen(function* () {
        const late = yield* pair(() => undefined, ok)
        assert.strictEqual((yield* late.post(rpc("m-1"), { "x-timeout": "0.1" })).status, 504)
        const reset = yield* pair((_response, request) => request.socket.destroy(), ok)
        assert.strictEqual((yield* reset.post(rpc("m-1"))).status, 503)
        const broken = yield* pair((response, request) => {
          response.writeHead(200, { "content-length": "100" })
          response.write("{", () => request.socket.destroy())
        }, ok)
        assert.deepInclude((yield* broken.post(rpc("m-1"))).json, { delivery_confirmed: true })
        const failing = yield* pair((response) => {
          response.statusCode = 502
          response.end("{}")
        }, ok)
        assert.strictEqual((yield* failing.post(rpc("m-1"))).status, 502)
        for (const { beat, open, post, seen } of [late, reset, broken, failing]) {
          yield* open(0)
          yield* beat
          // What comes after it arrives, and is the second that does.
          assert.strictEqual((yield* post(rpc("m-2"))).status, 200)
          assert.deepStrictEqual(
            seen.map((body) => body.includes('"m-1"')),
            [true, false]
          )
        }
      }).pipe(Effect.scoped)
    )

    it.effect("platform defect 41: a message whose caller hung up while it waited is delivered", () =>
      Effect.gen(function* () {
        const { away, beat, open, post, seen } = yield* pair(ok)
        yield* away
        const asking = yield* Effect.forkChild(post(rpc("m-1")))
        yield* open(1)
        yield* Fiber.interrupt(asking)
        yield* beat
        yield* open(0)
        assert.strictEqual(seen.length, 1)
      }).pipe(Effect.scoped)
    )

    it.effect("platform defect 43: X-Timeout bounds the call", () =>
      Effect.gen(function* () {
        const { post } = yield* pair(() => undefined)
        const answer = yield* post(rpc("m-1"), { "x-timeout": "0.1" })
        assert.strictEqual(answer.status, 504)
        assert.deepInclude(answer.json, { code: "agent_timeout" })
      }).pipe(Effect.scoped)
    )

    it.effect("platform defect 44: nothing is cut, no number changes, and the agent's error is told", () =>
      Effect.gen(function* () {
        const error = '{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"no such task"}}'
        const number = '{"jsonrpc":"2.0","id":12345678901234567890,"result":{"n":1.10}}'
        const { raw, seen } = yield* pair(
          (response) => response.end(`{"result":"${"x".repeat(1000)}"}`),
          (response) => {
            response.statusCode = 400
            response.end(error)
          },
          (response) => response.end(number)
        )
        const look = '{"jsonrpc":"2.0","id":12345678901234567890,"method":"tasks/get","params":{"a":"<&>"}}'
        const large = yield* raw(look)
        assert.deepStrictEqual(
          [large.status, large.json],
          [502, { error: "agent response is larger than 1000 bytes", delivery_confirmed: true }]
        )
        const failed = yield* raw(look)
        assert.deepStrictEqual([failed.status, failed.text], [400, error])
        const answered = yield* raw(look)
        assert.deepStrictEqual([answered.status, answered.text], [200, number])
        assert.strictEqual((yield* raw(`${look}${" ".repeat(5000)}`)).status, 413)
        assert.deepStrictEqual(seen, [look, look, look])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "remote U3: a message for an agent that nobody can connect to is kept, and its caller gets the answer",
      () =>
        Effect.gen(function* () {
          const { ask, notify, rows } = yield* polling
          const asking = yield* Effect.forkChild(ask("m-1"))
          const [row] = yield* rows(1)
          assert.strictEqual(row?.data.text, "m-1")
          yield* notify("done")
          const answer = yield* Fiber.join(asking)
          assert.strictEqual(answer.status, 200)
          assert.include(answer.text, "done")
        }).pipe(Effect.scoped)
    )

    it.effect(
      "remote U4: the poller's list goes on after a cursor, oldest first, and a cursor that is not known is a 410",
      () =>
        Effect.gen(function* () {
          const { activity, ask, rows, target } = yield* polling
          const parent = yield* create()
          assert.isDefined(parent)
          const first = yield* Effect.forkChild(ask("m-1"))
          const [one] = yield* rows(1)
          const second = yield* Effect.forkChild(ask("m-2"))
          const next = yield* eventually(
            Effect.filterOrFail(activity(`&since_id=${one?.id}`), (found) => found.length === 1)
          )
          assert.deepStrictEqual(
            next.map(({ data, type }) => [data.text, data.source, type]),
            [["m-2", "canvas_user", "a2a_receive"]]
          )
          const path = `/workspaces/${target.id}/activity?since_id=00000000-0000-4000-8000-000000000000`
          assert.strictEqual((yield* send({ method: "GET", path, bearer: target.token })).status, 410)
          yield* activity(`&since_id=${next[0]?.id}`)
          for (const fiber of [first, second]) assert.strictEqual((yield* Fiber.join(fiber)).status, 202)
        }).pipe(Effect.scoped)
    )

    it.effect("remote U5: what the agent tells the canvas is no message to itself", () =>
      Effect.gen(function* () {
        const { activity, notify } = yield* polling
        assert.strictEqual((yield* notify("hello")).status, 200)
        assert.deepStrictEqual(yield* activity(), [])
      }).pipe(Effect.scoped)
    )

    it.effect("platform-more defect 44: a text for the canvas arrives whole, wherever its characters lie", () =>
      Effect.gen(function* () {
        const { ask, notify, rows } = yield* polling
        for (const [index, length] of [78, 79, 80, 81].entries()) {
          const text = `${"x".repeat(length)}€😀é end`
          const asking = yield* Effect.forkChild(ask(`m-${index}`))
          yield* rows(1)
          assert.strictEqual((yield* notify(text)).status, 200)
          assert.include((yield* Fiber.join(asking)).text, text)
        }
      }).pipe(Effect.scoped)
    )

    it.effect("platform-more defect 75: what cannot be kept is not said to be", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const { notify } = yield* polling
        yield* sql`ALTER TABLE relay_entries RENAME TO away`
        const answer = yield* notify("hello")
        yield* sql`ALTER TABLE away RENAME TO relay_entries`
        assert.strictEqual(answer.status, 503)
        assert.strictEqual((yield* notify("hello")).status, 200)
      }).pipe(Effect.scoped)
    )
  })

  layer(layerWith({ queueLease: Duration.millis(300), queueExpiry: Duration.millis(800) }), {
    excludeTestServices: true
  })("and time", (it) => {
    it.effect(
      "platform defect 42: what was given out and never answered comes again, and what nobody takes is told",
      () =>
        Effect.gen(function* () {
          const { away, beat, open, post, seen, sql, target } = yield* pair(ok)
          yield* away
          const asking = yield* Effect.forkChild(post(rpc("m-1")))
          yield* open(1)
          // As it stands after the platform was killed while it delivered.
          yield* sql`UPDATE relay_entries SET state = 'held', lease = 'lost', lease_until = 0 WHERE target = ${target.id}`
          yield* beat
          assert.strictEqual((yield* Fiber.join(asking)).status, 200)
          assert.strictEqual(seen.length, 1)
          yield* away
          const expired = yield* post(rpc("m-2"))
          assert.strictEqual(expired.status, 504)
          assert.deepInclude(expired.json, { code: "queue_expired" })
        }).pipe(Effect.scoped)
    )
  })
})
