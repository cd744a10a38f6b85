import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as AgentClientHttp from "../../../src/layers/a2a/AgentClientHttp.ts"
import { make as makeView } from "../../../src/layers/a2a/agentView.ts"
import { AgentClient, type AgentStreamed } from "../../../src/services/a2a/AgentClient.ts"
import type { AgentArtifact, AgentStreamItem } from "../../../src/services/a2a/AgentAnswer.ts"
import { streamResumption } from "../../../src/services/a2a/A2AOperations.ts"
import { cuttingProxy, startSdkAgent } from "../../support/sdkAgent.ts"
import { cardAt, json, result, startScripted, task } from "../../support/scriptedPeer.ts"

const Client = AgentClientHttp.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

const message = (text: string) => ({ message: { messageId: "m", role: "ROLE_USER", parts: [{ text }] } as const })

// The text of the artifacts as a reader puts them together who knows nothing of resumption.
const assembled = (events: ReadonlyArray<AgentStreamed>) => {
  const texts = new Map<string, string>()
  const textOf = ({ parts }: AgentArtifact) => parts.map((part) => ("text" in part ? part.text : "")).join("")
  for (const { item } of events) {
    if ("task" in item)
      for (const artifact of item.task.artifacts ?? []) texts.set(artifact.artifactId, textOf(artifact))
    if ("artifactUpdate" in item) {
      const { append, artifact } = item.artifactUpdate
      texts.set(artifact.artifactId, (append === true ? (texts.get(artifact.artifactId) ?? "") : "") + textOf(artifact))
    }
  }
  return [...texts.values()].join("|")
}

const lastState = (events: ReadonlyArray<AgentStreamed>) => {
  const item = events.at(-1)?.item
  return item !== undefined && "statusUpdate" in item ? item.statusUpdate.status.state : undefined
}

const counted = (many: number) => Array.from({ length: many }, (_, n) => `${n};`).join("")

for (const binding of ["JSONRPC", "HTTP+JSON"] as const) {
  describe(`a stream of the SDK's server over ${binding}`, () => {
    it.live(
      "is whole although its connections are cut again and again",
      () =>
        Effect.gen(function* () {
          // In the middle of the head, of an event, between events.
          const proxy = yield* cuttingProxy([40, 900, 1900, 2500, 700, 3000])
          const agent = yield* startSdkAgent({ base: proxy.url, chunkMillis: 10, bindings: [binding] })
          proxy.state.target = agent.port
          const client = yield* AgentClient
          const connection = yield* client.connect(agent.url, { retries: 6 })
          const events = yield* Stream.runCollect(connection.stream(message("chunks 60")))
          assert.strictEqual(assembled(events), counted(60))
          assert.strictEqual(lastState(events), "TASK_STATE_COMPLETED")
          assert.strictEqual(events.filter(({ item }) => "task" in item).length, 1)
          assert.isAtLeast(proxy.state.cut, 3)
        }).pipe(Effect.scoped, Effect.provide(Client)),
      30_000
    )

    it.live("ends at a question, and with what a task was that ended while nobody listened", () =>
      Effect.gen(function* () {
        const proxy = yield* cuttingProxy([900])
        const agent = yield* startSdkAgent({ base: proxy.url, chunkMillis: 1, bindings: [binding] })
        proxy.state.target = agent.port
        const connection = yield* (yield* AgentClient).connect(agent.url)
        const events = yield* Stream.runCollect(connection.stream(message("chunks 30")))
        assert.strictEqual(assembled(events), counted(30))
        assert.strictEqual(lastState(events), "TASK_STATE_COMPLETED")
        assert.strictEqual((yield* agent.seen).executions, 1)
        const asked = yield* Stream.runCollect(connection.stream(message("ask me")))
        assert.strictEqual(lastState(asked), "TASK_STATE_INPUT_REQUIRED")
      }).pipe(Effect.scoped, Effect.provide(Client))
    )
  })
}

const sse = { "content-type": "text/event-stream" }
const event = (value: unknown, id?: string) =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(result(value))}\n\n`
const chunk = (text: string, append: boolean) => ({
  artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts: [{ text }] }, append }
})
const status = (state: string) => ({
  statusUpdate: { taskId: "t", contextId: "c", status: { state: `TASK_STATE_${state}` } }
})

describe("a stream of an agent that keeps cursors", () => {
  it.live("goes on behind the last event, and names the extension", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((_, response, n) => {
        response.writeHead(200, sse)
        if (n === 0) {
          response.write(event({ task: task("WORKING") }, "e:1"))
          response.write(event(chunk("one ", false), "e:2"))
          response.write("data: {half", () => response.destroy())
        } else if (n === 1) {
          response.write(`${event(chunk("two ", true), "e:3")}: still here\n\n`, () => response.destroy())
        } else {
          response.end(event(chunk("three", true), "e:4") + event(status("COMPLETED"), "e:5"))
        }
      })
      const card = cardAt(url, { extensions: [{ uri: streamResumption.uri }] })
      const connection = yield* (yield* AgentClient).connect(card)
      const events = yield* Stream.runCollect(connection.stream(message("go")))
      assert.deepStrictEqual(
        events.map(({ cursor }) => cursor),
        ["e:1", "e:2", "e:3", "e:4", "e:5"]
      )
      assert.strictEqual(assembled(events), "one two three")
      assert.deepStrictEqual(
        asked.map(({ body, headers }) => [
          JSON.parse(body).method,
          headers["last-event-id"],
          headers["a2a-extensions"],
          headers["a2a-version"]
        ]),
        [
          ["SendStreamingMessage", undefined, streamResumption.uri, "1.0"],
          ["SubscribeToTask", "e:2", streamResumption.uri, "1.0"],
          ["SubscribeToTask", "e:3", streamResumption.uri, "1.0"]
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("goes on where the caller says", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((_, response) => {
        response.writeHead(200, sse)
        response.end(event(status("COMPLETED"), "e:5"))
      })
      const connection = yield* (yield* AgentClient).connect(
        cardAt(url, { extensions: [{ uri: streamResumption.uri }] })
      )
      const events = yield* Stream.runCollect(connection.subscribe("t", "e:4"))
      assert.deepStrictEqual([asked[0]?.headers["last-event-id"], events.length], ["e:4", 1])
    }).pipe(Effect.scoped, Effect.provide(Client))
  )
})

describe("a stream that goes wrong", () => {
  it.live("sends a message again whose stream never began, under the same id", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((_, response, n) => {
        if (n === 0) {
          response.destroy()
          return
        }
        response.writeHead(200, sse)
        response.end(event({ message: { messageId: "r", role: "ROLE_AGENT", parts: [{ text: "hi" }] } }))
      })
      const client = yield* AgentClient
      const events = yield* Stream.runCollect((yield* client.connect(cardAt(url))).stream(message("go")))
      assert.strictEqual(events.length, 1)
      assert.deepStrictEqual(
        asked.map(({ body }) => JSON.parse(body).params.message.messageId),
        ["m", "m"]
      )
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("does not, where the caller does not want it", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((_, response) => response.destroy())
      const connection = yield* (yield* AgentClient).connect(cardAt(url), { resend: false })
      const failed = yield* Effect.flip(Stream.runDrain(connection.stream(message("go"))))
      assert.include(failed, { _tag: "AgentUnreachable", sent: true })
      assert.include(yield* Effect.flip(connection.send(message("go"))), { _tag: "AgentUnreachable", sent: true })
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("says an error that comes in the middle, and does not ask again", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* startScripted((_, response) => {
        response.writeHead(200, sse)
        response.write(event({ task: task("WORKING") }))
        response.end(
          `data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32603, message: "oh no" } })}\n\n`
        )
      })
      const connection = yield* (yield* AgentClient).connect(cardAt(url))
      const failed = yield* Effect.flip(Stream.runDrain(connection.stream(message("go"))))
      assert.include(failed, { _tag: "A2AError", reason: "INTERNAL", message: "oh no" })
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("takes silence for a break, finds the task, and doubles nothing", () =>
    Effect.gen(function* () {
      const now = (state: string, texts: ReadonlyArray<string>) =>
        task(state, { artifacts: [{ artifactId: "a", parts: texts.map((text) => ({ text })) }] })
      const { asked, url } = yield* startScripted(({ body }, response, n) => {
        if (JSON.parse(body).method === "GetTask") return json(response, result(now("COMPLETED", ["one two three"])))
        if (n > 1) return json(response, { jsonrpc: "2.0", id: 1, error: { code: -32004, message: "it has ended" } })
        response.writeHead(200, sse)
        if (n === 0) response.write(event({ task: task("WORKING") }) + event(chunk("one ", false)))
        else response.end(event({ task: now("WORKING", ["one ", "two "]) }))
      })
      const connection = yield* (yield* AgentClient).connect(cardAt(url), { idle: "100 millis" })
      const events = yield* Stream.runCollect(connection.stream(message("go")))
      assert.strictEqual(assembled(events), "one two three")
      assert.strictEqual(events.filter(({ item }) => "artifactUpdate" in item).length, 3)
      assert.strictEqual(lastState(events), "TASK_STATE_COMPLETED")
      assert.deepStrictEqual(
        asked.map(({ body }) => JSON.parse(body).method),
        ["SendStreamingMessage", "SubscribeToTask", "SubscribeToTask", "GetTask"]
      )
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("gives up on an agent that is gone, and on an event that is too long", () =>
    Effect.gen(function* () {
      const { url } = yield* startScripted((_, response, n) => {
        if (n > 0) {
          response.destroy()
          return
        }
        response.writeHead(200, sse)
        response.write(event({ task: task("WORKING") }), () => response.destroy())
      })
      const client = yield* AgentClient
      const connection = yield* client.connect(cardAt(url), { retries: 2 })
      assert.include(yield* Effect.flip(Stream.runDrain(connection.stream(message("go")))), {
        _tag: "AgentUnreachable"
      })

      const long = yield* startScripted((_, response) => {
        response.writeHead(200, sse)
        response.write(`data: ${"x".repeat(5000)}`)
      })
      const other = yield* client.connect(cardAt(long.url), { bytes: 1000 })
      assert.include(yield* Effect.flip(Stream.runDrain(other.stream(message("go")))), { _tag: "InvalidAgentResponse" })
    }).pipe(Effect.scoped, Effect.provide(Client))
  )

  it.live("closes its connection when nobody reads on", () =>
    Effect.gen(function* () {
      let closed = 0
      const { url } = yield* startScripted((_, response) => {
        response.on("close", () => closed++)
        response.writeHead(200, sse)
        response.write(event({ task: task("WORKING") }))
      })
      const connection = yield* (yield* AgentClient).connect(cardAt(url))
      yield* Stream.runDrain(Stream.take(connection.stream(message("go")), 1))
      yield* Effect.suspend(() => (closed === 1 ? Effect.void : Effect.fail("open"))).pipe(
        Effect.retry(Schedule.max([Schedule.spaced("20 millis"), Schedule.recurs(100)]))
      )
    }).pipe(Effect.scoped, Effect.provide(Client))
  )
})

const Text = Schema.String.check(Schema.isMaxLength(5))

describe("agentView", () => {
  it.prop(
    "brings a reader who missed the end to where the task is, whatever was seen",
    {
      chunks: Schema.Array(Text),
      seen: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })),
      join: Schema.Boolean
    },
    ({ chunks, join, seen }) => {
      const view = makeView()
      const items: Array<AgentStreamItem> = [
        { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } },
        ...chunks.slice(0, seen).map((text, n) => ({
          artifactUpdate: {
            taskId: "t",
            contextId: "c",
            artifact: { artifactId: "a", parts: [{ text }] },
            append: n > 0
          }
        }))
      ]
      for (const item of items) view.take(item)
      const parts = join ? [{ text: chunks.join("") }] : chunks.map((text) => ({ text }))
      const status = { state: "TASK_STATE_COMPLETED" } as const
      const now = {
        id: "t",
        contextId: "c",
        status,
        artifacts: chunks.length === 0 ? [] : [{ artifactId: "a", parts }]
      }
      const missed = view.catchUp(now)
      const all = [...items, ...missed].map((item) => ({ item }))
      assert.strictEqual(assembled(all), chunks.join(""))
      assert.isTrue(view.ended())
      assert.deepStrictEqual(view.catchUp(now), [])
    }
  )
})
