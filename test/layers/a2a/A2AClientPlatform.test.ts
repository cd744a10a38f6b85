import { assert, describe, it } from "@effect/vitest"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as A2AClientPlatform from "../../../src/layers/a2a/A2AClientPlatform.ts"
import { A2AClient } from "../../../src/services/a2a/A2AClient.ts"
import { PlatformApi } from "../../../src/services/platform/PlatformApi.ts"
import { PlatformClient } from "../../../src/services/platform/PlatformClient.ts"
import { workspaceId } from "../../support/agent.ts"

type Answer = "cut" | { readonly status?: number; readonly body: unknown }

const task = (state: string, text = "") => ({
  body: {
    jsonrpc: "2.0",
    id: "1",
    result: {
      kind: "task",
      id: "t-1",
      contextId: "c",
      status: {
        state,
        ...(state === "failed" ? { message: { role: "agent", messageId: "e", parts: [{ kind: "text", text }] } } : {})
      },
      artifacts: state === "completed" ? [{ artifactId: "a", parts: [{ kind: "text", text }] }] : []
    }
  }
})
const rpcError = (code: number, message: string) => ({ body: { jsonrpc: "2.0", id: "1", error: { code, message } } })

const Sent = Schema.fromJsonString(Schema.Struct({ method: Schema.String, params: Schema.Json }))

// The network: it gives the answers of the script, one after the other, and writes down what was asked.
const play = Effect.fnUntraced(function* (script: ReadonlyArray<Answer>) {
  const left = yield* Ref.make(script)
  const asked = yield* Ref.make<ReadonlyArray<typeof Sent.Type>>([])
  const Transport = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.gen(function* () {
        const text = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "null"
        yield* Ref.update(asked, (all) => [...all, Schema.decodeSync(Sent)(text)])
        const [answer = "cut", ...rest] = yield* Ref.get(left)
        yield* Ref.set(left, rest)
        if (answer === "cut")
          return yield* new HttpClientError({ reason: new TransportError({ request, description: "cut" }) })
        return HttpClientResponse.fromWeb(
          request,
          new Response(JSON.stringify(answer.body), {
            status: answer.status ?? 200,
            headers: { "content-type": "application/json" }
          })
        )
      })
    )
  )
  const Client = Layer.effect(PlatformClient, HttpApiClient.make(PlatformApi, { baseUrl: "http://platform" })).pipe(
    Layer.provide(Transport)
  )
  const exchange = Effect.flatMap(A2AClient, (a2a) =>
    a2a.exchange({ target: workspaceId, messageId: "m-1", contextId: "c", text: "hi", timeout: Duration.minutes(1) })
  ).pipe(Effect.provide(A2AClientPlatform.layer.pipe(Layer.provide(Client))), Effect.result)
  const fiber = yield* Effect.forkChild(exchange)
  yield* TestClock.adjust(Duration.minutes(2))
  const result = yield* Fiber.join(fiber)
  return { result, methods: (yield* Ref.get(asked)).map(({ method }) => method), asked: yield* Ref.get(asked) }
})

describe("A2AClientPlatform", () => {
  it.effect("sends once, then asks for the task until it has ended", () =>
    Effect.gen(function* () {
      const { methods, result } = yield* play([
        task("submitted"),
        task("working"),
        task("working"),
        task("completed", "done")
      ])
      assert.deepStrictEqual(methods, ["message/send", "tasks/get", "tasks/get", "tasks/get"])
      assert.deepInclude(Object(result).success, { state: "completed", text: "done", taskId: "t-1" })
    })
  )

  it.effect("after a cut it asks for the task instead of sending again, once it knows the id", () =>
    Effect.gen(function* () {
      const away = { status: 503, body: { error: "platform datastore unavailable", code: "platform_unavailable" } }
      const { methods, result } = yield* play([
        task("working"),
        "cut",
        away,
        { status: 502, body: { error: "x" } },
        task("completed", "ok")
      ])
      assert.deepStrictEqual(methods, ["message/send", "tasks/get", "tasks/get", "tasks/get", "tasks/get"])
      assert.deepInclude(Object(result).success, { state: "completed" })
    })
  )

  it.effect(
    "when the answer to the message itself is lost, or the agent has forgotten the task, the same message goes again",
    () =>
      Effect.gen(function* () {
        const lost = yield* play(["cut", task("completed", "ok")])
        assert.deepStrictEqual(lost.methods, ["message/send", "message/send"])
        assert.deepStrictEqual(lost.asked[0], lost.asked[1])
        const forgotten = yield* play([
          task("working"),
          rpcError(-32001, "Task not found"),
          task("working"),
          task("completed", "ok")
        ])
        assert.deepStrictEqual(forgotten.methods, ["message/send", "tasks/get", "message/send", "tasks/get"])
        assert.deepStrictEqual(forgotten.asked[0], forgotten.asked[2])
      })
  )

  it.effect("an agent that is busy is asked again; one that refuses is not", () =>
    Effect.gen(function* () {
      const busy = yield* play([
        { status: 429, body: { error: "busy" } },
        rpcError(-32050, "busy"),
        task("completed", "ok")
      ])
      assert.strictEqual(busy.methods[2], "message/send")
      assert.deepInclude(Object(busy.result).success, { state: "completed" })
      for (const status of [400, 401, 403, 404]) {
        const refused = yield* play([{ status, body: { error: "no" } }])
        assert.deepStrictEqual(refused.methods, ["message/send"])
        assert.deepInclude(Object(refused.result).failure, { _tag: "ExchangeRefused", detail: "no" })
      }
      const invalid = yield* play([rpcError(-32602, "Invalid parameters")])
      assert.deepInclude(Object(invalid.result).failure, { _tag: "ExchangeRefused" })
    })
  )

  it.effect("a task that failed is a result, with what the agent said", () =>
    Effect.gen(function* () {
      const { result } = yield* play([task("working"), task("failed", "out of paper")])
      assert.deepInclude(Object(result).success, { state: "failed", text: "out of paper" })
    })
  )

  it.effect("an agent that answers with a message is done, and one that says nothing times out", () =>
    Effect.gen(function* () {
      const message = { role: "agent", messageId: "a", parts: [{ type: "text", text: "hello" }] }
      const answered = yield* play([{ body: { jsonrpc: "2.0", id: "1", result: message } }])
      assert.deepInclude(Object(answered.result).success, { state: "completed", text: "hello" })
      const silent = yield* play(["cut"])
      assert.deepInclude(Object(silent.result).failure, { _tag: "ExchangeTimeout", seconds: 60 })
      assert.isAbove(silent.methods.length, 10)
    })
  )
})
