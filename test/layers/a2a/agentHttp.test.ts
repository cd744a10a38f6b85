import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AgentClientHttp from "../../../src/layers/a2a/AgentClientHttp.ts"
import { AgentClient, type Credential } from "../../../src/services/a2a/AgentClient.ts"
import { cardAt, json, result, startScripted, task } from "../../support/scriptedPeer.ts"

// Each of Node's three clients: fetch follows redirects by itself if nobody tells it not to.
const clients = {
  "node:http": NodeHttpClient.layerNodeHttp,
  undici: NodeHttpClient.layerUndici,
  fetch: NodeHttpClient.layerFetch
}
const Client = AgentClientHttp.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

const message = { message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "go" }] } as const }
const fail = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flip(effect)

describe("finding a card", () => {
  it.live("asks where cards are, then where they used to be, and keeps what it was given", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((request, response) => {
        if (request.path !== "/.well-known/agent.json") return json(response, { error: "no" }, 404)
        if (request.headers["if-none-match"] === '"1"') return void response.writeHead(304).end()
        json(response, cardAt("http://127.0.0.1:1/"), 200, { etag: '"1"' })
      })
      const client = yield* AgentClient
      assert.strictEqual((yield* client.card(url)).name, "Scripted")
      assert.strictEqual((yield* client.card(`${url}/`)).name, "Scripted")
      assert.deepStrictEqual(
        asked.map(({ headers, path }) => [path, headers["if-none-match"], headers["a2a-version"]]),
        [
          ["/.well-known/agent-card.json", undefined, "1.0"],
          ["/.well-known/agent.json", undefined, "1.0"],
          ["/.well-known/agent-card.json", undefined, "1.0"],
          ["/.well-known/agent.json", '"1"', "1.0"]
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("does not ask again while a card is fresh, and takes a whole URL as it is, or as a base", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((request, response) => {
        if (request.path === "/agents/b") return void response.writeHead(200).end("<html>")
        const known = request.path === "/agents/a?v=1" || request.path === "/agents/b/.well-known/agent-card.json"
        json(response, cardAt("http://127.0.0.1:1/"), known ? 200 : 404, { "cache-control": "public, max-age=60" })
      })
      const client = yield* AgentClient
      yield* client.card(`${url}/agents/a?v=1`)
      yield* client.card(`${url}/agents/a?v=1`)
      yield* client.card(`${url}/agents/b`)
      assert.deepStrictEqual(
        asked.map(({ path }) => path),
        ["/agents/a?v=1", "/agents/b", "/agents/b/.well-known/agent-card.json"]
      )
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("tells what is wrong", () =>
    Effect.gen(function* () {
      const { url } = yield* startScripted(({ path }, response) => {
        if (path.startsWith("/html")) response.writeHead(200).end("<html>")
        else if (path.startsWith("/half")) json(response, { name: "x" })
        else if (path.startsWith("/secret")) json(response, {}, 401)
        else json(response, {}, 404)
      })
      const client = yield* AgentClient
      assert.include(yield* fail(client.card(url)), { _tag: "AgentCardNotFound", detail: "HTTP 404" })
      assert.include(yield* fail(client.card(`${url}/html.json`)), { _tag: "AgentCardInvalid" })
      const half = yield* fail(client.card(`${url}/half.json`))
      assert.strictEqual(half._tag, "AgentCardInvalid")
      assert.include(half.message, "supportedInterfaces")
      assert.include(yield* fail(client.card(`${url}/secret.json`)), { _tag: "AgentUnauthorized", status: 401 })
      assert.include(yield* fail(client.card("http://127.0.0.1:1", { retries: 0 })), {
        _tag: "AgentUnreachable",
        sent: false
      })
      assert.include(yield* fail(client.card("nonsense")), { _tag: "AgentCardNotFound" })
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("chooses by the client's preference, then by the card's order, 1.0 before 0.3", () =>
    Effect.gen(function* () {
      const client = yield* AgentClient
      const at = (protocolBinding: string, protocolVersion: string) => ({
        url: "http://x",
        protocolBinding,
        protocolVersion
      })
      const card = {
        ...cardAt("http://x"),
        supportedInterfaces: [
          at("GRPC", "1.0"),
          at("JSONRPC", "0.3"),
          at("HTTP+JSON", "1.0"),
          at("JSONRPC", "1.0")
        ] as const
      }
      const chosen = (options: Parameters<typeof client.connect>[1]) =>
        Effect.map(
          client.connect(card, options),
          (made) => `${made.interface.protocolBinding} ${made.interface.protocolVersion}`
        )
      assert.strictEqual(yield* chosen({}), "HTTP+JSON 1.0")
      assert.strictEqual(yield* chosen({ transports: ["JSONRPC"] }), "JSONRPC 1.0")
      assert.strictEqual(yield* chosen({ version: "0.3" }), "JSONRPC 0.3")
      const old = { ...card, supportedInterfaces: [at("JSONRPC", "0.3.0")] as const }
      assert.strictEqual((yield* client.connect(old)).interface.protocolVersion, "0.3.0")
      assert.include(yield* fail(client.connect(old, { lowest: "1.0" })), {
        _tag: "NoCommonInterface",
        versionOnly: true
      })
      const other = { ...card, supportedInterfaces: [at("GRPC", "1.0")] as const }
      assert.include(yield* fail(client.connect(other)), { _tag: "NoCommonInterface", versionOnly: false })
    }).pipe(Effect.provide(Client))
  )
})

for (const [name, Http] of Object.entries(clients)) {
  describe(`requests over ${name}`, () => {
    const Own = AgentClientHttp.layer.pipe(Layer.provide(Http))
    const credentials: ReadonlyArray<readonly [Credential, string, string]> = [
      [{ scheme: "bearer", token: Redacted.make("T") }, "authorization", "Bearer T"],
      [{ scheme: "basic", username: "ü", password: Redacted.make("p") }, "authorization", "Basic w7w6cA=="],
      [{ scheme: "apiKey", in: "header", name: "X-Key", key: Redacted.make("K") }, "x-key", "K"],
      [{ scheme: "apiKey", in: "cookie", name: "key", key: Redacted.make("K;") }, "cookie", "key=K%3B"]
    ]

    it.live("follow redirects, and take no secrets elsewhere", () =>
      Effect.gen(function* () {
        const other = yield* startScripted((_, response) => json(response, task("COMPLETED")))
        const { asked, url } = yield* startScripted((request, response) => {
          if (request.path === "/a/tasks/here") response.writeHead(302, { location: "/there" }).end()
          else if (request.path === "/there") json(response, task("COMPLETED"))
          else response.writeHead(307, { location: `${other.url}/elsewhere` }).end()
        })
        const client = yield* AgentClient
        for (const [credential, header, value] of credentials) {
          asked.length = 0
          other.asked.length = 0
          const connection = yield* client.connect(cardAt(`${url}/a`, {}, "HTTP+JSON"), {
            credentials: () => [credential],
            headers: { "X-Tenant-Secret": "s" }
          })
          yield* connection.getTask({ id: "here" })
          assert.deepStrictEqual(
            asked.map(({ headers }) => [headers[header], headers["x-tenant-secret"]]),
            [
              [value, "s"],
              [value, "s"]
            ]
          )
          yield* connection.getTask({ id: "away" })
          assert.deepStrictEqual(
            other.asked.map(({ headers }) => [headers[header], headers["x-tenant-secret"], headers["a2a-version"]]),
            [[undefined, undefined, "1.0"]]
          )
          // A message is for the agent that it was sent to.
          assert.include(yield* fail(connection.send(message)), { _tag: "InvalidAgentResponse" })
          assert.strictEqual(other.asked.length, 1)
        }
        const query = yield* client.connect(cardAt(`${url}/a`, {}, "HTTP+JSON"), {
          credentials: () => [{ scheme: "apiKey", in: "query", name: "k", key: Redacted.make("K&") }]
        })
        const failure = yield* fail(query.send(message))
        assert.strictEqual(asked.at(-1)?.path, "/a/message:send?k=K%26")
        assert.notInclude(failure.message, "K&")
        assert.notInclude(failure.message, "K%26")
      }).pipe(Effect.scoped, Effect.provide(Own))
    )

    it.live("wait as long as they are asked to, and stop at limits", () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted((_, response, n) => {
          if (n === 0) json(response, {}, 429, { "retry-after": "0" })
          else if (n === 1) json(response, {}, 503)
          else json(response, result(task("COMPLETED")))
        })
        const client = yield* AgentClient
        const connection = yield* client.connect(cardAt(url))
        assert.strictEqual((yield* connection.getTask({ id: "t" })).id, "t")
        assert.strictEqual(asked.length, 3)

        const busy = yield* startScripted((_, response) => json(response, {}, 429, { "retry-after": "3600" }))
        const error = yield* fail((yield* client.connect(cardAt(busy.url))).getTask({ id: "t" }))
        assert.include(error, { _tag: "A2AError", reason: "BUSY", retryAfter: 3600 })
        assert.strictEqual(busy.asked.length, 1)

        const large = yield* startScripted((_, response) =>
          json(response, result(task("COMPLETED", { x: "y".repeat(9000) })))
        )
        const small = yield* client.connect(cardAt(large.url), { bytes: 4000 })
        assert.include(yield* fail(small.getTask({ id: "t" })), { _tag: "InvalidAgentResponse" })

        const silent = yield* startScripted(() => {})
        const short = yield* client.connect(cardAt(silent.url), { answer: "50 millis", send: "60 millis" })
        assert.include(yield* fail(short.getTask({ id: "t" })), { _tag: "AgentTimeout", seconds: 0.05 })
        assert.include(yield* fail(short.send(message)), { _tag: "AgentTimeout", seconds: 0.06 })
      }).pipe(Effect.scoped, Effect.provide(Own))
    )
  })
}

describe("what agents answer in practice", () => {
  const said = (text: string) => ({ message: { messageId: "", role: "ROLE_AGENT", parts: [{ text }] } })
  const shapes: ReadonlyArray<readonly [unknown, unknown]> = [
    ["plain", said("plain")],
    [{ parts: [{ kind: "text", text: "a" }] }, said("a")],
    [{ parts: [{ type: "text", text: "a" }] }, said("a")],
    [{ parts: [{ root: { kind: "text", text: "a" } }] }, said("a")],
    [{ message: { parts: [{ type: "text", text: "a" }] } }, said("a")],
    [
      { kind: "task", id: "t", contextId: "c", status: { state: "input-required" }, artifacts: null },
      { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_INPUT_REQUIRED" } } }
    ],
    [{ task: { id: "t" } }, { task: { id: "t", status: { state: "TASK_STATE_UNSPECIFIED" } } }],
    [
      { parts: [{ kind: "file", file: { uri: "http://f", mimeType: "text/plain", name: "f" } }, { strange: 1 }] },
      {
        message: {
          messageId: "",
          role: "ROLE_AGENT",
          parts: [{ url: "http://f", mediaType: "text/plain", filename: "f" }, { data: { strange: 1 } }]
        }
      }
    ]
  ]

  it.live("is understood", () =>
    Effect.gen(function* () {
      for (const [answer, wanted] of shapes) {
        const { url } = yield* startScripted((_, response) => json(response, result(answer)))
        const connection = yield* (yield* AgentClient).connect(cardAt(url))
        assert.deepStrictEqual<unknown>(yield* connection.send(message), wanted)
      }
      const { url } = yield* startScripted((_, response) => json(response, result({})))
      const connection = yield* (yield* AgentClient).connect(cardAt(url))
      assert.deepStrictEqual(yield* connection.listTasks({}), {
        tasks: [],
        nextPageToken: "",
        pageSize: 0,
        totalSize: 0
      })
      assert.include(yield* fail(connection.send(message)), { _tag: "InvalidAgentResponse" })
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("names the errors that it does not know", () =>
    Effect.gen(function* () {
      const error = {
        code: -32042,
        message: "too odd",
        data: [{ "@type": "google.rpc.ErrorInfo", reason: "ODD", metadata: { a: "b" } }]
      }
      const { url } = yield* startScripted((_, response) => json(response, { jsonrpc: "2.0", id: 1, error }))
      const connection = yield* (yield* AgentClient).connect(cardAt(url))
      const failed = yield* fail(connection.getTask({ id: "t" }))
      assert.deepInclude(failed, { _tag: "A2AError", reason: "INTERNAL", message: "too odd" })
      assert.deepInclude(failed, { metadata: { a: "b", reason: "ODD", code: "-32042" } })
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("is told from what is no A2A", () =>
    Effect.gen(function* () {
      for (const [status, body, wanted] of [
        [200, "<html>welcome</html>", "InvalidAgentResponse"],
        [404, "not here", "InvalidAgentResponse"],
        [502, "bad gateway", "AgentUnreachable"],
        [403, "no", "AgentUnauthorized"]
      ] as const) {
        const { url } = yield* startScripted((_, response) => void response.writeHead(status).end(body))
        for (const binding of ["JSONRPC", "HTTP+JSON"] as const) {
          const connection = yield* (yield* AgentClient).connect(cardAt(url, {}, binding), { retries: 0 })
          assert.strictEqual((yield* fail(connection.getTask({ id: "t" })))._tag, wanted)
        }
      }
    }).pipe(Effect.scoped, Effect.provide(Client))
  )
})
