/**
 * A message that answers another one, in the words of whoever asked.
 *
 * @module
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AnswerHead, InboxRow } from "../../services/platform/RelayQueue.ts"
import * as A2AEnvelope from "./a2aEnvelope.ts"
import { bodyText } from "./httpAnswers.ts"

const Part = Schema.Struct({ text: Schema.optionalKey(Schema.Json) })
const Message = Schema.Struct({
  role: Schema.optionalKey(Schema.Json),
  contextId: Schema.optionalKey(Schema.Json),
  parts: Schema.optionalKey(Schema.Array(Schema.Union([Part, Schema.Json])))
})
const Rpc = Schema.Struct({ params: Schema.Struct({ message: Message }) })
const Rest = Schema.Struct({ message: Message })
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Union([Rpc, Rest])))

const messageOf = (body: string) =>
  Option.map(decode(body), (found) => ("params" in found ? found.params.message : found.message))

const isPart = Schema.is(Schema.Struct({ text: Schema.String }))

/** The text parts of the message in a request, joined by newlines. */
export const textOf = (body: string): string =>
  Option.match(messageOf(body), {
    onNone: () => "",
    onSome: ({ parts = [] }) => parts.flatMap((part) => (isPart(part) ? [part.text] : [])).join("\n")
  })

/** Does the message in this request come from an agent, as an answer? */
export const isReply = (body: string): boolean =>
  Option.exists(messageOf(body), ({ role }) => role === "agent" || role === "ROLE_AGENT")

/** The answer to a request: a message with that text, in the request's version and binding, as a stream if it asked for one. */
export const answerTo = (
  { body, operation }: Pick<InboxRow, "body" | "operation">,
  reply: { readonly messageId: string; readonly text: string }
): { readonly head: AnswerHead; readonly body: string } => {
  const { messageId, text } = reply
  const contextId = Option.match(messageOf(body), {
    onNone: () => undefined,
    onSome: (message) => (typeof message.contextId === "string" ? message.contextId : undefined)
  })
  const context = contextId === undefined ? {} : { contextId }
  const isOld = operation.startsWith("message/")
  const result: Schema.Json = isOld
    ? { kind: "message", role: "agent", messageId, ...context, parts: [{ kind: "text", text }] }
    : { message: { messageId, role: "ROLE_AGENT", ...context, parts: [{ text }] } }
  const id = A2AEnvelope.rpcIdOf(body)
  const answer = operation.startsWith("/")
    ? bodyText(result)
    : A2AEnvelope.withRpcId(bodyText({ jsonrpc: "2.0", id: null, result }), id ?? "null")
  const isStream = /stream/i.test(operation)
  return {
    head: { status: 200, headers: { "content-type": isStream ? "text/event-stream" : "application/json" } },
    body: isStream ? `data: ${answer}\n\n` : answer
  }
}
