/**
 * The methods of A2A 1.0 over JSON-RPC (specification section 9.4).
 *
 * @module
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { Empty, GetExtendedAgentCardRequest, SubscribeRequest } from "../../services/a2a/A2AHttpApi.ts"
import type { A2AError } from "../../services/a2a/A2AError.ts"
import { A2AOperations } from "../../services/a2a/A2AOperations.ts"
import * as P from "../../services/a2a/A2AProtocol.ts"
import { AgentCard, AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { extendedCard } from "./capabilities.ts"
import { rpcErrorOf } from "./errorBodies.ts"
import { type EncodeItem, encoder, type RpcDialect, streaming, unary, unaryWith } from "./rpcDialect.ts"

const [statusUpdate, artifactUpdate, task, message] = P.StreamResponse.members
const encodeStatus = encoder(statusUpdate)
const encodeArtifact = encoder(artifactUpdate)
const encodeTask = encoder(task)
const encodeMessage = encoder(message)

/** Writes an item of a stream. Which of the four it is, is known: to try them all costs a quarter more. */
export const encodeItem: EncodeItem = (item) =>
  "artifactUpdate" in item
    ? encodeArtifact(item)
    : "statusUpdate" in item
      ? encodeStatus(item)
      : "task" in item
        ? encodeTask(item)
        : encodeMessage(item)

const [sentTask, sentMessage] = P.SendMessageResponse.members
const encodeSentTask = encoder(sentTask)
const encodeSentMessage = encoder(sentMessage)

/** Writes the answer to a message, likewise. */
export const encodeSent = (sent: P.SendMessageResponse): Exit.Exit<string, A2AError> =>
  "task" in sent ? encodeSentTask(sent) : encodeSentMessage(sent)

/** The dialect 1.0. */
export const make: Effect.Effect<RpcDialect, never, A2AOperations | AgentIdentity> = Effect.gen(function* () {
  const operations = yield* A2AOperations
  const identity = yield* AgentIdentity
  const Config = P.TaskPushNotificationConfig
  return {
    version: "1.0",
    encodeError: rpcErrorOf,
    methods: new Map([
      ["SendMessage", unaryWith(P.SendMessageRequest, encodeSent, operations.sendMessage)],
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
