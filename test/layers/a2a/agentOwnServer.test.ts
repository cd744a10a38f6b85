/**
 * `AgentClient` against our own server: a workspace as a process, which is cut off and killed.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as AgentClientHttp from "../../../src/layers/a2a/AgentClientHttp.ts"
import type { AgentPart } from "../../../src/services/a2a/AgentAnswer.ts"
import { AgentClient, type AgentStreamed, type ConnectOptions } from "../../../src/services/a2a/AgentClient.ts"
import { keepsPushConfigs, reasonOf, taskOf } from "../../support/agentConnection.ts"
import * as OwnAgent from "../../support/ownAgent.ts"
import { cuttingProxy } from "../../support/sdkAgent.ts"

const Client = AgentClientHttp.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

let serial = 0
const message = (text: string, more: { readonly taskId?: string } = {}) => ({
  message: { messageId: `own-${++serial}`, role: "ROLE_USER", parts: [{ text }], ...more } as const
})

const dialects: ReadonlyArray<readonly [string, ConnectOptions]> = [
  ["JSONRPC 1.0", { transports: ["JSONRPC"] }],
  ["HTTP+JSON 1.0", { transports: ["HTTP+JSON"] }],
  ["JSONRPC 0.3", { version: "0.3" }]
]

const everyKind: ReadonlyArray<AgentPart> = [
  { text: "done: it" },
  { data: { answer: 42 } },
  { raw: "Ynl0ZXM=", filename: "a.bin", mediaType: "application/octet-stream" },
  { url: "https://files.example/b.txt", filename: "b.txt", mediaType: "text/plain" }
]

layer(OwnAgent.layer, { timeout: "60 seconds", excludeTestServices: true })(
  "AgentClient against our own server",
  (it) => {
    it.effect(
      "drives every operation, in each version and over each transport",
      () =>
        Effect.gen(function* () {
          const { begin, url } = yield* (yield* OwnAgent.Team).workspace("talker")
          yield* begin
          for (const [name, options] of dialects) {
            const connection = yield* (yield* AgentClient).connect(url, options)
            assert.strictEqual(`${connection.interface.protocolBinding} ${connection.interface.protocolVersion}`, name)

            const said = yield* connection.send(message("say hello"))
            if ("message" in said) assert.deepStrictEqual(said.message.parts, [{ text: "hello" }])
            else assert.fail(name)

            const waiting = taskOf(
              yield* connection.send({ ...message("wait"), configuration: { returnImmediately: true } })
            )
            const followed = yield* Effect.forkChild(Stream.runCollect(connection.subscribe(waiting.id)))
            yield* keepsPushConfigs(connection, waiting.id)
            assert.strictEqual((yield* connection.cancelTask({ id: waiting.id })).status.state, "TASK_STATE_CANCELED")
            assert.property((yield* Fiber.join(followed))[0]?.item, "task")

            const made = yield* Stream.runCollect(connection.stream(message("task it")))
            const first = made[0]?.item
            const { id } = first !== undefined && "task" in first ? first.task : assert.fail(JSON.stringify(first))
            const done = yield* connection.getTask({ id })
            assert.strictEqual(done.status.state, "TASK_STATE_COMPLETED")
            assert.deepStrictEqual(
              done.artifacts?.map(({ parts }) => parts),
              [everyKind]
            )

            const asked = taskOf(yield* connection.send(message("ask me")))
            assert.strictEqual(asked.status.state, "TASK_STATE_INPUT_REQUIRED")
            const answer = message("that one", { taskId: asked.id })
            const answered = yield* connection.send(answer)
            assert.strictEqual((yield* connection.getTask({ id: asked.id })).status.state, "TASK_STATE_COMPLETED")
            // The same message again, as of a client that lost the answer, is the same answer.
            assert.deepStrictEqual(yield* connection.send(answer), answered)

            assert.strictEqual(yield* reasonOf(connection.getTask({ id: "nobody" })), "TASK_NOT_FOUND")
            assert.strictEqual(yield* reasonOf(connection.cancelTask({ id })), "TASK_NOT_CANCELABLE")
            assert.strictEqual(
              yield* reasonOf(connection.send(message("more", { taskId: id }))),
              "UNSUPPORTED_OPERATION"
            )
            if (name.endsWith("0.3")) continue
            const { tasks } = yield* connection.listTasks({ status: "TASK_STATE_CANCELED", pageSize: 1 })
            assert.deepStrictEqual(
              tasks.map((task) => task.id),
              [waiting.id]
            )
          }
        }).pipe(Effect.scoped, Effect.provide(Client)),
      90_000
    )
  }
)

const state = (events: ReadonlyArray<AgentStreamed>) => {
  const item = events.at(-1)?.item
  return item !== undefined && "statusUpdate" in item ? item.statusUpdate.status.state : undefined
}
const texts = (events: ReadonlyArray<AgentStreamed>) =>
  events
    .flatMap(({ item }) => ("artifactUpdate" in item ? item.artifactUpdate.artifact.parts : []))
    .map((part) => ("text" in part ? part.text : ""))
const counted = (many: number) => Array.from({ length: many }, (_, n) => `${n};`)
// Every event once, in order: the sequence in the cursors has no gap.
const isWhole = (events: ReadonlyArray<AgentStreamed>) => {
  const numbers = events.map(({ cursor = "" }) => Number(cursor.slice(cursor.lastIndexOf("-") + 1)))
  assert.deepStrictEqual(
    numbers,
    numbers.map((_, index) => index)
  )
  assert.strictEqual(events.filter(({ item }) => "task" in item).length, 1)
}

layer(OwnAgent.layer, { timeout: "60 seconds", excludeTestServices: true })("a stream of our own server", (it) => {
  for (const [name, options] of dialects) {
    it.effect(
      `is whole over ${name} although its connections are cut, and goes on behind the last event`,
      () =>
        Effect.gen(function* () {
          const proxy = yield* cuttingProxy([40, 1500, 2500, 3500, 800])
          const agent = yield* (yield* OwnAgent.Team).workspace("cut", { MOLECULE_A2A_URL: proxy.url })
          yield* agent.begin
          proxy.state.target = agent.port
          const connection = yield* (yield* AgentClient).connect(agent.url, { ...options, retries: 6 })
          const events = yield* Stream.runCollect(connection.stream(message("chunks 60")))
          isWhole(events)
          assert.deepStrictEqual(texts(events), counted(60))
          assert.strictEqual(state(events), "TASK_STATE_COMPLETED")
          assert.isAtLeast(proxy.state.cut, 3)
        }).pipe(Effect.scoped, Effect.provide(Client)),
      60_000
    )
  }

  it.effect(
    "is whole although the server is killed in the middle of it and comes back",
    () =>
      Effect.gen(function* () {
        const agent = yield* (yield* OwnAgent.Team).workspace("killed")
        const first = yield* agent.begin
        const connection = yield* (yield* AgentClient).connect(agent.url, { retries: 12 })
        const heard: Array<AgentStreamed> = []
        const listening = yield* Effect.forkChild(
          Stream.runForEach(connection.stream(message("chunks 120")), (event) => Effect.sync(() => heard.push(event)))
        )
        yield* Effect.suspend(() => (heard.length > 25 ? Effect.void : Effect.fail("early"))).pipe(
          Effect.retry(Schedule.max([Schedule.spaced("5 millis"), Schedule.recurs(2000)]))
        )
        yield* first.signal("SIGKILL")
        yield* first.exitCode
        const before = heard.length
        yield* agent.begin
        yield* Fiber.join(listening)
        assert.isAbove(heard.length, before)
        isWhole(heard)
        assert.strictEqual(state(heard), "TASK_STATE_COMPLETED")
        // What the client heard makes the same of the task as the task itself.
        const item = heard[0]?.item
        const { id } = item !== undefined && "task" in item ? item.task : assert.fail(JSON.stringify(item))
        const all = yield* Stream.runCollect(connection.subscribe(id, heard[0]?.cursor))
        assert.deepStrictEqual(all, heard.slice(1))
      }).pipe(Effect.scoped, Effect.provide(Client)),
    90_000
  )
})
