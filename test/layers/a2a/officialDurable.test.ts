/**
 * The official client (`@a2a-js/sdk`) drives durable tasks through every operation: 1.0 over both of its transports, and 0.3 by
 * its compatibility layer. The server is the test agent, as a process.
 */
import * as Sdk from "@a2a-js/sdk"
import {
  type Client,
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory
} from "@a2a-js/sdk/client"
import { assert, layer } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { serve } from "../platform/call.ts"
import { at } from "../../support/a2aHttp.ts"
import { aPort, eventually, Machine, root, start, temporaryDirectory } from "../../support/processes.ts"

class Thrown extends Data.TaggedError("Thrown")<{ readonly kind: string; readonly message: string }> {}
const thrown = (failure: unknown) =>
  new Thrown({ kind: failure instanceof Error ? failure.name : "", message: String(failure) })
const call = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: thrown })
const items = (run: () => AsyncGenerator<Sdk.StreamResponse, unknown>) =>
  Stream.fromAsyncIterable({ [Symbol.asyncIterator]: run }, thrown)
const caseOf = ({ payload }: Sdk.StreamResponse) => payload?.$case

let serial = 0
const sending = (prefix: string, { configuration, ...more }: { readonly [key: string]: unknown } = {}) =>
  Sdk.SendMessageRequest.fromJSON({
    message: { messageId: `${prefix}-${++serial}`, role: "ROLE_USER", parts: [{ text: "please" }], ...more },
    configuration
  })
const idOf = (sent: unknown) => String(at({ body: sent }, "id"))
const stateOf = (sent: unknown) => at({ body: sent }, "status.state")

const legacyCompat = { enabled: true }
const factory = new ClientFactory({
  transports: [new JsonRpcTransportFactory({ legacyCompat }), new RestTransportFactory({ legacyCompat })]
})

const agent = Effect.gen(function* () {
  const port = yield* aPort
  const url = `http://127.0.0.1:${port}`
  const args = ["--behaviours", `${root}examples/behaviours.json`, "--port", String(port)]
  const started = yield* start("testAgent", [...args, "--state", yield* temporaryDirectory], {})
  yield* eventually(Effect.filterOrFail(started.stdout, (text) => text.includes(url)))
  const card = yield* Effect.flatMap(HttpClient.get(`${url}/.well-known/agent-card.json`), ({ json }) => json)
  return { url, card }
})

const interfaces = [
  ["JSONRPC", "1.0"],
  ["HTTP+JSON", "1.0"],
  ["JSONRPC", "0.3"]
] as const

const clientOf = (
  { card, url }: Effect.Success<typeof agent>,
  [protocolBinding, protocolVersion]: (typeof interfaces)[number]
) => {
  const own = Sdk.AgentCard.fromJSON({
    name: "test-agent",
    description: "does what its file says",
    version: "1",
    capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true },
    defaultInputModes: ["*/*"],
    defaultOutputModes: ["*/*"],
    supportedInterfaces: [{ url, protocolBinding, protocolVersion }]
  })
  // Without A2A-Version the card came in the shape of 0.3.
  const old = new DefaultAgentCardResolver({ legacyCompat }).normalizeAgentCard(card)
  return call(() => factory.createFromAgentCard(protocolVersion === "0.3" ? old : own))
}

layer(Machine, { timeout: "60 seconds", excludeTestServices: true })("the official client on durable tasks", (it) => {
  for (const one of interfaces) {
    const [binding, version] = one
    const drive = Effect.fnUntraced(function* (client: Client) {
      const send = (prefix: string, more?: { readonly [key: string]: unknown }) =>
        call(() => client.sendMessage(sending(prefix, more)))
      const get = (id: string) => call(() => client.getTask(Sdk.GetTaskRequest.fromJSON({ id })))
      const cancel = (id: string) => call(() => client.cancelTask(Sdk.CancelTaskRequest.fromJSON({ id })))

      assert.strictEqual(at({ body: client }, "transport.protocolVersion"), version === "0.3" ? "0.3" : "1.0")
      const said = yield* send("tck-message-response")
      assert.strictEqual(at({ body: said }, "parts.0.content.value"), "Direct message response")

      const all = yield* get(idOf(yield* send("tck-artifact-all")))
      assert.strictEqual(all.status?.state, Sdk.TaskState.TASK_STATE_COMPLETED)
      assert.deepStrictEqual(
        all.artifacts.flatMap(({ parts }) => parts.map(({ content }) => content?.$case)),
        ["text", "raw", "url", "data"]
      )
      const over = yield* Effect.flip(cancel(all.id))
      assert.match(`${over.kind} ${over.message}`, /TaskNotCancelable|cannot be cancel|not cancelable/i)
      const none = yield* Effect.flip(get("00000000-0000-4000-8000-000000000000"))
      assert.match(`${none.kind} ${none.message}`, /TaskNotFound|not found/i)

      const asked = yield* send("tck-input-required")
      assert.strictEqual(stateOf(asked), Sdk.TaskState.TASK_STATE_INPUT_REQUIRED)
      const answered = yield* send("go on", { taskId: idOf(asked) })
      // 0.3 answers what is text alone by a message, as the original does.
      if (version === "1.0") assert.strictEqual(stateOf(answered), Sdk.TaskState.TASK_STATE_COMPLETED)
      assert.strictEqual(stateOf(yield* get(idOf(asked))), Sdk.TaskState.TASK_STATE_COMPLETED)

      const streamed = yield* Stream.runCollect(items(() => client.sendMessageStream(sending("tck-stream-chunked"))))
      const kinds = streamed.map(caseOf)
      assert.strictEqual(kinds[0], "task")
      assert.strictEqual(kinds.filter((kind) => kind === "artifactUpdate").length, 3)
      assert.strictEqual(kinds.at(-1), "statusUpdate")

      const working = idOf(yield* send("tck-cancel", { configuration: { returnImmediately: true } }))
      const followed = yield* Effect.forkChild(
        Stream.runCollect(items(() => client.resubscribeTask(Sdk.SubscribeToTaskRequest.fromJSON({ id: working }))))
      )
      yield* Effect.sleep("200 millis")
      assert.strictEqual(stateOf(yield* cancel(working)), Sdk.TaskState.TASK_STATE_CANCELED)
      const seen = (yield* Fiber.join(followed)).map(caseOf)
      assert.deepStrictEqual([seen[0], seen.at(-1)], ["task", "statusUpdate"])

      if (version === "1.0") {
        const list = yield* call(() => client.listTasks(Sdk.ListTasksRequest.fromJSON({ pageSize: 1 })))
        assert.deepStrictEqual([list.tasks.length, list.tasks[0]?.id], [1, working])
      }

      const pushed = yield* Queue.unbounded<string>()
      const receiver = yield* serve((_request, body, response) => {
        Queue.offerUnsafe(pushed, body)
        response.end()
      })
      const taskId = idOf(yield* send("tck-input-required"))
      const wanted = Sdk.TaskPushNotificationConfig.fromJSON({ taskId, url: receiver.url, token: "t" })
      const { id } = yield* call(() => client.createTaskPushNotificationConfig(wanted))
      const named = { taskId, id }
      const kept = yield* call(() =>
        client.getTaskPushNotificationConfig(Sdk.GetTaskPushNotificationConfigRequest.fromJSON(named))
      )
      assert.deepInclude(kept, { id, url: receiver.url })
      const listing = Sdk.ListTaskPushNotificationConfigsRequest.fromJSON({ taskId })
      const configs = call(() => client.listTaskPushNotificationConfig(listing))
      assert.strictEqual((yield* configs).configs.length, 1)
      yield* send("go on", { taskId })
      assert.include(yield* Queue.take(pushed), taskId)
      yield* call(() =>
        client.deleteTaskPushNotificationConfig(Sdk.DeleteTaskPushNotificationConfigRequest.fromJSON(named))
      )
      assert.strictEqual((yield* configs).configs.length, 0)

      const card = yield* call(() => client.getAgentCard())
      assert.include(card.description, "and says so to you")
    })

    it.effect(`${binding} ${version}: every operation`, () =>
      Effect.flatMap(agent, (running) => Effect.flatMap(clientOf(running, one), drive))
    )
  }
})
