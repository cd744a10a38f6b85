import { assert, describe, it } from "@effect/vitest"
import * as HttpServer from "effect/http/HttpServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { createConnection } from "node:net"
import { A2AOperations, streamResumption } from "../../../src/services/a2a/A2AOperations.ts"
import {
  ask,
  at,
  codeOf,
  envelope,
  events,
  type How,
  layer as Client,
  message,
  rpc,
  send,
  textAt
} from "../../support/a2aHttp.ts"
import * as Server from "../../support/a2aServer.ts"
import * as ScriptedAgent from "../../support/scriptedAgent.ts"

/** A server over an agent that the test holds in its hands. */
const withAgent = <A, E, R>(
  use: (agent: Effect.Success<typeof ScriptedAgent.make>) => Effect.Effect<A, E, R>,
  options: Server.Options = {}
) =>
  Effect.flatMap(ScriptedAgent.make, (agent) =>
    use(agent).pipe(
      Effect.provide(
        Layer.mergeAll(Server.layer({ ...options, operations: Layer.succeed(A2AOperations, agent.operations) }), Client)
      )
    )
  )

const collected = (path: string, body: unknown, how?: How) => Effect.flatMap(events(path, body, how), Stream.runCollect)

/** Waits, in real time, until something is so. */
const until = (condition: () => boolean) =>
  Effect.repeat(
    Effect.promise(() => new Promise<void>((resume) => setImmediate(resume))),
    { until: condition }
  )

const kinds = (all: ReadonlyArray<{ readonly data: unknown }>, within: string) =>
  all.map(({ data }) => Object.keys(Object(within === "" ? data : at({ body: data }, within)))[0])

describe("event streams", () => {
  it.effect(
    "JSON-RPC: the task, its pieces and its end, each in an envelope under the request's id, then nothing",
    () =>
      withAgent(() =>
        Effect.gen(function* () {
          const response = yield* send("/", envelope("SendStreamingMessage", message("chunks 2"), "s"))
          assert.strictEqual(response.headers["content-type"], "text/event-stream")
          assert.strictEqual(response.headers["cache-control"], "no-store")
          const text = yield* response.text
          assert.isTrue(
            text.split("\n").every((line) => line === "" || line.startsWith("data: ")),
            "plain A2A"
          )
          const all = yield* collected("/", envelope("SendStreamingMessage", message("chunks 2"), "s"))
          assert.isTrue(all.every(({ data }) => at({ body: data }, "id") === "s"))
          assert.deepStrictEqual(kinds(all, "result"), [
            "task",
            "statusUpdate",
            "artifactUpdate",
            "artifactUpdate",
            "statusUpdate"
          ])
          const said = yield* collected("/", envelope("SendStreamingMessage", message("hello")))
          assert.deepStrictEqual(kinds(said, "result"), ["message"])
        })
      )
  )

  it.effect("pitfall 3: HTTP+JSON: the items themselves; subscribe by POST and by GET", () =>
    withAgent(() =>
      Effect.gen(function* () {
        const all = yield* collected("/message:stream", message("chunks 1"))
        assert.deepStrictEqual(kinds(all, ""), ["task", "statusUpdate", "artifactUpdate", "statusUpdate"])
        const asked = yield* ask("/message:send", message("ask"))
        const id = textAt(asked, "task.id")
        for (const method of ["GET", "POST"] as const) {
          const now = yield* collected(`/tasks/${id}:subscribe`, undefined, { method })
          assert.deepStrictEqual(kinds(now, ""), ["task"])
        }
        yield* ask("/message:send", message("go on", { taskId: id }))
        const over = yield* ask(`/tasks/${id}:subscribe`, undefined)
        assert.strictEqual(over.status, 400)
        assert.strictEqual(codeOf(yield* rpc("SubscribeToTask", { id })), -32004)
        assert.strictEqual(codeOf(yield* rpc("SubscribeToTask", { id: "none" })), -32001)
      })
    )
  )

  it.effect("ids are told to those who know the extension or give a cursor, by header, metadata or query", () =>
    withAgent(() =>
      Effect.gen(function* () {
        const active = { headers: { "a2a-extensions": streamResumption.uri } }
        const all = yield* collected("/message:stream", message("chunks 2"), active)
        assert.deepStrictEqual(
          all.map(({ id }) => id),
          ["e-0", "e-1", "e-2", "e-3", "e-4"]
        )
        const taskId = textAt({ body: all[0]?.data }, "task.id")
        const rest = all.slice(3).map(({ data }) => data)
        const cursor = "e-2"
        const byHeader = yield* collected(`/tasks/${taskId}:subscribe`, undefined, {
          headers: { "last-event-id": cursor }
        })
        const byQuery = yield* collected(`/tasks/${taskId}:subscribe?molecule%2Fcursor=${cursor}`, undefined)
        const metadata = { [streamResumption.cursor]: cursor }
        const byBody = yield* collected(`/tasks/${taskId}:subscribe`, { metadata })
        const byRpc = yield* collected("/", envelope("SubscribeToTask", { id: taskId, metadata }))
        for (const some of [byHeader, byQuery, byBody])
          assert.deepStrictEqual(
            some.map(({ data }) => data),
            rest
          )
        assert.deepStrictEqual(
          byRpc.map(({ data }) => at({ body: data }, "result")),
          rest
        )
        assert.deepStrictEqual(
          byHeader.map(({ id }) => id),
          ["e-3", "e-4"]
        )
        const wrong = yield* rpc("SubscribeToTask", { id: taskId, metadata: { [streamResumption.cursor]: 2 } })
        assert.strictEqual(codeOf(wrong), -32602)
      })
    )
  )

  it.effect("a stream that fails says so in the binding's form, and ends", () =>
    withAgent(() =>
      Effect.gen(function* () {
        const overRpc = yield* collected("/", envelope("SendStreamingMessage", message("break"), 5))
        assert.deepStrictEqual(kinds(overRpc, "result").slice(0, 2), ["task", "task"])
        assert.deepInclude(overRpc[2]?.data, { jsonrpc: "2.0", id: 5 })
        assert.strictEqual(at({ body: overRpc[2]?.data }, "error.code"), -32050)
        const overRest = yield* collected("/message:stream", message("break"))
        assert.strictEqual(overRest[2]?.event, "error")
        assert.strictEqual(at({ body: overRest[2]?.data }, "error.status"), "UNAVAILABLE")
        assert.strictEqual(overRest.length, 3)
      })
    )
  )

  it.effect("a silent stream is kept alive by comments; cancelling its task ends it", () =>
    withAgent(() =>
      Effect.gen(function* () {
        const response = yield* send("/message:stream", message("hold"))
        const began = yield* Deferred.make<string>()
        const kept = yield* Deferred.make<void>()
        const reader = yield* response.stream.pipe(
          Stream.decodeText,
          Stream.tap((text) => {
            const id = /"id":"(t-\d+)"/.exec(text)?.[1]
            return Effect.all([
              id === undefined ? Effect.void : Deferred.succeed(began, id),
              text.includes(": keep-alive\n\n") ? Deferred.succeed(kept, undefined) : Effect.void
            ])
          }),
          Stream.mkString,
          Effect.forkChild
        )
        const id = yield* Deferred.await(began)
        yield* TestClock.adjust("16 seconds")
        yield* Deferred.await(kept)
        yield* ask(`/tasks/${id}:cancel`, {})
        assert.include(yield* Fiber.join(reader), "TASK_STATE_CANCELED")
      })
    )
  )

  it.effect("a vanished client interrupts what serves it: a stream and a blocking send", () =>
    withAgent(({ open }) =>
      Effect.gen(function* () {
        const stream = yield* Effect.forkChild(
          Effect.flatMap(send("/message:stream", message("hold")), ({ stream }) => Stream.runDrain(stream))
        )
        const blocked = yield* Effect.forkChild(rpc("SendMessage", message("hold")))
        yield* until(() => open.streams === 1 && open.sends === 1)
        yield* Fiber.interrupt(stream)
        yield* until(() => open.streams === 0)
        assert.strictEqual(open.sends, 1)
        yield* Fiber.interrupt(blocked)
        yield* until(() => open.sends === 0)
      })
    )
  )

  it.effect("a client that stops reading costs a bounded buffer, slows nobody, and is cut off", () =>
    withAgent(({ open }) =>
      Effect.gen(function* () {
        const { port } = new URL(HttpServer.formatAddress((yield* HttpServer.HttpServer).address))
        const body = JSON.stringify(message("endless 10000"))
        const socket = createConnection(Number(port), "127.0.0.1")
        const closed = new Promise<void>((resume) => socket.once("close", () => resume()))
        socket.on("error", () => {})
        socket.pause()
        socket.write(
          `POST /message:stream HTTP/1.1\r\nhost: x\r\na2a-version: 1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`
        )
        let before = 0
        let turns = 0
        // The buffers of both ends are full when nothing was said for a while.
        yield* until(() => {
          turns = open.said > 0 && open.said === before ? turns + 1 : 0
          before = open.said
          return turns > 2000
        })
        assert.isBelow(open.said, 2000)
        assert.strictEqual((yield* collected("/message:stream", message("hello"))).length, 1)
        yield* TestClock.adjust("2 minutes")
        yield* until(() => open.streams === 0)
        assert.strictEqual(open.said, before)
        socket.resume()
        yield* Effect.promise(() => closed)
      })
    )
  )
})
