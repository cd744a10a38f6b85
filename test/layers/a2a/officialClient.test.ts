/**
 * The official client of A2A 1.0 (`@a2a-js/sdk`) drives the bindings, over both transports.
 */
import * as Sdk from "@a2a-js/sdk"
import { type Client, ClientFactory } from "@a2a-js/sdk/client"
import { assert, layer } from "@effect/vitest"
import * as Data from "effect/Data"
import * as HttpServer from "effect/http/HttpServer"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { at, message } from "../../support/a2aHttp.ts"
import * as Server from "../../support/a2aServer.ts"

/** What the client throws, by the name of its error. */
class Thrown extends Data.TaggedError("Thrown")<{ readonly kind: string; readonly message: string }> {}
const thrown = (failure: unknown) =>
  new Thrown({ kind: failure instanceof Error ? failure.name : "", message: String(failure) })
const call = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: thrown })
const nameOf = <A>(run: () => Promise<A>) => Effect.map(Effect.flip(call(run)), ({ kind }) => kind)
const drain = (run: () => AsyncGenerator<Sdk.StreamResponse, unknown>) =>
  Stream.runCollect(Stream.fromAsyncIterable({ [Symbol.asyncIterator]: run }, thrown)).pipe(
    Effect.map((all) => all.map((one) => one.payload?.$case))
  )
const sending = (text: string, more: object = {}) => Sdk.SendMessageRequest.fromJSON(message(text, more))

layer(Server.layer())("the official client", (it) => {
  for (const binding of ["JSONRPC", "HTTP+JSON"] as const) {
    const connected = Effect.gen(function* () {
      const url = HttpServer.formatAddress((yield* HttpServer.HttpServer).address)
      const card = Sdk.AgentCard.fromJSON({
        ...Server.card,
        supportedInterfaces: [{ url, protocolBinding: binding, protocolVersion: "1.0" }]
      })
      return yield* call(() => new ClientFactory().createFromAgentCard(card))
    })
    const asked = (client: Client, text: string) =>
      Effect.map(
        call(() => client.sendMessage(sending(text))),
        (task) => String(at({ body: task }, "id"))
      )

    it.effect(`${binding}: messages, tasks and lists`, () =>
      Effect.gen(function* () {
        const client = yield* connected
        const said = yield* call(() => client.sendMessage(sending("hello")))
        assert.strictEqual(at({ body: said }, "parts.0.content.value"), "hello")
        const id = yield* asked(client, "task")
        const task = yield* call(() => client.getTask(Sdk.GetTaskRequest.fromJSON({ id })))
        assert.strictEqual(task.status?.state, Sdk.TaskState.TASK_STATE_COMPLETED)
        const list = yield* call(() => client.listTasks(Sdk.ListTasksRequest.fromJSON({ pageSize: 1 })))
        assert.deepStrictEqual([list.tasks.length, list.tasks[0]?.id], [1, id])
        const none = Sdk.GetTaskRequest.fromJSON({ id: "none" })
        assert.strictEqual(yield* nameOf(() => client.getTask(none)), "TaskNotFoundError")
        const over = Sdk.CancelTaskRequest.fromJSON({ id })
        assert.strictEqual(yield* nameOf(() => client.cancelTask(over)), "TaskNotCancelableError")
        const card = yield* call(() => client.getAgentCard())
        assert.strictEqual(card.description, Server.extendedCard.description)
      })
    )

    it.effect(`${binding}: streams, and what is wrong with them`, () =>
      Effect.gen(function* () {
        const client = yield* connected
        const all = yield* drain(() => client.sendMessageStream(sending("chunks 2")))
        assert.deepStrictEqual(all, ["task", "statusUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate"])
        const failure = yield* Effect.flip(drain(() => client.sendMessageStream(sending("break"))))
        assert.include(failure.message, "The store is gone")
        const id = yield* asked(client, "ask")
        const subscribed = Sdk.SubscribeToTaskRequest.fromJSON({ id })
        assert.deepStrictEqual(yield* drain(() => client.resubscribeTask(subscribed)), ["task"])
        yield* call(() => client.sendMessage(sending("go on", { taskId: id })))
        const failed = yield* Effect.flip(drain(() => client.resubscribeTask(subscribed)))
        assert.include(failed.message, "TASK_STATE_COMPLETED")
      })
    )

    it.effect(`${binding}: push configurations`, () =>
      Effect.gen(function* () {
        const client = yield* connected
        const taskId = yield* asked(client, "task")
        const config = Sdk.TaskPushNotificationConfig.fromJSON({ taskId, url: "https://x.test/" })
        const { id } = yield* call(() => client.createTaskPushNotificationConfig(config))
        const one = Sdk.GetTaskPushNotificationConfigRequest.fromJSON({ taskId, id })
        assert.deepInclude(yield* call(() => client.getTaskPushNotificationConfig(one)), { id, url: config.url })
        const all = Sdk.ListTaskPushNotificationConfigsRequest.fromJSON({ taskId })
        const { configs } = yield* call(() => client.listTaskPushNotificationConfig(all))
        assert.deepStrictEqual(
          configs.map((found) => found.id),
          [id]
        )
        const gone = Sdk.DeleteTaskPushNotificationConfigRequest.fromJSON({ taskId, id })
        yield* call(() => client.deleteTaskPushNotificationConfig(gone))
        assert.strictEqual(yield* nameOf(() => client.getTaskPushNotificationConfig(one)), "TaskNotFoundError")
      })
    )
  }
})
