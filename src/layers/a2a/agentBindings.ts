/**
 * A2A's operations as requests of JSON-RPC and of HTTP+JSON, and the errors in their answers.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { A2AError, errors, FieldViolation, Reason } from "../../services/a2a/A2AError.ts"
import { fill, mediaType, type Operation, routes } from "../../services/a2a/A2AHttpApi.ts"
import type { AgentInterface } from "../../services/a2a/AgentCard.ts"
import { AgentUnauthorized, AgentUnreachable, InvalidAgentResponse } from "../../services/a2a/AgentClient.ts"
import { type Request, retryAfter, shown } from "./agentHttp.ts"

type Fields = Readonly<Record<string, unknown>>

/** An answer's body or an event's data, understood. */
export type Said = Result.Result<unknown, A2AError | AgentUnauthorized | AgentUnreachable | InvalidAgentResponse>

/** How operations are put over HTTP. */
export interface Binding {
  readonly request: (
    operation: Operation,
    fields: Fields,
    headers: Readonly<Record<string, string>>
  ) => Omit<Request, "secrets">
  /** The result in an answer. */
  readonly answer: (reply: {
    readonly status: number
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly text: string
  }) => Said
  /** The result in an event of a stream. */
  readonly event: (data: string) => Said
}

/** Changes to names and objects, for agents that speak A2A 0.3. */
export interface Dialect {
  readonly method: (operation: Operation) => string
  readonly params: (operation: Operation, fields: Fields) => unknown
}

const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)
const text = (value: unknown) => (Predicate.isString(value) ? value : "")
const parse = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const isReason = Schema.is(Reason)
const isViolation = Schema.is(FieldViolation)

// Of those that share a number the first is meant.
const reasons = new Map<unknown, Reason>()
for (const reason of Reason.literals) if (!reasons.has(errors[reason].code)) reasons.set(errors[reason].code, reason)

// By HTTP's status, where nothing else says it. 404 may be a wrong address as well as a wrong task.
const statuses: ReadonlyMap<number, Reason> = new Map([
  [400, "INVALID_REQUEST"],
  [413, "TOO_LARGE"],
  [415, "CONTENT_TYPE_NOT_SUPPORTED"],
  [429, "BUSY"],
  [500, "INTERNAL"],
  [501, "UNSUPPORTED_OPERATION"],
  [503, "UNAVAILABLE"]
])

type Headers = Readonly<Record<string, string | undefined>>

// An error's details: `google.rpc.ErrorInfo` and `google.rpc.BadRequest`, wherever they are in the list.
const detailsOf = (details: unknown) => {
  const found = (Array.isArray(details) ? details : []).filter(isFields)
  const info = found.find((detail) => text(detail["@type"]).endsWith("google.rpc.ErrorInfo"))
  const request = found.find((detail) => text(detail["@type"]).endsWith("google.rpc.BadRequest"))
  const metadata = isFields(info?.["metadata"])
    ? Object.fromEntries(
        Object.entries(info["metadata"]).filter((entry): entry is [string, string] => Predicate.isString(entry[1]))
      )
    : {}
  const violations: ReadonlyArray<unknown> = Array.isArray(request?.["fieldViolations"])
    ? request["fieldViolations"]
    : []
  return { reason: info?.["reason"], metadata, violations: violations.filter(isViolation) }
}

const wireError = (error: Fields, details: unknown, fallback: Reason | undefined, headers: Headers) => {
  const { metadata, reason, violations } = detailsOf(details)
  const known = isReason(reason) ? reason : fallback
  const seconds = retryAfter(headers)
  // What has no name that we know keeps its own.
  const unknown = {
    ...(text(reason) && { reason: text(reason) }),
    ...(known === undefined && { code: String(error["code"]) })
  }
  const all = { ...metadata, ...(isReason(reason) ? undefined : unknown) }
  return new A2AError({
    reason: known ?? "INTERNAL",
    message: text(error["message"]) || (known ?? "the agent gave an error without a message"),
    ...(Object.keys(all).length > 0 && { metadata: all }),
    ...(violations.length > 0 && { fieldViolations: violations }),
    ...(seconds !== undefined && { retryAfter: seconds })
  })
}

// The first line of a page that is no JSON, so that a person sees what has answered.
const excerpt = (content: string) => {
  const parsed = parse(content)
  // What proxies say, ours included.
  const error = Result.isSuccess(parsed) && isFields(parsed.success) ? parsed.success["error"] : undefined
  if (Predicate.isString(error)) return error
  const line = content.replace(/\s+/g, " ").trim().slice(0, 120)
  return line === "" ? "nothing" : line
}

// An answer that is no A2A error although it went wrong, by its status.
const httpError = (url: string, status: number, headers: Headers, content: string) => {
  const reason = statuses.get(status)
  if (status === 502 || status === 504) return new AgentUnreachable({ url, detail: `HTTP ${status}`, sent: true })
  if (reason === undefined) return new InvalidAgentResponse({ url, detail: `HTTP ${status}, ${excerpt(content)}` })
  return wireError({ message: `HTTP ${status}: ${excerpt(content)}` }, [], reason, headers)
}

const unauthorized = (url: string, status: number, error: unknown) =>
  new AgentUnauthorized({ url, status, detail: text(isFields(error) ? error["message"] : error) || "no reason given" })

const isUnauthorized = (status: number) => status === 401 || status === 403

/** JSON-RPC 2.0: one address, the operation by its method. */
export const jsonRpc = (at: AgentInterface, dialect: Dialect): Binding => {
  const url = shown(at.url)
  const no = (detail: string) => Result.fail(new InvalidAgentResponse({ url, detail }))

  const envelope = (value: unknown, status: number, headers: Headers, content: string): Said => {
    const error = isFields(value) ? value["error"] : undefined
    if (isUnauthorized(status)) return Result.fail(unauthorized(url, status, error))
    if (isFields(value) && isFields(error)) {
      const { code, data } = error
      return Result.fail(wireError(error, data, reasons.get(code), headers))
    }
    if (status >= 300) return Result.fail(httpError(url, status, headers, content))
    return isFields(value) && "result" in value
      ? Result.succeed(value["result"])
      : no(`it is not JSON-RPC: ${excerpt(content)}`)
  }

  return {
    request: (operation, fields, headers) => ({
      method: "POST",
      url: at.url,
      headers,
      body: {
        type: "application/json",
        json: {
          jsonrpc: "2.0",
          id: operation,
          method: dialect.method(operation),
          params: dialect.params(operation, fields)
        }
      }
    }),
    answer: ({ headers, status, text: content }) =>
      Result.match(parse(content), {
        onFailure: () => envelope(undefined, status, headers, content),
        onSuccess: (value) => envelope(value, status, headers, content)
      }),
    event: (data) =>
      Result.match(parse(data), {
        onFailure: () => no(`an event is not JSON: ${excerpt(data)}`),
        onSuccess: (value) => envelope(value, 200, {}, data)
      })
  }
}

// Ids, numbers, flags: nothing else goes into an address.
const plain = (value: unknown) =>
  Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value) ? String(value) : ""

const query = (fields: Fields) => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) search.append(name, plain(value))
  return search.size === 0 ? "" : `?${search.toString()}`
}

/** HTTP+JSON: the operation by its method and path. */
export const httpJson = (at: AgentInterface): Binding => {
  const url = shown(at.url)
  const base = at.url.replace(/[?#].*$/, "").replace(/\/+$/, "")

  const failure = (body: unknown, status: number, headers: Headers, content: string) => {
    const error = isFields(body) ? body["error"] : undefined
    if (isUnauthorized(status)) return unauthorized(url, status, error)
    return isFields(error)
      ? wireError(error, error["details"], statuses.get(status), headers)
      : httpError(url, status, headers, content)
  }

  return {
    request: (operation, fields, headers) => {
      const { method, path } = routes[operation]
      const { tenant, ...others } = fields
      const { path: filled, rest } = fill(path, others)
      const place = `${base}${Predicate.isString(tenant) ? `/${encodeURIComponent(tenant)}` : ""}${filled}`
      if (method === "POST") {
        const json = Predicate.isString(tenant) ? { ...rest, tenant } : rest
        return { method, url: place, headers, body: { type: mediaType, json } }
      }
      return { method, url: `${place}${query(rest)}`, headers }
    },
    answer: ({ headers, status, text: content }) =>
      Result.match(parse(content), {
        onFailure: (): Said => {
          if (status >= 300) return Result.fail(failure(undefined, status, headers, content))
          if (content.trim() === "") return Result.succeed({})
          return Result.fail(new InvalidAgentResponse({ url, detail: `it is not JSON: ${excerpt(content)}` }))
        },
        onSuccess: (body) =>
          status >= 300 ? Result.fail(failure(body, status, headers, content)) : Result.succeed(body)
      }),
    event: (data) =>
      Result.match(parse(data), {
        onFailure: (): Said =>
          Result.fail(new InvalidAgentResponse({ url, detail: `an event is not JSON: ${excerpt(data)}` })),
        onSuccess: (body) => {
          const error = isFields(body) ? body["error"] : undefined
          if (!isFields(error)) return Result.succeed(body)
          const { code } = error
          return Result.fail(failure(body, Predicate.isNumber(code) ? code : 500, {}, data))
        }
      })
  }
}
