/**
 * What the card does not promise is refused, in every binding and version alike (specification section 3.3.4).
 *
 * @module
 */
import * as Effect from "effect/Effect"
import { A2AError } from "../../services/a2a/A2AError.ts"
import type { A2AOperations } from "../../services/a2a/A2AOperations.ts"
import type { SendMessageRequest } from "../../services/a2a/A2AProtocol.ts"
import type { AgentCard, AgentIdentity } from "../../services/a2a/AgentCard.ts"

type Operations = A2AOperations["Service"]

const noPush = new A2AError({
  reason: "PUSH_NOTIFICATION_NOT_SUPPORTED",
  message: "This agent sends no push notifications (capabilities.pushNotifications of its card)"
})
const noStreaming = new A2AError({
  reason: "UNSUPPORTED_OPERATION",
  message: "This agent does not stream (capabilities.streaming of its card): send the message, and ask for the task"
})

const wantsPush = ({ configuration }: SendMessageRequest) => configuration?.taskPushNotificationConfig !== undefined

/** The operations, less what the card does not promise. */
export const within = (operations: Operations, { capabilities }: AgentCard): Operations => {
  const pushes = capabilities.pushNotifications === true
  const streams = capabilities.streaming === true
  const refusePush = () => Effect.fail(noPush)
  const refuseStream = () => Effect.fail(noStreaming)
  return {
    ...operations,
    ...(pushes
      ? undefined
      : {
          sendMessage: (call, request) => (wantsPush(request) ? refusePush() : operations.sendMessage(call, request)),
          streamMessage: (call, request) =>
            wantsPush(request) ? refusePush() : operations.streamMessage(call, request),
          createPushConfig: refusePush,
          getPushConfig: refusePush,
          listPushConfigs: refusePush,
          deletePushConfig: refusePush
        }),
    ...(streams ? undefined : { streamMessage: refuseStream, subscribe: refuseStream })
  } satisfies Operations
}

/** The card for those who have authenticated, if there is one. */
export const extendedCard = ({ card, extendedCard }: AgentIdentity["Service"]): Effect.Effect<AgentCard, A2AError> => {
  if (card.capabilities.extendedAgentCard !== true) {
    return Effect.fail(
      new A2AError({
        reason: "UNSUPPORTED_OPERATION",
        message: "This agent has no extended card (capabilities.extendedAgentCard of its card)"
      })
    )
  }
  return extendedCard === undefined
    ? Effect.fail(
        new A2AError({ reason: "EXTENDED_AGENT_CARD_NOT_CONFIGURED", message: "The extended card is not configured" })
      )
    : Effect.succeed(extendedCard)
}
