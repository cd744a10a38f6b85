/**
 * The methods of A2A 0.3 over JSON-RPC (its specification, section 7), with the names that 0.2 shares.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { GetExtendedAgentCardRequest } from "../../services/a2a/A2AHttpApi.ts"
import { A2AError, errors } from "../../services/a2a/A2AError.ts"
import { A2AOperations, type Call } from "../../services/a2a/A2AOperations.ts"
import type { StreamResponse } from "../../services/a2a/A2AProtocol.ts"
import { AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { AgentCard03, cardTo03 } from "../../services/a2a/AgentCard03.ts"
import * as Old from "../../services/a2a/Protocol03.ts"
import { extendedCard } from "./capabilities.ts"
import { detailsOf } from "./errorBodies.ts"
import { encoder, type EncodeItem, type RpcDialect, type RpcError, streaming, unary } from "./rpcDialect.ts"
import * as Translation from "./translation03.ts"

const encodeResult = encoder(Old.StreamResult)
const encodeItem: EncodeItem = (item: StreamResponse) => encodeResult(Translation.itemTo03(item))

/**
 * The numbers are those of 1.0; what 0.3 has no number for is an invalid request.
 */
const encodeError = (error: A2AError): RpcError => {
  const unknown = error.reason === "EXTENSION_SUPPORT_REQUIRED" || error.reason === "VERSION_NOT_SUPPORTED"
  return {
    code: unknown ? errors.INVALID_REQUEST.code : errors[error.reason].code,
    message: error.message,
    data: detailsOf(error)
  }
}

const noConfig = (taskId: string) =>
  new A2AError({
    reason: "TASK_NOT_FOUND",
    message: "Push notification configuration not found",
    metadata: { taskId }
  })

/** The dialect 0.3. */
export const make: Effect.Effect<RpcDialect, never, A2AOperations | AgentIdentity> = Effect.gen(function* () {
  const operations = yield* A2AOperations
  const identity = yield* AgentIdentity
  const Config = Old.TaskPushNotificationConfig

  const getConfig = Effect.fnUntraced(function* (call: Call, params: typeof Old.PushConfigParams.Type) {
    const { id: taskId, pushNotificationConfigId: id } = params
    if (id !== undefined) return Translation.pushTo03(yield* operations.getPushConfig(call, { taskId, id }))
    const [first] = (yield* operations.listPushConfigs(call, { taskId })).configs
    return first === undefined ? yield* noConfig(taskId) : Translation.pushTo03(first)
  })

  const remove = (call: Call, { id: taskId, pushNotificationConfigId: id }: typeof Old.PushConfigParams.Type) =>
    Effect.as(operations.deletePushConfig(call, { taskId, id: id ?? taskId }), null)

  return {
    version: "0.3",
    encodeError,
    methods: new Map([
      [
        "message/send",
        unary(Old.SendParams, Old.SendResult, (call, params) =>
          Effect.map(operations.sendMessage(call, Translation.sendFrom03(params)), Translation.answerTo03)
        )
      ],
      [
        "message/stream",
        streaming(Old.SendParams, encodeItem, (call, params) =>
          operations.streamMessage(call, Translation.sendFrom03(params))
        )
      ],
      [
        "tasks/get",
        unary(Old.TaskQueryParams, Old.Task, (call, params) =>
          Effect.map(operations.getTask(call, params), Translation.taskTo03)
        )
      ],
      [
        "tasks/cancel",
        unary(Old.TaskIdParams, Old.Task, (call, params) =>
          Effect.map(operations.cancelTask(call, params), Translation.taskTo03)
        )
      ],
      ["tasks/resubscribe", streaming(Old.TaskIdParams, encodeItem, operations.subscribe)],
      [
        "tasks/pushNotificationConfig/set",
        unary(Config, Config, (call, { pushNotificationConfig, taskId }) =>
          Effect.map(
            operations.createPushConfig(call, Translation.pushFrom03(pushNotificationConfig, taskId)),
            Translation.pushTo03
          )
        )
      ],
      ["tasks/pushNotificationConfig/get", unary(Old.PushConfigParams, Config, getConfig)],
      [
        "tasks/pushNotificationConfig/list",
        unary(Old.TaskIdParams, Schema.Array(Config), (call, { id: taskId }) =>
          Effect.map(operations.listPushConfigs(call, { taskId }), ({ configs }) => configs.map(Translation.pushTo03))
        )
      ],
      ["tasks/pushNotificationConfig/delete", unary(Old.PushConfigParams, Schema.Null, remove)],
      [
        "agent/getAuthenticatedExtendedCard",
        unary(GetExtendedAgentCardRequest, AgentCard03, () => Effect.map(extendedCard(identity), cardTo03))
      ]
    ])
  }
})
