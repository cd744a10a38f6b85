/**
 * What we say in 0.3 is what the JSON Schema of 0.3 allows. The schema is no part of this repository: where it is not at
 * hand (`../shared/spec`), these tests are skipped.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as RpcMethods03 from "../../../src/layers/a2a/rpcMethods03.ts"
import * as Translation from "../../../src/layers/a2a/translation03.ts"
import * as P from "../../../src/services/a2a/A2AProtocol.ts"
import { AgentCard03, cardTo03 } from "../../../src/services/a2a/AgentCard03.ts"
import * as Old from "../../../src/services/a2a/Protocol03.ts"
import * as Http from "../../support/a2aHttp.ts"
import * as Server from "../../support/a2aServer.ts"
import { wrongBy } from "../../support/jsonSchema.ts"

const file = fileURLToPath(new URL("../../../../shared/spec/a2a/a2a-0.3.0.json", import.meta.url))
const isThere = existsSync(file)
const document: unknown = isThere ? JSON.parse(readFileSync(file, "utf8")) : undefined

const fits = (definition: string, value: unknown) =>
  assert.deepStrictEqual(wrongBy({ document, schema: { $ref: `#/definitions/${definition}` } }, value), [])

const encode = <A, I>(schema: Schema.Codec<A, I>) => Schema.encodeSync(schema)
const runs = { arbitrary: { runs: 100 } }

describe.skipIf(!isThere)("what is said in 0.3, by its schema", () => {
  it("the schema is read: what is no task is told so", () => {
    const status = { state: "working" }
    assert.deepStrictEqual(
      wrongBy({ document, schema: { $ref: "#/definitions/Task" } }, { kind: "task", id: 1, status }),
      ["$: contextId is missing", "$.id: integer in place of string"]
    )
  })

  it.prop("tasks", [P.Task], ([task]) => fits("Task", encode(Old.Task)(Translation.taskTo03(task))), runs)

  it.prop(
    "items of streams",
    [P.StreamResponse],
    ([item]) => {
      const definition =
        "task" in item
          ? "Task"
          : "message" in item
            ? "Message"
            : "statusUpdate" in item
              ? "TaskStatusUpdateEvent"
              : "TaskArtifactUpdateEvent"
      fits(definition, encode(Old.StreamResult)(Translation.itemTo03(item)))
    },
    runs
  )

  it.prop(
    "push configurations",
    [P.TaskPushNotificationConfig],
    ([config]) =>
      fits(
        "TaskPushNotificationConfig",
        encode(Old.TaskPushNotificationConfig)(Translation.pushTo03({ ...config, taskId: config.taskId ?? "t" }))
      ),
    runs
  )

  it("cards", () => fits("AgentCard", encode(AgentCard03)(cardTo03(Server.card))))
})

const how = { version: null } as const
const rpc = (method: string, params: unknown) => Http.rpc(method, params, how)
const message = (text: string, more: object = {}) => ({
  message: {
    ...Http.message(text).message,
    kind: "message",
    role: "user",
    parts: [{ kind: "text", text }],
    ...more
  }
})

layer(Layer.merge(Server.layer({ dialects: [RpcMethods03.make] }), Http.layer))(
  "answers of 0.3, by its schema",
  (it) => {
    it.effect.skipIf(!isThere)("to every method, and every error", () =>
      Effect.gen(function* () {
        fits("SendMessageSuccessResponse", (yield* rpc("message/send", message("hello"))).body)
        const sent = yield* rpc("message/send", message("ask"))
        fits("SendMessageSuccessResponse", sent.body)
        const id = Http.textAt(sent, "result.id")
        fits("GetTaskSuccessResponse", (yield* rpc("tasks/get", { id })).body)
        const config = {
          taskId: id,
          pushNotificationConfig: { url: "https://a.test/", authentication: { schemes: ["Bearer"] } }
        }
        const set = yield* rpc("tasks/pushNotificationConfig/set", config)
        fits("SetTaskPushNotificationConfigSuccessResponse", set.body)
        const pushNotificationConfigId = Http.textAt(set, "result.pushNotificationConfig.id")
        const one = yield* rpc("tasks/pushNotificationConfig/get", { id, pushNotificationConfigId })
        fits("GetTaskPushNotificationConfigSuccessResponse", one.body)
        fits(
          "ListTaskPushNotificationConfigSuccessResponse",
          (yield* rpc("tasks/pushNotificationConfig/list", { id })).body
        )
        const gone = yield* rpc("tasks/pushNotificationConfig/delete", { id, pushNotificationConfigId })
        fits("DeleteTaskPushNotificationConfigSuccessResponse", gone.body)
        fits("CancelTaskSuccessResponse", (yield* rpc("tasks/cancel", { id })).body)
        const card = yield* rpc("agent/getAuthenticatedExtendedCard", undefined)
        fits("GetAuthenticatedExtendedCardSuccessResponse", card.body)

        const streamed = yield* Http.events("/", Http.envelope("message/stream", message("chunks 3")), how)
        const events = yield* Stream.runCollect(streamed)
        assert.isAbove(events.length, 4)
        for (const { data } of events) fits("SendStreamingMessageSuccessResponse", data)

        for (const [method, params] of [
          ["message/send", { message: { parts: [] } }],
          ["message/send", message("busy")],
          ["message/send", message("die")],
          ["message/send", message("odd")],
          ["message/send", message("hello", { taskId: "none" })],
          ["tasks/get", { id: "none" }],
          ["tasks/cancel", { id }],
          ["tasks/nothing", {}]
        ] as const) {
          const answer = yield* rpc(method, params)
          assert.isNumber(Http.codeOf(answer), method)
          fits("JSONRPCErrorResponse", answer.body)
        }
      })
    )
  }
)
