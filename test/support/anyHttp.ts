/**
 * Requests that nobody should send: any JSON in any place, and HTTP that is none. All from one seed.
 */
import * as Random from "effect/Random"
import type * as Effect from "effect/Effect"

/** What is sent, byte for byte. */
export interface Shot {
  readonly bytes: Buffer
  /** Whether it is HTTP: then the answer has to be in the form of the binding, and cannot be Node's own. */
  readonly wellFormed: boolean
  readonly path: string
}

/** Numbers from a seed: mulberry32. */
export const generator = (seed: number) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  const one = <A>(all: readonly [A, ...ReadonlyArray<A>]): A => all[below(all.length)] ?? all[0]
  const chance = (probability: number) => next() < probability
  return { below, one, chance }
}
type Generator = ReturnType<typeof generator>

const strings = [
  "",
  "a",
  "hello",
  "task",
  "chunks 3",
  "ask",
  "0",
  "-1",
  "t-1",
  "TASK_STATE_WORKING",
  "ROLE_USER",
  "\u0000",
  "ü💥",
  "\ud800",
  "__proto__",
  "constructor",
  "2025-10-28T10:30:00Z",
  "https://x.test/",
  "x".repeat(300),
  "../..",
  "%00",
  "$ne"
] as const
const names = [
  "message",
  "messageId",
  "role",
  "parts",
  "text",
  "raw",
  "url",
  "data",
  "metadata",
  "id",
  "taskId",
  "contextId",
  "configuration",
  "historyLength",
  "returnImmediately",
  "taskPushNotificationConfig",
  "pageSize",
  "pageToken",
  "status",
  "tenant",
  "jsonrpc",
  "method",
  "params",
  "__proto__",
  "toString",
  "",
  "kind"
] as const

/** Any JSON, not very deep. */
const json = (g: Generator, depth = 0): unknown => {
  switch (g.below(depth > 4 ? 6 : 8)) {
    case 0:
      return null
    case 1:
      return g.chance(0.5)
    case 2:
      return g.one([0, -1, 1, 1.5, 1e308, -0, 2 ** 53, 50, 101])
    case 3:
    case 4:
    case 5:
      return g.one(strings)
    case 6:
      return Array.from({ length: g.below(4) }, () => json(g, depth + 1))
    default:
      return Object.fromEntries(Array.from({ length: g.below(5) }, () => [g.one(names), json(g, depth + 1)]))
  }
}

/** The same JSON with something in it changed, left out or added. */
const spoilt = (g: Generator, value: unknown): unknown => {
  if (g.chance(0.05)) return json(g)
  if (Array.isArray(value)) {
    const at = g.below(value.length + 1)
    return g.chance(0.3)
      ? [...value, json(g)]
      : value.map((item: unknown, index) => (index === at ? spoilt(g, item) : item))
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
    const at = g.below(entries.length + 1)
    if (g.chance(0.2)) return Object.fromEntries(entries.filter((_, index) => index !== at))
    if (g.chance(0.2)) return { ...value, [g.one(names)]: json(g) }
    return Object.fromEntries(entries.map(([key, item], index) => [key, index === at ? spoilt(g, item) : item]))
  }
  return g.chance(0.5) ? json(g) : value
}

const rpcMethods = [
  "SendMessage",
  "SendStreamingMessage",
  "GetTask",
  "ListTasks",
  "CancelTask",
  "SubscribeToTask",
  "CreateTaskPushNotificationConfig",
  "GetTaskPushNotificationConfig",
  "ListTaskPushNotificationConfigs",
  "DeleteTaskPushNotificationConfig",
  "GetExtendedAgentCard",
  "message/send",
  "constructor"
] as const

let counter = 0
const params = (g: Generator): unknown => ({
  message: {
    messageId: `m-${++counter}`,
    role: "ROLE_USER",
    parts: [{ text: g.one(["hello", "task", "chunks 3", "ask"]) }]
  },
  configuration: { historyLength: g.below(3), returnImmediately: g.chance(0.5) },
  id: `t-${g.below(50)}`,
  taskId: `t-${g.below(50)}`,
  url: "https://x.test/"
})

const paths = [
  "/",
  "/message:send",
  "/message:stream",
  "/tasks",
  "/tasks/t-1",
  "/tasks/t-1:cancel",
  "/tasks/t-1:subscribe",
  "/tasks/t-1/pushNotificationConfigs",
  "/tasks/t-1/pushNotificationConfigs/p",
  "/extendedAgentCard",
  "/acme/tasks",
  "/nothing",
  "//",
  "/tasks/%2e%2e/x",
  "/tasks?pageSize=x&pageSize=y",
  "/tasks?__proto__=1&historyLength=1",
  "/tasks/:cancel",
  "/?A2A-Version=1.0",
  "/*",
  "/tasks/*"
] as const
/** Paths that are asked by GET. */
const reads = /^\/(?:tasks(?:$|\?|\/t-1(?:$|\/push\w+\/p))|extended|acme)/
const methods = ["POST", "POST", "POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"] as const
const versions = ["0.3", "", "9.9", "1.0.0", "x"] as const
const types = [
  "application/a2a+json",
  "application/json; charset=utf-16",
  "text/plain",
  "multipart/form-data",
  ""
] as const

const request = (method: string, path: string, headers: ReadonlyArray<string>, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([`${method} ${path} HTTP/1.1`, "host: a.test", ...headers, "", ""].join("\r\n"), "latin1"),
    body
  ])

const headersOf = (g: Generator): ReadonlyArray<string> => [
  "connection: close",
  `a2a-version: ${g.chance(0.9) ? "1.0" : g.one(versions)}`,
  ...(g.chance(0.9) ? [`content-type: ${g.chance(0.85) ? "application/json" : g.one(types)}`] : []),
  ...(g.chance(0.2)
    ? [
        `a2a-extensions: ${g.one(["", ",", "https://no.test", "https://molecule.ai/a2a/extensions/stream-resumption/v1"])}`
      ]
    : []),
  ...(g.chance(0.1) ? [`last-event-id: ${g.one(["e-1", "e-x", "", "-1"])}`] : []),
  ...(g.chance(0.1)
    ? [`authorization: ${g.one(["Bearer forged", "Bearer", "Basic x", "Bearer a b", "Bearer alice"])}`]
    : [])
]

/** Something that is HTTP, whatever it says. */
const sensible = (g: Generator): Shot => {
  const rpc = g.chance(0.5)
  const path = rpc ? "/" : g.one(paths)
  const valid = rpc ? { jsonrpc: "2.0", id: 1, method: g.one(rpcMethods), params: params(g) } : params(g)
  const value = g.chance(0.3) ? valid : g.chance(0.1) ? json(g) : spoilt(g, valid)
  const text = JSON.stringify(value) ?? ""
  const plain = () => Buffer.from(text)
  const body = (
    g.chance(0.85)
      ? plain
      : g.one([
          () => Buffer.from(text.slice(0, g.below(text.length + 1))),
          () => Buffer.from(text, "utf16le"),
          () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]),
          () => Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0xc0])]),
          () => Buffer.from("[".repeat(g.below(30_000))),
          () =>
            Buffer.from(
              `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"data":${'{"a":'.repeat(9000)}1${"}".repeat(9000)}}]}}}`
            ),
          () => Buffer.alloc(0)
        ])
  )()
  const method = rpc || (g.chance(0.8) && !reads.test(path)) ? "POST" : g.chance(0.8) ? "GET" : g.one(methods)
  const framing = g.chance(0.8) ? [`content-length: ${body.length}`] : ["transfer-encoding: chunked"]
  const framed =
    framing[0] === "transfer-encoding: chunked"
      ? Buffer.concat([
          ...(body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]),
          Buffer.from("0\r\n\r\n")
        ])
      : body
  return { bytes: request(method, path, [...headersOf(g), ...framing], framed), wellFormed: true, path }
}

/** Something that only looks like HTTP. */
const senseless = (g: Generator): Shot => {
  const path = g.one(paths)
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: "x" } }))
  const headers = ["connection: close", "a2a-version: 1.0", "content-type: application/json"]
  const bytes = g.one([
    () => request("POST", path, [...headers, `content-length: ${body.length + 10}`], body),
    () => request("POST", path, [...headers, `content-length: ${g.below(body.length)}`], body),
    () =>
      request(
        "POST",
        path,
        [...headers, `content-length: ${g.one(["-1", "x", "1e3", "99999999999999999999", "0x10", ""])}`],
        body
      ),
    () => request("POST", path, [...headers, "content-length: 5", "content-length: 6"], body),
    () => request("POST", path, [...headers, "content-length: 5", "transfer-encoding: chunked"], body),
    () => request("POST", path, [...headers, "transfer-encoding: chunked"], Buffer.from("zz\r\nabc\r\n")),
    () => request("POST", path, [...headers, "transfer-encoding: chunked"], Buffer.from("ffffff\r\nabc")),
    () => request("POST", path, [...headers, "transfer-encoding: gzip"], body),
    () => request("POST", path, [...headers, `x-long: ${"x".repeat(20_000)}`, `content-length: ${body.length}`], body),
    () => request("POST", path, [...headers, ...Array.from({ length: 3000 }, (_, index) => `x-${index}: 1`)], body),
    () =>
      request(
        g.one(["FOO", "post", "PROPFIND", "TRACE", "CONNECT", "", "\u0000"]),
        path,
        [...headers, `content-length: ${body.length}`],
        body
      ),
    () =>
      request(
        "POST",
        g.one([
          "/%",
          "/%ff",
          "/tasks/%zz",
          "/tasks/%e0%a4%a",
          "/\u0000",
          "tasks",
          "http://other.test/tasks",
          "*",
          `/${"x".repeat(9000)}`,
          "/tasks/\u00ff"
        ]),
        [...headers, `content-length: ${body.length}`],
        body
      ),
    () => request("POST", path, [...headers, "expect: 100-continue", `content-length: ${body.length}`], body),
    () => request("POST", path, [...headers, "expect: 200-maybe", `content-length: ${body.length}`], body),
    () =>
      request(
        "GET",
        path,
        ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: x"],
        Buffer.alloc(0)
      ),
    () => Buffer.from(`POST ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`),
    () => Buffer.from(`POST ${path} HTTP/9.9\r\nhost: a\r\n\r\n`),
    () => Buffer.from(`POST ${path}\r\n\r\n`),
    () => Buffer.from("\r\n\r\n\r\n"),
    () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
    () => Buffer.from(Array.from({ length: g.below(200) }, () => g.below(256))),
    () => request("POST", path, ["bad header", "x\u0001: y"], body),
    () => request("POST", path, headers, Buffer.alloc(0)).subarray(0, g.below(100))
  ])()
  return { bytes, wellFormed: false, path }
}

/** The next request. */
export const shot = (g: Generator): Shot => (g.chance(0.75) ? sensible(g) : senseless(g))

/** A seed, where none is given. */
export const anySeed: Effect.Effect<number> = Random.nextIntBetween(0, 2 ** 31)
