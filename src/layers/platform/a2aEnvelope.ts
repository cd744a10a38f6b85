/**
 * What the proxy makes of a message before it sends it on.
 *
 * @module
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"

declare global {
  // Since Node 21; not in TypeScript's ES2024.
  interface JSON {
    rawJSON(text: string): unknown
  }
}

type JsonObject = Readonly<Record<string, unknown>>

// A number that JavaScript cannot hold exactly keeps its spelling, so that it arrives as it was sent.
const keepBigNumbers = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && context?.source !== undefined && JSON.stringify(value) !== context.source
    ? JSON.rawJSON(context.source)
    : value

const parse = (text: string) => Result.try((): unknown => JSON.parse(text))
const parseExactly = (text: string) => Result.try((): unknown => JSON.parse(text, keepBigNumbers))

const isObject = (value: unknown): value is JsonObject => Predicate.isObject(value) && !Array.isArray(value)

const objectOf = (text: string, read = parse): JsonObject | undefined => {
  const parsed = read(text)
  return Result.isSuccess(parsed) && isObject(parsed.success) ? parsed.success : undefined
}

const withMessageId = (params: unknown, messageId: string) => {
  if (!isObject(params) || !isObject(params["message"]) || Object.hasOwn(params["message"], "messageId"))
    return undefined
  return { ...params, message: { ...params["message"], messageId } }
}

/** What a request is about, as far as the relay has to know. */
export interface Subject {
  /** The JSON-RPC method, or the path over HTTP+JSON; empty where there is neither. */
  readonly operation: string
  /** There if the request hands the agent a message that can be told from all others. */
  readonly message: { readonly id: string; readonly contextId: string | undefined } | undefined
}

/** The methods that hand an agent a message, in both versions. */
const messageMethods = new Set(["message/send", "message/stream", "SendMessage", "SendStreamingMessage"])

/** The same over HTTP+JSON; before it a version or a tenant may stand. */
const messagePath = /\/message:(?:send|stream)$/

const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined)

const messageOf = (params: unknown): Subject["message"] => {
  const message = isObject(params) ? params["message"] : undefined
  const id = isObject(message) ? textOf(message["messageId"]) : undefined
  return id === undefined || !isObject(message) ? undefined : { id, contextId: textOf(message["contextId"]) }
}

/** A JSON-RPC body, ready to be sent, and what it is about. */
export interface Envelope {
  readonly text: string
  readonly subject: Subject
}

/**
 * The text to send and what it is about, or `None` if what was given is no JSON object.
 *
 * **Details**
 *
 * A body without `jsonrpc` is wrapped into a request with the id `ids.request`; a message without `messageId` gets
 * `ids.message`. Where neither is needed the text goes on exactly as it came.
 */
export const normalise = (
  text: string,
  ids: { readonly request: string; readonly message: string }
): Option.Option<Envelope> => {
  const body = objectOf(text)
  if (body === undefined) return Option.none()
  const operation = textOf(body["method"]) ?? ""
  const complete = withMessageId(body["params"], ids.message)
  const message = messageMethods.has(operation) ? messageOf(complete ?? body["params"]) : undefined
  const envelope = (sent: string) => Option.some<Envelope>({ text: sent, subject: { operation, message } })
  const isRpc = Object.hasOwn(body, "jsonrpc")
  if (isRpc && complete === undefined) return envelope(text)
  // What is written anew keeps its numbers as they were spelled.
  const exact = objectOf(text, parseExactly) ?? body
  const params = withMessageId(exact["params"], ids.message) ?? exact["params"] ?? null
  return envelope(
    JSON.stringify(
      isRpc ? { ...exact, params } : { jsonrpc: "2.0", id: ids.request, method: exact["method"] ?? null, params }
    )
  )
}

/** What a request over HTTP+JSON is about; `path` is without its query. */
export const subjectOfPath = (path: string, text: string): Subject => ({
  operation: path,
  message: messagePath.test(path) ? messageOf(objectOf(text)) : undefined
})

/** The id of a JSON-RPC request as it is spelled, for answers that are given to another one; undefined if there is none. */
export const rpcIdOf = (text: string): string | undefined => {
  const body = objectOf(text, parseExactly)
  return body === undefined || !Object.hasOwn(body, "jsonrpc") || !Object.hasOwn(body, "id")
    ? undefined
    : JSON.stringify(body["id"])
}

/** The text of a JSON-RPC answer with another id; any other text as it is. */
export const withRpcId = (text: string, id: string): string => {
  const body = objectOf(text, parseExactly)
  return body === undefined || !Object.hasOwn(body, "jsonrpc") || !Object.hasOwn(body, "id")
    ? text
    : JSON.stringify({ ...body, id: JSON.rawJSON(id) })
}

/** Is the text an answer of JSON-RPC with an error in it? */
export const isRpcError = (text: string): boolean => {
  const body = objectOf(text)
  return body !== undefined && Object.hasOwn(body, "jsonrpc") && isObject(body["error"])
}

/** Is the text a JSON object? */
export const isObjectText = (text: string): boolean => objectOf(text) !== undefined

/** The `error` of a JSON object, if it is a text. */
export const errorText = (text: string): string | undefined => {
  const error = objectOf(text)?.["error"]
  return typeof error === "string" ? error : undefined
}
