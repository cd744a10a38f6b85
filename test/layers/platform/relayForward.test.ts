import { assert, describe, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { type IncomingMessage, request as nodeRequest } from "node:http"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, online, send, serve } from "./call.ts"

interface Seen {
  readonly request: IncomingMessage
  readonly body: string
}

// An agent that notes what it is sent, and the workspace behind it, with a sibling that calls.
const pair = Effect.fnUntraced(function* (handler: Parameters<typeof serve>[0], path = "") {
  const seen = yield* Queue.unbounded<Seen>()
  const agent = yield* serve((request, body, response) => {
    Queue.offerUnsafe(seen, { request, body })
    handler(request, body, response)
  })
  const parent = yield* create()
  const target = yield* online(`${agent.url}${path}`, { parent_id: parent.id })
  const caller = yield* online(agent.url, { parent_id: parent.id })
  return { agent, caller, seen, target, at: `/workspaces/${target.id}/a2a` }
})

describe("the relay", () => {
  layer(layerWith({ maxBodyBytes: 1000, agentTimeout: Duration.millis(400) }), { excludeTestServices: true })((it) => {
    it.effect("passes HTTP+JSON through: method, path, query, body, media types, and errors in their own form", () =>
      Effect.gen(function* () {
        const error = '{"error":{"code":404,"status":"NOT_FOUND","message":"Task not found"}}'
        const { at, caller, seen } = yield* pair((request, _body, response) => {
          const known = request.url?.includes("tasks/t-2") !== true
          response.writeHead(known ? 200 : 404, { "content-type": "application/a2a+json", "a2a-extensions": "urn:x" })
          response.end(known ? '{"ok":true}' : error)
        }, "agents/one/")
        const bearer = caller.token
        const sent = yield* send({
          method: "POST",
          path: `${at}/message:send?a=b%20c`,
          bearer,
          raw: '{ "message": {} }',
          headers: { "content-type": "application/a2a+json", "a2a-version": "1.0" }
        })
        assert.deepStrictEqual([sent.status, sent.text], [200, '{"ok":true}'])
        assert.strictEqual(sent.headers["content-type"], "application/a2a+json")
        assert.strictEqual(sent.headers["a2a-extensions"], "urn:x")
        const first = yield* Queue.take(seen)
        assert.deepStrictEqual(
          [first.request.method, first.request.url, first.body, first.request.headers["a2a-version"]],
          ["POST", "/agents/one/message:send?a=b%20c", '{ "message": {} }', "1.0"]
        )
        const missing = yield* send({ method: "GET", path: `${at}/tasks/t-2`, bearer })
        assert.deepStrictEqual([missing.status, missing.text], [404, error])
        yield* send({ method: "DELETE", path: `${at}/tasks/t-1/pushNotificationConfigs/c`, bearer })
        const [get, del] = [yield* Queue.take(seen), yield* Queue.take(seen)]
        assert.deepStrictEqual([get.request.method, get.request.url], ["GET", "/agents/one/tasks/t-2"])
        assert.deepStrictEqual(
          [del.request.method, del.request.url],
          ["DELETE", "/agents/one/tasks/t-1/pushNotificationConfigs/c"]
        )
      }).pipe(Effect.scoped)
    )

    it.effect("leads nowhere but behind the agent's own path", () =>
      Effect.gen(function* () {
        const { at, caller, seen } = yield* pair((_request, _body, response) => response.end("{}"), "agents/one/")
        const { url } = yield* TestPlatform
        // Written by hand: a client would resolve the dots itself.
        for (const path of ["/../two", "/x/../../two", "/%2e%2e/two", "/.%2E/two", "/./x", "/..\\two"]) {
          const status = yield* Effect.callback<number | undefined>((resume) => {
            const { hostname, port } = new URL(url)
            nodeRequest({ hostname, port, path: `${at}${path}`, headers: { authorization: `Bearer ${caller.token}` } })
              .on("response", (response) => resume(Effect.succeed(response.resume().statusCode)))
              .end()
          })
          assert.include([400, 404], status, path)
        }
        assert.strictEqual(yield* Queue.size(seen), 0)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "header hygiene: the agent sees the protocol's headers, who calls, and nothing else of the caller's",
      () =>
        Effect.gen(function* () {
          const { at, caller, seen, target } = yield* pair((_request, _body, response) => {
            response.writeHead(200, {
              "set-cookie": "a=b",
              "x-secret": "s",
              server: "x",
              "access-control-allow-origin": "*"
            })
            response.end("{}")
          })
          const answer = yield* send({
            method: "POST",
            path: at,
            bearer: caller.token,
            json: { jsonrpc: "2.0", id: 1, method: "SendMessage" },
            headers: {
              "x-workspace-id": caller.id,
              "a2a-version": "1.0",
              "a2a-extensions": "urn:a",
              "last-event-id": "7",
              cookie: "session=1",
              te: "trailers",
              "proxy-authorization": "Basic eDp5",
              "x-forwarded-for": "1.2.3.4",
              "x-molecule-org-id": "org"
            }
          })
          assert.strictEqual(answer.status, 200)
          for (const name of ["set-cookie", "x-secret", "server", "access-control-allow-origin"])
            assert.isUndefined(answer.headers[name], name)
          const { request } = yield* Queue.take(seen)
          const { authorization, ...headers } = request.headers
          assert.match(String(authorization), /^Bearer ey/)
          assert.notInclude(String(authorization), caller.token)
          const allowed = ["a2a-extensions", "a2a-version", "connection", "content-length", "content-type", "host"]
          assert.deepStrictEqual(Object.keys(headers).sort(), [...allowed, "last-event-id", "x-molecule-hops"])
          assert.strictEqual(headers["x-molecule-hops"], target.id)
        }).pipe(Effect.scoped)
    )

    it.effect("a request that comes by an agent again, or by too many, is a loop", () =>
      Effect.gen(function* () {
        const { at, caller, seen, target } = yield* pair((_request, _body, response) => response.end("{}"))
        const post = (hops: string) =>
          send({ method: "POST", path: at, bearer: caller.token, json: {}, headers: { "x-molecule-hops": hops } })
        const again = yield* post(`${caller.id}, ${target.id}`)
        assert.strictEqual(again.status, 508)
        assert.deepInclude(again.json, { code: "loop_detected" })
        assert.strictEqual((yield* post(Array.from({ length: 16 }, (_, index) => `w${index}`).join())).status, 508)
        assert.strictEqual(yield* Queue.size(seen), 0)
        assert.strictEqual((yield* post(caller.id)).status, 200)
        assert.strictEqual((yield* Queue.take(seen)).request.headers["x-molecule-hops"], `${caller.id},${target.id}`)
      }).pipe(Effect.scoped)
    )

    it.effect("limits bind: a body that is too large, an answer that drips for ever", () =>
      Effect.gen(function* () {
        const { at, caller, seen } = yield* pair((_request, _body, response) => {
          response.writeHead(200)
          // The agent is somebody else's program.
          // @effect-diagnostics-next-line globalTimers:off
          const drip = setInterval(() => response.write(" "), 20)
          response.on("close", () => clearInterval(drip))
        })
        for (const path of [at, `${at}/message:send`]) {
          const large = yield* send({ method: "POST", path, bearer: caller.token, raw: `"${"x".repeat(1000)}"` })
          assert.strictEqual(large.status, 413)
        }
        assert.strictEqual(yield* Queue.size(seen), 0)
        const late = yield* send({ method: "POST", path: at, bearer: caller.token, json: {} })
        assert.deepStrictEqual(
          [late.status, late.json],
          [504, { error: "workspace agent did not answer in time", code: "agent_timeout" }]
        )
      }).pipe(Effect.scoped)
    )
  })

  layer(layerWith({ streamStall: Duration.millis(300) }), { excludeTestServices: true })("and slow readers", (it) => {
    it.effect("hold the agent back, and are let go when they take nothing for too long", () =>
      Effect.gen(function* () {
        const closed = yield* Deferred.make<number>()
        const { at, caller } = yield* pair((_request, _body, response) => {
          response.writeHead(200, { "content-type": "text/event-stream" })
          const event = `data: ${"x".repeat(64 * 1024)}\n\n`
          let written = 0
          const fill = () => {
            while (!response.destroyed) {
              written += event.length
              if (!response.write(event)) return
            }
          }
          response.on("drain", fill)
          response.on("close", () => Deferred.doneUnsafe(closed, Effect.succeed(written)))
          fill()
        })
        const { url } = yield* TestPlatform
        yield* Effect.acquireRelease(
          Effect.callback<ReturnType<typeof nodeRequest>>((resume) => {
            const { hostname, port } = new URL(url)
            const asked = nodeRequest({
              hostname,
              port,
              path: at,
              method: "POST",
              headers: { authorization: `Bearer ${caller.token}` }
            })
            // The head is taken, and nothing after it.
            asked.on("response", (response) => {
              response.pause()
              resume(Effect.succeed(asked))
            })
            asked.on("error", () => undefined)
            asked.end("{}")
          }),
          (asked) => Effect.sync(() => asked.destroy())
        )
        const written = yield* Deferred.await(closed).pipe(Effect.timeout("10 seconds"))
        // What the sockets on the way hold, and no more: the agent could have written gigabytes.
        assert.isBelow(written, 32 * 1024 * 1024)
      }).pipe(Effect.scoped)
    )
  })
})
