/**
 * The test agent as a process, driven by our client: each behaviour of the example file, as `docs/a2a-test-agent.md` tells it.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import * as AgentClientHttp from "../../src/layers/a2a/AgentClientHttp.ts"
import { AgentClient } from "../../src/services/a2a/AgentClient.ts"
import { taskOf } from "../support/agentConnection.ts"
import { aPort, eventually, Machine, root, start, temporaryDirectory } from "../support/processes.ts"

const example = `${root}examples/behaviours.json`

const agentAt = Effect.fnUntraced(function* (state: string, more: ReadonlyArray<string> = []) {
  const port = yield* aPort
  const args = ["--behaviours", example, "--port", String(port), "--state", state, ...more]
  const started = yield* start("testAgent", args, {})
  const url = `http://127.0.0.1:${port}`
  yield* eventually(Effect.filterOrFail(started.stdout, (text) => text.includes(url))).pipe(
    Effect.tapError(() => Effect.flatMap(started.output, (text) => Effect.logError(text)))
  )
  const connection = yield* (yield* AgentClient).connect(url, { version: "1.0" })
  return { ...started, connection, url }
})

let serial = 0
const message = (prefix: string, more: { readonly taskId?: string; readonly text?: string } = {}) => {
  const { text = "please", ...rest } = more
  const messageId = `${prefix}-${++serial}`
  return { message: { messageId, role: "ROLE_USER" as const, parts: [{ text }] as const, ...rest } }
}

const Client = AgentClientHttp.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

layer(Layer.merge(Client, Machine), { timeout: "60 seconds", excludeTestServices: true })("the test agent", (it) => {
  it.effect("answers, makes artifacts of every kind, fails, rejects, and is busy", () =>
    Effect.gen(function* () {
      const { connection } = yield* agentAt(yield* temporaryDirectory)
      const send = (prefix: string, more?: Parameters<typeof message>[1]) => connection.send(message(prefix, more))
      const sent = (prefix: string, more?: Parameters<typeof message>[1]) => Effect.map(send(prefix, more), taskOf)

      const said = yield* send("tck-message-response")
      if ("message" in said) assert.deepStrictEqual(said.message.parts, [{ text: "Direct message response" }])
      else assert.fail("no message")

      const all = yield* sent("tck-artifact-all")
      assert.strictEqual(all.status.state, "TASK_STATE_COMPLETED")
      assert.deepStrictEqual(
        all.artifacts?.flatMap(({ parts }) => parts.flatMap((part) => Object.keys(part)[0] ?? "")),
        ["text", "raw", "url", "data"]
      )
      assert.strictEqual((yield* sent("tck-task-failure")).status.state, "TASK_STATE_FAILED")
      const rejected = yield* sent("tck-reject-task")
      assert.strictEqual(rejected.status.state, "TASK_STATE_REJECTED")
      assert.deepStrictEqual(rejected.status.message?.parts, [{ text: "rejected as asked" }])
      const other = yield* sent("nobody-knows-this")
      assert.strictEqual(other.status.state, "TASK_STATE_COMPLETED")

      const working = taskOf(
        yield* connection.send({ ...message("tck-cancel"), configuration: { returnImmediately: true } })
      )
      assert.strictEqual((yield* connection.cancelTask({ id: working.id })).status.state, "TASK_STATE_CANCELED")
      const late = taskOf(
        yield* connection.send({ ...message("tck-long-running"), configuration: { returnImmediately: true } })
      )
      assert.include(["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"], late.status.state)
      yield* eventually(
        Effect.filterOrFail(
          connection.getTask({ id: late.id }),
          ({ status }) => status.state === "TASK_STATE_COMPLETED"
        )
      )
    })
  )

  it.effect("asks, and goes on with what follows; as often as it takes", () =>
    Effect.gen(function* () {
      const { connection } = yield* agentAt(yield* temporaryDirectory)
      for (const [prefix, state] of [
        ["tck-input-required", "TASK_STATE_INPUT_REQUIRED"],
        ["tck-auth-required", "TASK_STATE_AUTH_REQUIRED"]
      ] as const) {
        const asked = taskOf(yield* connection.send(message(prefix)))
        assert.strictEqual(asked.status.state, state)
        // The id of what follows names no behaviour of its own.
        const done = taskOf(yield* connection.send(message("tck-task-failure", { taskId: asked.id })))
        assert.strictEqual(done.status.state, "TASK_STATE_COMPLETED")
      }
      // By its text, where the id tells nothing.
      const { id } = taskOf(yield* connection.send(message("x", { text: "tck-multi-turn begin" })))
      const next = (text: string) => Effect.map(connection.send(message("x", { taskId: id, text })), taskOf)
      assert.strictEqual((yield* next("not yet")).status.state, "TASK_STATE_INPUT_REQUIRED")
      assert.strictEqual((yield* next("abandoned")).status.state, "TASK_STATE_INPUT_REQUIRED")
      assert.strictEqual((yield* next("now I am done.")).status.state, "TASK_STATE_COMPLETED")
    })
  )

  it.effect("streams in the order of the file", () =>
    Effect.gen(function* () {
      const { connection } = yield* agentAt(yield* temporaryDirectory)
      const streamed = yield* Stream.runCollect(connection.stream(message("tck-stream-ordering-001")))
      const told = streamed.flatMap(({ item }) => {
        if (item === undefined) return []
        if ("artifactUpdate" in item) return [item.artifactUpdate.artifact.artifactId]
        return "statusUpdate" in item && item.statusUpdate.status.message !== undefined ? ["remark"] : []
      })
      assert.deepStrictEqual(told, ["remark", "first", "remark", "second"])
      const chunks = yield* Stream.runCollect(connection.stream(message("tck-stream-chunked")))
      assert.deepStrictEqual(
        chunks.flatMap(({ item }) =>
          item !== undefined && "artifactUpdate" in item
            ? [[item.artifactUpdate.append, item.artifactUpdate.lastChunk]]
            : []
        ),
        [
          [false, false],
          [true, false],
          [true, true]
        ]
      )
    })
  )

  it.effect("pushes to loopback, and has its tasks after kill -9", () =>
    Effect.gen(function* () {
      const state = yield* temporaryDirectory
      const { connection, signal } = yield* agentAt(state)
      const pushed = yield* Queue.unbounded<string>()
      const receiver = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((request, response) => {
            let body = ""
            request.on("data", (piece) => (body += String(piece)))
            request.on("end", () => {
              Queue.offerUnsafe(pushed, body)
              response.end()
            })
          }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = receiver.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const configuration = { taskPushNotificationConfig: { url: `http://127.0.0.1:${port}/` } }
      const { id } = taskOf(yield* connection.send({ ...message("tck-input-required"), configuration }))
      assert.include(yield* Queue.take(pushed), id)

      yield* signal("SIGKILL")
      const again = yield* agentAt(state)
      assert.strictEqual((yield* again.connection.getTask({ id })).status.state, "TASK_STATE_INPUT_REQUIRED")
      const done = taskOf(yield* again.connection.send(message("go on", { taskId: id })))
      assert.strictEqual(done.status.state, "TASK_STATE_COMPLETED")
    })
  )

  it.effect("takes requests without a version for what it is told to, and says so on its card", () =>
    Effect.gen(function* () {
      const { url } = yield* agentAt(yield* temporaryDirectory, ["--assumed-version", "1.0"])
      const card = yield* Effect.flatMap(HttpClient.get(`${url}/.well-known/agent-card.json`), ({ json }) => json)
      assert.property(card, "supportedInterfaces")
    })
  )

  it.effect("does not listen where others can reach it, and not on a file that is wrong", () =>
    Effect.gen(function* () {
      for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example"]) {
        const refused = yield* start("testAgent", ["--behaviours", example, "--host", host], {})
        assert.strictEqual(yield* refused.exitCode, 1)
        yield* eventually(Effect.filterOrFail(refused.output, (text) => text.includes(`--host ${host}: `)))
      }
      const missing = yield* start("testAgent", ["--behaviours", "/nowhere.json", "--port", "0"], {})
      assert.strictEqual(yield* missing.exitCode, 1)
      yield* eventually(Effect.filterOrFail(missing.output, (text) => text.includes("/nowhere.json")))
    })
  )
})
