import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as AgentClientHttp from "../../../src/layers/a2a/AgentClientHttp.ts"
import { AgentClient, type ConnectOptions } from "../../../src/services/a2a/AgentClient.ts"
import type { AgentPart } from "../../../src/services/a2a/AgentAnswer.ts"
import { keepsPushConfigs, reasonOf, taskOf } from "../../support/agentConnection.ts"
import { type SdkAgentOptions, startSdkAgent } from "../../support/sdkAgent.ts"

const Client = AgentClientHttp.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

let serial = 0
const message = (text: string, more: { readonly taskId?: string; readonly contextId?: string } = {}) => ({
  message: { messageId: `client-${++serial}`, role: "ROLE_USER", parts: [{ text }], ...more } as const
})

const agent = Effect.fnUntraced(function* (server: SdkAgentOptions = {}, options: ConnectOptions = {}) {
  const { seen, url } = yield* startSdkAgent(server)
  const client = yield* AgentClient
  return { url, seen, connection: yield* client.connect(url, options) }
})

const parts: ReadonlyArray<AgentPart> = [
  { text: "done: it" },
  { data: { answer: 42 } },
  { raw: "Ynl0ZXM=", filename: "a.bin", mediaType: "application/octet-stream" },
  { url: "https://files.example/b.txt", filename: "b.txt", mediaType: "text/plain" }
]

for (const [binding, version] of [
  ["JSONRPC", "1.0"],
  ["HTTP+JSON", "1.0"],
  ["JSONRPC", "0.3"]
] as const) {
  const isNew = version === "1.0"
  describe(`AgentClient against the SDK's server over ${binding} ${version}`, () => {
    it.live(
      "drives every operation",
      () =>
        Effect.gen(function* () {
          const { connection, seen } = yield* agent({ version }, { transports: [binding] })
          assert.strictEqual(connection.interface.protocolBinding, binding)
          assert.strictEqual(connection.card.name, "An agent of the SDK")

          const said = yield* connection.send(message("say hello"))
          assert.property(said, "message")
          if ("message" in said) assert.deepStrictEqual(said.message.parts, [{ text: "hello" }])
          assert.strictEqual((yield* seen).headers["a2a-version"], isNew ? "1.0" : undefined)

          const done = taskOf(yield* connection.send(message("task it")))
          assert.strictEqual(done.status.state, "TASK_STATE_COMPLETED")
          assert.deepStrictEqual(done.artifacts?.[0]?.parts, parts)
          const again = yield* connection.getTask({ id: done.id, historyLength: 0 })
          assert.deepStrictEqual([again.artifacts, again.status], [done.artifacts, done.status])

          const events = yield* Stream.runCollect(connection.stream(message("chunks 3")))
          assert.deepStrictEqual(
            events.map(({ item }) => Object.keys(item)[0]),
            ["task", "statusUpdate", "artifactUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate"]
          )
          const one = yield* Stream.runCollect(connection.stream(message("say once")))
          assert.strictEqual(one.length, 1)

          const waiting = taskOf(
            yield* connection.send({ ...message("wait"), configuration: { returnImmediately: true } })
          )
          const followed = yield* Effect.forkChild(Stream.runCollect(connection.subscribe(waiting.id)))
          yield* keepsPushConfigs(connection, waiting.id)

          assert.strictEqual((yield* connection.cancelTask({ id: waiting.id })).id, waiting.id)
          const canceled = yield* connection.getTask({ id: waiting.id }).pipe(
            Effect.filterOrFail(({ status }) => status.state === "TASK_STATE_CANCELED"),
            Effect.retry(Schedule.max([Schedule.spaced("20 millis"), Schedule.recurs(200)]))
          )
          assert.property((yield* Fiber.join(followed))[0]?.item, "task")
          assert.strictEqual(canceled.status.state, "TASK_STATE_CANCELED")

          const asked = taskOf(yield* connection.send(message("ask me")))
          assert.strictEqual(asked.status.state, "TASK_STATE_INPUT_REQUIRED")
          assert.deepStrictEqual(asked.status.message?.parts, [{ text: "which one?" }])
          const answered = taskOf(yield* connection.send(message("task that one", { taskId: asked.id })))
          assert.strictEqual(answered.id, asked.id)
          assert.strictEqual(answered.status.state, "TASK_STATE_COMPLETED")

          if (!isNew) {
            assert.strictEqual(yield* reasonOf(connection.listTasks({})), "METHOD_NOT_FOUND")
            return
          }
          const first = yield* connection.listTasks({ pageSize: 2 })
          assert.strictEqual(first.tasks.length, 2)
          const second = yield* connection.listTasks({ pageSize: 2, pageToken: first.nextPageToken })
          assert.notDeepEqual(first.tasks[0]?.id, second.tasks[0]?.id)
          const { tasks } = yield* connection.listTasks({ status: "TASK_STATE_CANCELED", includeArtifacts: true })
          assert.deepStrictEqual(
            tasks.map(({ id }) => id),
            [waiting.id]
          )
          assert.strictEqual((yield* connection.extendedCard).name, "An agent of the SDK")
        }).pipe(Effect.scoped, Effect.provide(Client)),
      30_000
    )

    it.live("names errors by their reasons", () =>
      Effect.gen(function* () {
        const { connection } = yield* agent({ version }, { transports: [binding] })
        assert.strictEqual(yield* reasonOf(connection.getTask({ id: "nobody" })), "TASK_NOT_FOUND")
        assert.strictEqual(yield* reasonOf(connection.cancelTask({ id: "nobody" })), "TASK_NOT_FOUND")
        assert.strictEqual(yield* reasonOf(Stream.runDrain(connection.subscribe("nobody"))), "TASK_NOT_FOUND")
        const done = taskOf(yield* connection.send(message("task it")))
        assert.strictEqual(yield* reasonOf(connection.cancelTask({ id: done.id })), "TASK_NOT_CANCELABLE")
        // The task is all that there is to say of one that has ended.
        const events = yield* Stream.runCollect(connection.subscribe(done.id))
        assert.deepStrictEqual(
          events.map(({ item }) => "task" in item && item.task.id),
          [done.id]
        )
        assert.strictEqual(
          yield* reasonOf(connection.send(message("more", { taskId: done.id }))),
          "UNSUPPORTED_OPERATION"
        )
      }).pipe(Effect.scoped, Effect.provide(Client))
    )

    it.live("proves who it is", () =>
      Effect.gen(function* () {
        const token = "very-secret"
        const { connection, seen, url } = yield* agent(
          { version, token },
          {
            transports: [binding],
            headers: { "X-Trace": "abc" },
            credentials: () => [{ scheme: "bearer", token: Redacted.make(token) }]
          }
        )
        yield* connection.send(message("say hello"))
        assert.strictEqual((yield* seen).headers["x-trace"], "abc")
        assert.strictEqual((yield* connection.extendedCard).name, "An agent of the SDK, for those it knows")
        const stranger = yield* (yield* AgentClient).connect(url, { transports: [binding] })
        assert.strictEqual(yield* reasonOf(stranger.send(message("say hello"))), "AgentUnauthorized")
        assert.strictEqual(yield* reasonOf(Stream.runDrain(stranger.stream(message("say hello")))), "AgentUnauthorized")
      }).pipe(Effect.scoped, Effect.provide(Client))
    )

    if (!isNew) return
    it.live("puts the interface's tenant into each request", () =>
      Effect.gen(function* () {
        const { connection } = yield* agent({ version, tenant: "acme/1" }, { transports: [binding] })
        const done = taskOf(yield* connection.send(message("task it")))
        assert.strictEqual((yield* connection.getTask({ id: done.id })).id, done.id)
        assert.strictEqual((yield* connection.listTasks({})).tasks.length, 1)
        // The SDK keeps tenants apart, so it is the tenant that has found the task.
        const client = yield* AgentClient
        const { tenant: _, ...elsewhere } = connection.interface
        const other = yield* client.connect({ ...connection.card, supportedInterfaces: [elsewhere] })
        assert.strictEqual(yield* reasonOf(other.getTask({ id: done.id })), "TASK_NOT_FOUND")
      }).pipe(Effect.scoped, Effect.provide(Client))
    )
  })
}
