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

const parse = (text: string) => Result.try((): unknown => JSON.parse(text, keepBigNumbers))

const isObject = (value: unknown): value is JsonObject => Predicate.isObject(value) && !Array.isArray(value)

const withMessageId = (params: unknown, messageId: string) => {
  if (!isObject(params) || !isObject(params["message"]) || Object.hasOwn(params["message"], "messageId"))
    return undefined
  return { ...params, message: { ...params["message"], messageId } }
}

/**
 * The text to send, or `None` if what was given is no JSON object.
 *
 * **Details**
 *
 * A body without `jsonrpc` is wrapped into a request with the id `ids.request`; a message without `messageId` gets
 * `ids.message`. Where neither is needed the text goes on exactly as it came.
 */
export const normalise = (
  text: string,
  ids: { readonly request: string; readonly message: string }
): Option.Option<string> => {
  const parsed = parse(text)
  if (Result.isFailure(parsed) || !isObject(parsed.success)) return Option.none()
  const body = parsed.success
  const params = withMessageId(body["params"], ids.message)
  if (Object.hasOwn(body, "jsonrpc"))
    return Option.some(params === undefined ? text : JSON.stringify({ ...body, params }))
  return Option.some(
    JSON.stringify({
      jsonrpc: "2.0",
      id: ids.request,
      method: body["method"] ?? null,
      params: params ?? body["params"] ?? null
    })
  )
}

/** Is the text an answer of JSON-RPC with an error in it? */
export const isRpcError = (text: string): boolean => {
  const parsed = parse(text)
  return (
    Result.isSuccess(parsed) &&
    isObject(parsed.success) &&
    Object.hasOwn(parsed.success, "jsonrpc") &&
    isObject(parsed.success["error"])
  )
}

/** The `error` of a JSON object, if it is a text. */
export const errorText = (text: string): string | undefined => {
  const parsed = parse(text)
  const error = Result.isSuccess(parsed) && isObject(parsed.success) ? parsed.success["error"] : undefined
  return typeof error === "string" ? error : undefined
}
