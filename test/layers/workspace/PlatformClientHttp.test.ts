import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, isHttpClientError, TransportError } from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/testing/TestClock"
import { createServer } from "node:http"
import * as CredentialsMemory from "../../../src/layers/workspace/CredentialsMemory.ts"
import * as PlatformClientHttp from "../../../src/layers/workspace/PlatformClientHttp.ts"
import * as PlatformConfigFixed from "../../../src/layers/workspace/PlatformConfigFixed.ts"
import { PlatformClient } from "../../../src/services/platform/PlatformClient.ts"
import { Credentials, CredentialsError } from "../../../src/services/workspace/Credentials.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"

const id = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")
const other = WorkspaceId.make("0e1b2c3d-0ad2-4c9c-9c9e-733e57bdcbee")
const Config = PlatformConfigFixed.layer({
  platformUrl: "http://platform:8080/base",
  workspaceId: id,
  stateDirectory: "/x"
})
const state = { workspace_id: id, status: "online", paused: false, deleted: false }

type Answer = Response | "no answer" | "never" | "cut off"

/** A network that gives these answers in turn, the last for ever, and remembers the requests. */
const network = (answers: ReadonlyArray<Answer>) => {
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const failed = (request: HttpClientRequest.HttpClientRequest, description: string) =>
    new HttpClientError({ reason: new TransportError({ request, description }) })
  const http = HttpClient.make((request) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]
    requests.push(request)
    if (answer === "never") return Effect.never
    if (answer === "no answer" || answer === undefined) return Effect.fail(failed(request, "connection refused"))
    if (answer !== "cut off") return Effect.succeed(HttpClientResponse.fromWeb(request, answer.clone()))
    const body = new ReadableStream({ start: (controller) => controller.error(new Error("reset")) })
    return Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body, { status: 200 })))
  })
  return { requests, http: Layer.succeed(HttpClient.HttpClient, http) }
}

const ok = Response.json(state)
const unavailable = (headers: Record<string, string> = {}) =>
  Response.json(
    { error: "platform datastore unavailable — retry shortly", code: "platform_unavailable" },
    { status: 503, headers }
  )

const over = (
  http: Layer.Layer<HttpClient.HttpClient>,
  token?: string,
  options?: Partial<PlatformClientHttp.Options>
) =>
  PlatformClientHttp.layerWith(options).pipe(
    Layer.provideMerge(
      CredentialsMemory.layer(Option.map(Option.fromUndefinedOr(token), (value) => Redacted.make(value)))
    ),
    Layer.provide(Config),
    Layer.provide(http)
  )

const getState = Effect.flatMap(PlatformClient, (client) => client.workspaces.state({ params: { id } }))
const beat = Effect.flatMap(PlatformClient, (client) => client.registry.heartbeat({ payload: { workspace_id: id } }))

describe("PlatformClientHttp", () => {
  it.effect("sends the base URL, the workspace's id, and the token of the moment", () => {
    const { http, requests } = network([ok])
    return Effect.gen(function* () {
      yield* getState
      yield* Effect.flatMap(Credentials, (credentials) => credentials.store(Redacted.make("rotated")))
      yield* getState
      assert.deepStrictEqual(
        requests.map(({ url }) => url),
        Array.from({ length: 2 }, () => `http://platform:8080/base/workspaces/${id}/state`)
      )
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["authorization"]),
        ["Bearer first", "Bearer rotated"]
      )
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["x-workspace-id"]),
        [id, id]
      )
    }).pipe(Effect.provide(over(http, "first")))
  })

  it.effect("without a token there is no bearer; with one that cannot be read there is no request", () => {
    const { http, requests } = network([ok])
    const cause = "disk failure"
    const Broken = Layer.succeed(Credentials, {
      load: Effect.fail(new CredentialsError({ operation: "load", path: "/x/token", cause })),
      store: () => Effect.void
    })
    return Effect.gen(function* () {
      yield* Effect.provide(getState, over(http))
      assert.isUndefined(requests[0]?.headers["authorization"])
      const broken = PlatformClientHttp.layer.pipe(Layer.provide([Broken, Config, http]))
      const error = yield* Effect.flip(Effect.provide(beat, broken))
      assert.isTrue(isHttpClientError(error))
      assert.include(error.message, cause)
      assert.strictEqual(requests.length, 1)
    })
  })

  const transient: ReadonlyArray<Answer> = ["no answer", "cut off", unavailable(), new Response("", { status: 502 })]
  for (const answer of transient) {
    const name = typeof answer === "string" ? answer : String(answer.status)
    it.effect(`a GET that met "${name}" is sent again, three times at most`, () => {
      const twice = network([answer, answer, ok])
      const always = network([answer])
      return Effect.gen(function* () {
        const running = yield* Effect.forkChild(Effect.provide(getState, over(twice.http)))
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* Fiber.join(running), state)
        assert.strictEqual(twice.requests.length, 3)
        const failing = yield* Effect.forkChild(Effect.exit(Effect.provide(getState, over(always.http))))
        yield* TestClock.adjust("10 seconds")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(failing)))
        assert.strictEqual(always.requests.length, 4)
      })
    })
  }

  it.effect("Retry-After is kept to, up to half a minute; beyond that the answer is the caller's", () => {
    const patient = network([unavailable({ "retry-after": "20" }), ok])
    const endless = network([unavailable({ "retry-after": "3600" })])
    return Effect.gen(function* () {
      const running = yield* Effect.forkChild(Effect.provide(getState, over(patient.http)))
      yield* TestClock.adjust("19 seconds")
      assert.strictEqual(patient.requests.length, 1)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(running), state)
      const error = yield* Effect.flip(Effect.provide(getState, over(endless.http)))
      assert.deepInclude(error, { _tag: "PlatformUnavailable" })
      assert.strictEqual(endless.requests.length, 1)
    })
  })

  it.effect("what is not a GET is sent once, and a refusal too", () => {
    const away = network(["no answer"])
    const refusing = network([Response.json({ error: "missing workspace auth token" }, { status: 401 })])
    return Effect.gen(function* () {
      yield* Effect.flip(Effect.provide(beat, over(away.http)))
      assert.strictEqual(away.requests.length, 1)
      const error = yield* Effect.flip(Effect.provide(getState, over(refusing.http)))
      assert.deepInclude(error, { _tag: "Unauthorized", error: "missing workspace auth token" })
      assert.strictEqual(refusing.requests.length, 1)
    })
  })

  it.effect("a request without an answer ends after its time: ten seconds, half an hour through the proxy", () => {
    const { http } = network(["never"])
    return Effect.gen(function* () {
      const ended = yield* Ref.make<ReadonlyArray<string>>([])
      const watch = (name: string, request: Effect.Effect<unknown, unknown, PlatformClient>) =>
        Effect.forkChild(
          Effect.andThen(
            Effect.flip(request),
            Ref.update(ended, (names) => [...names, name])
          )
        )
      yield* watch("heartbeat", beat)
      yield* watch(
        "proxy",
        Effect.flatMap(PlatformClient, (client) =>
          client.a2a.proxy({ params: { id: other }, headers: {}, payload: {} })
        )
      )
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(yield* Ref.get(ended), [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Ref.get(ended), ["heartbeat"])
      yield* TestClock.adjust("29 minutes")
      assert.deepStrictEqual(yield* Ref.get(ended), ["heartbeat"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Ref.get(ended), ["heartbeat", "proxy"])
    }).pipe(Effect.provide(over(http)))
  })

  it.live("the time limit holds for a body that stops half way, over a real socket", () =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((_, response) => {
            response.writeHead(200, { "content-type": "application/json", "content-length": "100" })
            response.write("{")
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) =>
          Effect.sync(() => {
            server.closeAllConnections()
            server.close()
          })
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const client = PlatformClientHttp.layerWith({ timeout: "100 millis" }).pipe(
        Layer.provide(CredentialsMemory.layer()),
        Layer.provide(
          PlatformConfigFixed.layer({ platformUrl: `http://127.0.0.1:${port}`, workspaceId: id, stateDirectory: "/x" })
        ),
        Layer.provide(NodeHttpClient.layerUndici)
      )
      const error = yield* Effect.flip(Effect.provide(beat, client))
      assert.include(error.message, "no answer within 100ms")
    }).pipe(Effect.scoped)
  )
})
