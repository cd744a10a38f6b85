import { assert, describe, it } from "@effect/vitest"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as ExecutorEcho from "../../../src/layers/agent/ExecutorEcho.ts"
import * as ExecutorFunction from "../../../src/layers/agent/ExecutorFunction.ts"
import { ErrorCode, Response } from "../../../src/services/a2a/JsonRpc.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { ExecutorError, output, progress, Step } from "../../../src/services/durable/Step.ts"
import { Lifecycle } from "../../../src/services/workspace/Lifecycle.ts"
import * as Agent from "../../support/agent.ts"
import { codeOf, decodeTask, listen, message, post, resultOf, rpc } from "../../support/agentClient.ts"

const { Trusting } = Agent

const url = HttpServer.addressFormattedWith((address) => Effect.succeed(address))

const echo = Agent.layer(ExecutorEcho.layer, Trusting)

describe("A2AServerHttp", () => {
  it.effect("answers message/send with the agent's message, and the same message with the same answer", () =>
    Effect.gen(function* () {
      const first = resultOf(yield* rpc("message/send", message("hello")))
      assert.deepInclude(first, { kind: "message", role: "agent", parts: [{ kind: "text", text: "hello" }] })
      assert.deepStrictEqual(resultOf(yield* rpc("message/send", message("hello"))), first)
    }).pipe(Effect.provide(echo))
  )

  it.effect("takes a part without kind, and one with type instead, as text", () =>
    Effect.gen(function* () {
      const legacy = message("x", { parts: [{ type: "text", text: "one" }, { text: "two" }] })
      assert.deepInclude(resultOf(yield* rpc("message/send", legacy)), { parts: [{ kind: "text", text: "one\ntwo" }] })
    }).pipe(Effect.provide(echo))
  )

  it.effect("a non-blocking send gives the task, tasks/get follows it, and its owner alone sees it", () =>
    Effect.gen(function* () {
      const sent = yield* decodeTask(
        resultOf(yield* rpc("message/send", { ...message("hi"), configuration: { blocking: false } }))
      )
      yield* Effect.repeat(
        Effect.flatMap(rpc("tasks/get", { id: sent.id }), (response) => decodeTask(resultOf(response))),
        { until: (task) => task.status.state === "completed" }
      )
      const done = yield* decodeTask(resultOf(yield* rpc("tasks/get", { id: sent.id })))
      assert.deepStrictEqual(
        done.artifacts?.map(({ parts }) => parts),
        [[{ kind: "text", text: "hi" }]]
      )
      assert.strictEqual(done.history?.[0]?.messageId, "m-hi")
      assert.isUndefined(
        (yield* decodeTask(resultOf(yield* rpc("tasks/get", { id: sent.id, historyLength: 0 })))).history
      )
      const notYours = yield* rpc("tasks/get", { id: sent.id }, { token: "mallory" })
      const unknown = yield* rpc("tasks/get", { id: "none" }, { token: "mallory" })
      assert.strictEqual(codeOf(notYours), ErrorCode.TaskNotFound)
      assert.strictEqual(codeOf(unknown), ErrorCode.TaskNotFound)
      assert.deepInclude(resultOf(yield* rpc("tasks/get", { id: sent.id }, { token: "admin" })), { id: sent.id })
    }).pipe(Effect.provide(echo))
  )

  it.effect("streams the task, its pieces and its end, in order", () =>
    Effect.gen(function* () {
      const response = yield* post(
        JSON.stringify({ jsonrpc: "2.0", id: 7, method: "message/stream", params: message("chunks 3") })
      )
      assert.strictEqual(response.headers["content-type"], "text/event-stream")
      const lines = (yield* response.text).split("\n").filter((line) => line.startsWith("data: "))
      for (const line of lines) {
        assert.strictEqual((yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Response))(line.slice(6))).id, 7)
      }
      const results = (yield* listen("message/stream", message("chunks 3"))).map(({ result }) => result)
      assert.strictEqual(lines.length, results.length)
      assert.strictEqual(results[0]?.kind, "task")
      assert.deepInclude(results.at(-1), { kind: "status-update", final: true })
      const pieces = results.flatMap((result) => (result.kind === "artifact-update" ? [result.append] : []))
      assert.deepStrictEqual(pieces, [false, true, true])
    }).pipe(Effect.provide(echo))
  )

  it.effect("shows progress in the stream, and a failure with its reason", () => {
    const failing = ExecutorFunction.layer(() =>
      Effect.gen(function* () {
        const { emit } = yield* Step
        yield* emit(progress("looking around"))
        yield* emit(output("half"))
        return yield* new ExecutorError({ reason: "failed", detail: "out of paper", remedy: "add paper" })
      })
    )
    return Effect.gen(function* () {
      const response = yield* post(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/stream", params: message("go") })
      )
      const text = yield* response.text
      assert.include(text, "looking around")
      assert.include(text, "out of paper (add paper)")
      const task = yield* decodeTask(resultOf(yield* rpc("message/send", message("go"))))
      assert.strictEqual(task.status.state, "failed")
    }).pipe(Effect.provide(Agent.layer(failing, Trusting)))
  })

  it.effect("cancels a running task, once", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const started = yield* Deferred.make<void>()
      const stuck = ExecutorFunction.layer(() =>
        Deferred.succeed(started, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)),
          Effect.as(new TaskOutput({ text: "never" }))
        )
      )
      yield* Effect.gen(function* () {
        const blocking = yield* Effect.forkChild(rpc("message/send", message("wait")))
        yield* Deferred.await(started)
        const same = yield* decodeTask(
          resultOf(yield* rpc("message/send", { ...message("wait"), configuration: { blocking: false } }))
        )
        assert.strictEqual(
          codeOf(yield* rpc("tasks/cancel", { id: same.id }, { token: "mallory" })),
          ErrorCode.TaskNotFound
        )
        const canceled = yield* decodeTask(resultOf(yield* rpc("tasks/cancel", { id: same.id })))
        assert.strictEqual(canceled.status.state, "canceled")
        yield* Deferred.await(interrupted)
        assert.strictEqual((yield* decodeTask(resultOf(yield* Fiber.join(blocking)))).status.state, "canceled")
        assert.strictEqual(codeOf(yield* rpc("tasks/cancel", { id: same.id })), ErrorCode.TaskNotCancelable)
      }).pipe(Effect.provide(Agent.layer(stuck, Trusting)))
    })
  )

  it.effect("tells what is wrong with a request, by the numbers of JSON-RPC and A2A", () =>
    Effect.gen(function* () {
      const raw = (body: string) =>
        Effect.flatMap(post(body), (response) => Effect.flatMap(response.json, Schema.decodeUnknownEffect(Response)))
      assert.strictEqual(codeOf(yield* raw("{bad")), ErrorCode.ParseError)
      assert.strictEqual(codeOf(yield* raw("[]")), ErrorCode.InvalidRequest)
      assert.strictEqual(codeOf(yield* raw(`{"jsonrpc":"1.0","id":3,"method":"tasks/get"}`)), ErrorCode.InvalidRequest)
      assert.deepInclude(yield* raw(`{"jsonrpc":"1.0","id":3,"method":"tasks/get"}`), { id: 3 })
      assert.strictEqual(codeOf(yield* rpc("tasks/fly", {})), ErrorCode.MethodNotFound)
      assert.strictEqual(codeOf(yield* rpc("tasks/get", {})), ErrorCode.InvalidParams)
      assert.strictEqual(
        codeOf(yield* rpc("message/send", { message: { role: "user", parts: [{ text: "x" }] } })),
        ErrorCode.InvalidParams
      )
      const data = message("f", { parts: [{ kind: "data", data: {} }] })
      assert.strictEqual(codeOf(yield* rpc("message/send", data)), ErrorCode.ContentTypeNotSupported)
      assert.strictEqual(codeOf(yield* rpc("message/send", message("t", { taskId: "none" }))), ErrorCode.TaskNotFound)
      yield* rpc("message/send", message("same"))
      assert.strictEqual(
        codeOf(yield* rpc("message/send", message("other", { messageId: "m-same" }))),
        ErrorCode.InvalidParams
      )
      const done = yield* rpc("message/send", message("done"))
      const { taskId } = yield* Schema.decodeUnknownEffect(Schema.Struct({ taskId: Schema.String }))(resultOf(done))
      assert.strictEqual(
        codeOf(yield* rpc("message/send", message("more", { taskId }))),
        ErrorCode.UnsupportedOperation
      )
    }).pipe(Effect.provide(echo))
  )

  it.effect("without a caller token it answers 401, whatever the body", () =>
    Effect.gen(function* () {
      const response = yield* post(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params: message("x") }),
        { token: null }
      )
      assert.strictEqual(response.status, 401)
      assert.strictEqual(response.headers["www-authenticate"], "Bearer")
      assert.include(yield* response.text, "missing caller token")
    }).pipe(Effect.provide(Agent.layer(ExecutorEcho.layer, Trusting)))
  )

  it.effect("refuses a body over its limit with 413, with and without a length", () =>
    Effect.gen(function* () {
      const big = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params: message("x".repeat(5000)) })
      const known = yield* post(big)
      assert.strictEqual(known.status, 413)
      const chunked = HttpClientRequest.post(yield* url).pipe(
        HttpClientRequest.bearerToken("alice"),
        HttpClientRequest.bodyStream(Stream.encodeText(Stream.make(big)), { contentType: "application/json" })
      )
      assert.strictEqual((yield* HttpClient.execute(chunked)).status, 413)
      assert.strictEqual((yield* post(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "x" }))).status, 200)
    }).pipe(
      Effect.provide(Agent.layer(ExecutorEcho.layer, Trusting, { environment: { MOLECULE_A2A_MAX_BODY: "4 KiB" } }))
    )
  )

  it.effect("beyond its bound it answers 429 with Retry-After", () => {
    const stuck = ExecutorFunction.layer(() => Effect.never)
    return Effect.gen(function* () {
      const later = { configuration: { blocking: false } }
      yield* rpc("message/send", { ...message("one"), ...later })
      const refused = yield* post(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params: { ...message("two"), ...later } })
      )
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "5")
      assert.strictEqual(codeOf(yield* Schema.decodeUnknownEffect(Response)(yield* refused.json)), ErrorCode.Busy)
    }).pipe(Effect.provide(Agent.layer(stuck, Trusting, { maxUnfinished: 1 })))
  })

  it.effect("serves its card under both names, and its health", () =>
    Effect.gen(function* () {
      const at = yield* url
      const card = yield* Effect.flatMap(
        HttpClient.get(`${at}/.well-known/agent-card.json`),
        (response) => response.json
      )
      assert.deepInclude(card, { protocolVersion: "0.3.0", preferredTransport: "JSONRPC", url: at })
      assert.deepStrictEqual(
        yield* Effect.flatMap(HttpClient.get(`${at}/.well-known/agent.json`), (response) => response.json),
        card
      )
      assert.strictEqual((yield* HttpClient.get(`${at}/ready`)).status, 200)
      yield* SubscriptionRef.set(yield* Lifecycle, "draining")
      assert.strictEqual((yield* HttpClient.get(`${at}/ready`)).status, 503)
      assert.strictEqual((yield* HttpClient.get(`${at}/health`)).status, 200)
    }).pipe(Effect.provide(echo))
  )

  it.effect.prop(
    "random bytes are a JSON-RPC error, never a 500",
    [Schema.Uint8Array],
    ([bytes]) =>
      Effect.gen(function* () {
        const response = yield* post(bytes)
        assert.strictEqual(response.status, 200)
        assert.oneOf(codeOf(yield* Schema.decodeUnknownEffect(Response)(yield* response.json)), [
          ErrorCode.ParseError,
          ErrorCode.InvalidRequest
        ])
      }).pipe(Effect.provide(echo)),
    { arbitrary: { runs: 20 } }
  )

  it.effect.prop(
    "random JSON as parameters of each method is an answer, never a 500",
    [Schema.Json],
    ([params]) =>
      Effect.gen(function* () {
        for (const method of ["message/send", "message/stream", "tasks/get", "tasks/cancel", "tasks/resubscribe"]) {
          const response = yield* post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))
          assert.strictEqual(response.status, 200)
          // Params are an object or a list; what is neither is no request.
          const isRequest = typeof params === "object" && params !== null
          assert.strictEqual(
            codeOf(yield* Schema.decodeUnknownEffect(Response)(yield* response.json)),
            isRequest ? ErrorCode.InvalidParams : ErrorCode.InvalidRequest
          )
        }
      }).pipe(Effect.provide(echo)),
    { arbitrary: { runs: 20 } }
  )
})
