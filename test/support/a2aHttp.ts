/**
 * Plain HTTP to an A2A server, as tests of the bindings want it: what is sent and what comes back, undecoded.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Sse from "effect/encoding/Sse"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** How a request is sent. */
export interface How {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "HEAD"
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string
  /** `A2A-Version`; `null` for none. 1.0 unless set. */
  readonly version?: string | null
}

const json = Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown))

/** The client that the functions here need. */
export const layer = NodeHttpClient.layerUndici

/** Sends a body (JSON, or text as it stands) to a path. */
export const send = Effect.fnUntraced(function* (path: string, body: unknown, how: How = {}) {
  const { address } = yield* HttpServer.HttpServer
  const { headers, method = body === undefined ? "GET" : "POST", token, version = "1.0" } = how
  const request = HttpClientRequest.make(method)(`${HttpServer.formatAddress(address)}${path}`).pipe(
    body === undefined
      ? (same) => same
      : HttpClientRequest.bodyText(typeof body === "string" ? body : JSON.stringify(body), "application/json"),
    HttpClientRequest.setHeaders({
      ...(version === null ? undefined : { "a2a-version": version }),
      ...(token === undefined ? undefined : { authorization: `Bearer ${token}` }),
      ...headers
    })
  )
  return yield* HttpClient.execute(request)
})

/** As {@link send}, with the answer's status, headers and JSON. */
export const ask = Effect.fnUntraced(function* (path: string, body: unknown, how: How = {}) {
  const response = yield* send(path, body, how)
  const text = yield* response.text
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === "" || !(response.headers["content-type"] ?? "").includes("json") ? undefined : yield* json(text)
  }
})

/** A request in the envelope of JSON-RPC. */
export const envelope = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: "2.0", id, method, params })

/** Calls a method. */
export const rpc = (method: string, params?: unknown, how?: How) => ask("/", envelope(method, params), how)

/** The events of a stream, as they stand in it. */
export const events = Effect.fnUntraced(function* (path: string, body: unknown, how: How = {}) {
  const response = yield* send(path, body, how)
  return response.stream.pipe(
    Stream.decodeText,
    Stream.pipeThroughChannel(Sse.decode()),
    Stream.mapEffect((event) => Effect.map(json(event.data), (data) => ({ id: event.id, event: event.event, data })))
  )
})

let counter = 0
/** A message with a text, under a new id. */
export const message = (text: string, more: object = {}) => ({
  message: { messageId: `m-${++counter}`, role: "ROLE_USER", parts: [{ text }], ...more }
})

const step = (value: unknown, key: string): unknown =>
  Array.isArray(value) ? value[Number(key)] : Predicate.isObject(value) ? Reflect.get(value, key) : undefined

/** What is at a path of an answer, as in `result.tasks.0.id`; undefined where there is nothing. */
export const at = ({ body }: { readonly body?: unknown }, path: string): unknown => path.split(".").reduce(step, body)

/** The text at a path. */
export const textAt = (answer: { readonly body?: unknown }, path: string): string => String(at(answer, path))

/** The items at a path. */
export const listAt = (answer: { readonly body?: unknown }, path: string): ReadonlyArray<unknown> => {
  const list = at(answer, path)
  return Array.isArray(list) ? list : []
}

/** The error's number: JSON-RPC's, or the HTTP status in the body of HTTP+JSON. */
export const codeOf = (answer: { readonly body?: unknown }) => at(answer, "error.code")
/** The error's reason. */
export const reasonOf = (answer: { readonly body?: unknown }) =>
  at(answer, "error.data.0.reason") ?? at(answer, "error.details.0.reason")
/** The paths of the fields that are wrong. */
export const violationsOf = (answer: { readonly body?: unknown }): ReadonlyArray<unknown> =>
  [...listAt(answer, "error.data"), ...listAt(answer, "error.details")].flatMap((body) =>
    listAt({ body }, "fieldViolations").map((one) => at({ body: one }, "field"))
  )
