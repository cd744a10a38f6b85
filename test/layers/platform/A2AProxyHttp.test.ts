import { assert, describe, it, layer } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose"
import type { IncomingMessage } from "node:http"
import * as AddressPolicyRanges from "../../../src/layers/platform/AddressPolicyRanges.ts"
import * as AgentTransportUndici from "../../../src/layers/platform/AgentTransportUndici.ts"
import { AgentTransport } from "../../../src/services/platform/AgentTransport.ts"
import { PlatformSettings, settingsDefaults } from "../../../src/services/platform/PlatformSettings.ts"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, online, send, serve } from "./call.ts"

const message = { jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { messageId: "m" } } }

// An agent that answers as it is told, and the workspace behind it, with a sibling that calls.
const pair = Effect.fnUntraced(function* (handler: Parameters<typeof serve>[0]) {
  const agent = yield* serve(handler)
  const parent = yield* create()
  const target = yield* online(agent.url, { parent_id: parent.id })
  const caller = yield* online(agent.url, { parent_id: parent.id })
  const post = (json: unknown, headers: Record<string, string> = {}) =>
    send({
      method: "POST",
      path: `/workspaces/${target.id}/a2a`,
      bearer: caller.token,
      json,
      headers: { "x-workspace-id": caller.id, ...headers }
    })
  return { agent, caller, parent, post, target }
})

describe("the A2A proxy", () => {
  layer(layerWith({ maxAgentAnswerBytes: 1000 }), { excludeTestServices: true })((it) => {
    it.effect("sends the text as it came, with a token that says who calls, and answers what the agent answers", () =>
      Effect.gen(function* () {
        const seen = yield* Queue.unbounded<{ readonly request: IncomingMessage; readonly body: string }>()
        const { caller, post, target } = yield* pair((request, body, response) => {
          Queue.offerUnsafe(seen, { request, body })
          response.statusCode = 202
          response.setHeader("content-type", "text/plain")
          response.end('{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890}}')
        })
        const text = '{ "jsonrpc": "2.0", "id": 12345678901234567890, "method": "x" }'
        const answer = yield* send({
          method: "POST",
          path: `/workspaces/${target.id}/a2a`,
          bearer: caller.token,
          raw: text
        })
        assert.strictEqual(answer.status, 202)
        assert.strictEqual(answer.text, '{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890}}')
        assert.strictEqual(answer.headers["content-type"], "application/json")
        const { body, request } = yield* Queue.take(seen)
        assert.strictEqual(body, text)
        assert.strictEqual(request.headers["content-type"], "application/json")
        const bearer = String(request.headers.authorization).replace("Bearer ", "")
        assert.notStrictEqual(bearer, caller.token)
        const keys = yield* send({ method: "GET", path: "/.well-known/jwks.json" })
        const set: JSONWebKeySet = JSON.parse(keys.text)
        const { payload } = yield* Effect.promise(() =>
          jwtVerify(bearer, createLocalJWKSet(set), {
            issuer: "molecule-platform",
            audience: target.id,
            algorithms: ["EdDSA"]
          })
        )
        assert.strictEqual(payload.sub, caller.id)
        assert.strictEqual(Number(payload.exp) - Number(payload.iat), 60)
        const own = yield* send({ method: "GET", path: `/workspaces/${caller.id}`, bearer: caller.token })
        assert.match(own.text, /"last_outbound_at":"\d{4}-/)
        // The admin calls as admin.
        const { adminToken } = yield* TestPlatform
        yield* send({
          method: "POST",
          path: `/workspaces/${target.id}/a2a`,
          bearer: adminToken,
          json: { method: "m", params: {} }
        })
        const wrapped = yield* Queue.take(seen)
        assert.match(wrapped.body, /^\{"jsonrpc":"2.0","id":"[0-9a-f-]{36}","method":"m","params":\{\}\}$/)
        yield* post({ jsonrpc: "2.0", id: 1, method: "x" })
      }).pipe(Effect.scoped)
    )

    it.effect("who may not talk may not; who is not there is not sent to; what is no JSON object is refused", () =>
      Effect.gen(function* () {
        let calls = 0
        const { caller, parent, post, target } = yield* pair((_request, _body, response) => {
          calls++
          response.end("{}")
        })
        const { adminToken } = yield* TestPlatform
        const sql = yield* SqlClient
        const outsider = yield* create({ parent_id: (yield* create()).id })
        const path = `/workspaces/${target.id}/a2a`
        const denied = yield* send({ method: "POST", path, bearer: outsider.token, json: message })
        assert.deepStrictEqual(
          [denied.status, denied.json],
          [403, { error: "access denied: workspaces cannot communicate per hierarchy rules" }]
        )
        for (const raw of ["", "[]", "null", "{", "x"]) {
          const refused = yield* send({ method: "POST", path, bearer: caller.token, raw })
          assert.deepStrictEqual([refused.status, refused.json], [400, { error: "invalid JSON" }], raw)
        }
        for (const status of ["offline", "paused", "failed", "provisioning", "hibernated"]) {
          yield* sql`UPDATE workspaces SET status = ${status}, last_heard_at = 0 WHERE id = ${target.id}`
          const answer = yield* post(message)
          assert.deepStrictEqual([answer.status, answer.json], [503, { error: "workspace not available", status }])
        }
        const silent = yield* create({ parent_id: parent.id })
        const without = yield* send({
          method: "POST",
          path: `/workspaces/${silent.id}/a2a`,
          bearer: caller.token,
          json: message
        })
        assert.deepStrictEqual(
          [without.status, without.json],
          [503, { error: "workspace has no URL", status: "awaiting_agent" }]
        )
        yield* send({ method: "DELETE", path: `/workspaces/${target.id}`, bearer: adminToken })
        assert.strictEqual((yield* post(message)).status, 404)
        assert.strictEqual(calls, 0)
        // To itself it may always talk.
        const own = yield* send({
          method: "POST",
          path: `/workspaces/${caller.id}/a2a`,
          bearer: caller.token,
          json: message
        })
        assert.deepStrictEqual([own.status, calls], [200, 1])
      }).pipe(Effect.scoped)
    )

    it.effect("the agent's errors: status kept, JSON-RPC kept, anything else told as error, Retry-After kept", () =>
      Effect.gen(function* () {
        const rpc = '{"jsonrpc":"2.0","id":null,"error":{"code":-32050,"message":"busy"}}'
        const table: ReadonlyArray<readonly [number, string, string]> = [
          [429, rpc, rpc],
          [401, '{"error":"no"}', '{"error":"no"}'],
          [500, "<html>", '{"error":"Internal Server Error"}'],
          [404, '{"error":{"a":1}}', '{"error":"Not Found"}'],
          [499, "", '{"error":"status 499"}']
        ]
        for (const [status, body, expected] of table) {
          const { post } = yield* pair((_request, _body, response) => {
            response.writeHead(status, { "retry-after": "7" })
            response.end(body)
          })
          // A message would wait: see relayQueue.test.ts.
          const answer = yield* post({ ...message, method: "tasks/get" })
          assert.deepStrictEqual([answer.status, answer.text, answer.headers["retry-after"]], [status, expected, "7"])
        }
      }).pipe(Effect.scoped)
    )

    it.effect("a redirect is not followed, an answer over the limit is refused, not cut", () =>
      Effect.gen(function* () {
        let elsewhere = 0
        const other = yield* serve((_request, _body, response) => {
          elsewhere++
          response.end("{}")
        })
        for (const status of [301, 302, 307, 308]) {
          const { post } = yield* pair((_request, _body, response) => {
            response.writeHead(status, { location: other.url })
            response.end()
          })
          const answer = yield* post(message)
          assert.strictEqual(answer.status, 502)
          assert.include(answer.text, "redirect")
        }
        assert.strictEqual(elsewhere, 0)
        const { post } = yield* pair((_request, _body, response) => response.end(`"${"x".repeat(999)}"`))
        const large = yield* post(message)
        assert.deepStrictEqual(
          [large.status, large.json],
          [502, { error: "agent response is larger than 1000 bytes", delivery_confirmed: true }]
        )
      }).pipe(Effect.scoped)
    )

    it.effect("nobody there is 502; silence, a reset and a broken answer say so; X-Timeout bounds the wait", () =>
      Effect.gen(function* () {
        const late = { error: "workspace agent did not answer in time", code: "agent_timeout" }
        const busy = { error: "workspace agent busy — retry after a short backoff", busy: true, retry_after: 30 }
        const closed = yield* pair((_request, _body, response) => response.end("{}"))
        closed.agent.close()
        // Heard of a moment ago a message would wait for it: see relayQueue.test.ts.
        const sql = yield* SqlClient
        yield* sql`UPDATE workspaces SET last_heard_at = 0 WHERE id = ${closed.target.id}`
        const unreachable = yield* closed.post(message)
        assert.deepStrictEqual(
          [unreachable.status, unreachable.json],
          [502, { error: "failed to reach workspace agent" }]
        )

        const silent = yield* pair(() => undefined)
        const bounded = yield* silent.post(message, { "x-timeout": "0.05" })
        assert.deepStrictEqual([bounded.status, bounded.json], [504, late])

        const reset = yield* pair((request) => request.socket.destroy())
        const cut = yield* reset.post(message)
        assert.deepStrictEqual([cut.status, cut.json], [503, busy])

        const half = yield* pair((request, _body, response) => {
          response.writeHead(200, { "content-length": "100" })
          response.write("{", () => request.socket.destroy())
        })
        const broken = yield* half.post(message)
        assert.deepStrictEqual(
          [broken.status, broken.json],
          [502, { error: "failed to read agent response", delivery_confirmed: true }]
        )
      }).pipe(Effect.scoped)
    )

    it.effect("an event stream comes piece by piece, without limit, and ends at the agent when the caller goes", () =>
      Effect.gen(function* () {
        const closed = yield* Deferred.make<void>()
        const next = yield* Queue.unbounded<(text: string) => void>()
        const { caller, target } = yield* pair((_request, _body, response) => {
          response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
          Queue.offerUnsafe(next, (text) => response.write(text))
          response.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
        })
        const { url } = yield* TestPlatform
        const pieces = yield* Queue.unbounded<string>()
        const request = HttpClientRequest.post(`${url}/workspaces/${target.id}/a2a`).pipe(
          HttpClientRequest.bearerToken(Redacted.make(caller.token)),
          HttpClientRequest.setBody(HttpBody.text(JSON.stringify(message)))
        )
        const reader = yield* Effect.forkChild(
          Effect.flatMap(HttpClient.execute(request), (response) => {
            assert.strictEqual(response.headers["content-type"], "text/event-stream")
            return Stream.runForEach(Stream.decodeText(response.stream), (piece) => Queue.offer(pieces, piece))
          })
        )
        const write = yield* Queue.take(next)
        // Each piece is written only when the one before has arrived: nothing on the way waits for more.
        for (const piece of ["data: 1\n\n", `data: ${"x".repeat(2000)}\n\n`, "data: 3\n\n"]) {
          write(piece)
          let arrived = ""
          while (arrived.length < piece.length) arrived += yield* Queue.take(pieces)
          assert.strictEqual(arrived, piece)
        }
        yield* Fiber.interrupt(reader)
        yield* Deferred.await(closed).pipe(Effect.timeout("5 seconds"))
      }).pipe(Effect.scoped)
    )

    it.effect("a caller that hangs up before the answer ends the request at the agent", () =>
      Effect.gen(function* () {
        const arrived = yield* Deferred.make<void>()
        const closed = yield* Deferred.make<void>()
        const { post } = yield* pair((request) => {
          request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          Deferred.doneUnsafe(arrived, Effect.void)
        })
        const waiting = yield* Effect.forkChild(post(message))
        yield* Deferred.await(arrived)
        yield* Fiber.interrupt(waiting)
        yield* Deferred.await(closed).pipe(Effect.timeout("5 seconds"))
      }).pipe(Effect.scoped)
    )

    it.effect("an address that became forbidden is not connected to", () =>
      Effect.gen(function* () {
        let calls = 0
        const { post, target } = yield* pair((_request, _body, response) => {
          calls++
          response.end("{}")
        })
        const sql = yield* SqlClient
        for (const url of ["http://10.255.0.1/", "http://169.254.169.254/", "file:///etc/passwd", "nonsense"]) {
          yield* sql`UPDATE workspaces SET url = ${url} WHERE id = ${target.id}`
          const answer = yield* post(message)
          assert.deepStrictEqual(
            [answer.status, answer.json],
            [502, { error: "workspace URL is not publicly routable" }],
            url
          )
        }
        assert.strictEqual(calls, 0)
      }).pipe(Effect.scoped)
    )
  })
})

describe("the A2A proxy's patience", () => {
  layer(layerWith({ agentIdleTimeout: Duration.millis(200) }), { excludeTestServices: true })((it) => {
    it.effect("ends with an agent that says nothing, and with one that stops in the middle", () =>
      Effect.gen(function* () {
        const silent = yield* pair(() => undefined)
        assert.strictEqual((yield* silent.post(message)).status, 504)
        const stuck = yield* pair((_request, _body, response) => {
          response.writeHead(200)
          response.write("{")
        })
        const half = yield* stuck.post(message)
        assert.deepStrictEqual(
          [half.status, half.json],
          [502, { error: "failed to read agent response", delivery_confirmed: true }]
        )
      }).pipe(Effect.scoped)
    )
  })
})

describe("AgentTransportUndici", () => {
  const Answer = Schema.Struct({ ok: Schema.Boolean })

  // A name that is fine when it is looked at, and leads inside when it is connected to.
  const rebinding = (answers: ReadonlyArray<string>) => {
    let asked = 0
    return Layer.succeed(
      Dns.Dns,
      Dns.make({
        lookup: () =>
          Effect.sync(() => [NetAddress.ipFromStringUnsafe(answers[Math.min(asked++, answers.length - 1)] ?? "")])
      })
    )
  }
  const transport = (dns: Layer.Layer<Dns.Dns>, allowed: "public" | "loopback") =>
    AgentTransportUndici.layer.pipe(
      Layer.provide(AddressPolicyRanges.layer),
      Layer.provide(dns),
      Layer.provide(
        Layer.succeed(
          PlatformSettings,
          PlatformSettings.of({
            ...settingsDefaults,
            stateDirectory: "/nowhere",
            host: "0.0.0.0",
            allowedAddresses: [allowed]
          })
        )
      )
    )
  const post = Effect.fnUntraced(function* (url: string) {
    const transport = yield* AgentTransport
    const answer = yield* transport.send({ method: "POST", url, body: "{}", bearer: Redacted.make("t") })
    return yield* Schema.decodeEffect(Schema.fromJsonString(Answer))(
      yield* Stream.mkString(Stream.decodeText(answer.body))
    )
  }, Effect.scoped)

  it.live("connects to the address that was checked, not to what the name says next", () =>
    Effect.gen(function* () {
      let calls = 0
      const agent = yield* serve((_request, _body, response) => {
        calls++
        response.end('{"ok":true}')
      })
      const url = agent.url.replace("127.0.0.1", "agent.test")
      const moved = yield* Effect.flip(
        Effect.provide(post(url), transport(rebinding(["93.184.216.34", "127.0.0.1"]), "public"))
      )
      assert.strictEqual(moved._tag, "AddressRefused")
      assert.strictEqual(calls, 0)
      assert.deepStrictEqual(yield* Effect.provide(post(url), transport(rebinding(["127.0.0.1"]), "loopback")), {
        ok: true
      })
      assert.strictEqual(calls, 1)
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )
})
