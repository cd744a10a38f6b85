/**
 * The methods of A2A 1.0 over JSON-RPC (specification section 9.4).
 *
 * @module
 */
import * as Effect from "effect/Effect"
import { Empty, GetExtendedAgentCardRequest, SubscribeRequest } from "../../services/a2a/A2AHttpApi.ts"
import { A2AOperations } from "../../services/a2a/A2AOperations.ts"
import * as P from "../../services/a2a/A2AProtocol.ts"
import { AgentCard, AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { extendedCard } from "./capabilities.ts"
import { rpcErrorOf } from "./errorBodies.ts"
import { encoder, type RpcDialect, streaming, unary } from "./rpcDialect.ts"

/** Writes an item of a stream. */
export const encodeItem = encoder(P.StreamResponse)

/** The dialect 1.0. */
export const make: Effect.Effect<RpcDialect, never, A2AOperations | AgentIdentity> = Effect.gen(function* () {
  const operations = yield* A2AOperations
  const identity = yield* AgentIdentity
  const Config = P.TaskPushNotificationConfig
  return {
    version: "1.0",
    encodeError: rpcErrorOf,
    methods: new Map([
      ["SendMessage", unary(P.SendMessageRequest, P.SendMessageResponse, operations.sendMessage)],
      ["SendStreamingMessage", streaming(P.SendMessageRequest, encodeItem, operations.streamMessage)],
      ["GetTask", unary(P.GetTaskRequest, P.Task, operations.getTask)],
      ["ListTasks", unary(P.ListTasksRequest, P.ListTasksResponse, operations.listTasks)],
      ["CancelTask", unary(P.CancelTaskRequest, P.Task, operations.cancelTask)],
      ["SubscribeToTask", streaming(SubscribeRequest, encodeItem, operations.subscribe)],
      ["CreateTaskPushNotificationConfig", unary(Config, Config, operations.createPushConfig)],
      ["GetTaskPushNotificationConfig", unary(P.PushConfigRequest, Config, operations.getPushConfig)],
      [
        "ListTaskPushNotificationConfigs",
        unary(P.ListPushConfigsRequest, P.ListPushConfigsResponse, operations.listPushConfigs)
      ],
      [
        "DeleteTaskPushNotificationConfig",
        unary(P.PushConfigRequest, Empty, (call, request) => Effect.as(operations.deletePushConfig(call, request), {}))
      ],
      ["GetExtendedAgentCard", unary(GetExtendedAgentCardRequest, AgentCard, () => extendedCard(identity))]
    ])
  }
})
