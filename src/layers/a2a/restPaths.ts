/**
 * Which operation a method and a path of HTTP+JSON mean, and which fields of the request they hold.
 *
 * @module
 */
import { fieldsOf, type Operation, routes } from "../../services/a2a/A2AHttpApi.ts"

/** What a path means. */
export type Match =
  | { readonly _tag: "Found"; readonly operation: Operation; readonly fields: Readonly<Record<string, string>> }
  | { readonly _tag: "OtherMethods"; readonly allowed: ReadonlyArray<string> }
  | { readonly _tag: "Unknown" }

interface Served {
  readonly operation: Operation
  readonly methods: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  readonly pattern: RegExp
}

// A name in braces is one segment of the path. A verb behind it (`:cancel`) is not a part of it.
const patternOf = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "([^/]+?)")}/?$`)

const operations: ReadonlyArray<Operation> = [
  "SendMessage",
  "SendStreamingMessage",
  "ListTasks",
  "CancelTask",
  "SubscribeToTask",
  "GetTask",
  "CreateTaskPushNotificationConfig",
  "ListTaskPushNotificationConfigs",
  "GetTaskPushNotificationConfig",
  "DeleteTaskPushNotificationConfig",
  "GetExtendedAgentCard"
]

const served = operations.map((operation): Served => {
  const { alsoMethods = [], method, path } = routes[operation]
  return { operation, methods: [method, ...alsoMethods], names: fieldsOf(path), pattern: patternOf(path) }
})

// What is asked for most has no names in its path, and needs no search.
const literal = new Map(
  served
    .filter(({ names }) => names.length === 0)
    .map((one) => [`${one.methods[0]} ${routes[one.operation].path}`, one.operation])
)
const noFields = {}

// A query parser never throws: what is not percent-encoded UTF-8 becomes an id that nothing has.
const decodeSegment = (text: string) =>
  text.includes("%")
    ? (new URLSearchParams(`v=${text.replaceAll("+", "%2B").replaceAll("&", "%26")}`).get("v") ?? text)
    : text

/** Finds the operation; verbs come first, so that `GET /tasks/a:subscribe` is not a task called `a:subscribe`. */
export const match = (method: string, path: string): Match => {
  const known = literal.get(`${method} ${path}`)
  if (known !== undefined) return { _tag: "Found", operation: known, fields: noFields }
  const allowed = new Set<string>()
  for (const { methods, names, operation, pattern } of served) {
    const found = pattern.exec(path)
    if (found === null) continue
    if (methods.includes(method)) {
      const fields = Object.fromEntries(names.map((name, index) => [name, decodeSegment(found[index + 1] ?? "")]))
      return { _tag: "Found", operation, fields }
    }
    for (const one of methods) allowed.add(one)
  }
  return allowed.size === 0 ? { _tag: "Unknown" } : { _tag: "OtherMethods", allowed: Array.from(allowed) }
}
