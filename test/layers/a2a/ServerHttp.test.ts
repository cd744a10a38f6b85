import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RpcMethod } from "../../../src/layers/a2a/rpcDialect.ts"
import { A2AError } from "../../../src/services/a2a/A2AError.ts"
import {
  ask,
  at,
  codeOf,
  envelope,
  layer as Client,
  listAt,
  message,
  reasonOf,
  rpc,
  send,
  textAt,
  violationsOf
} from "../../support/a2aHttp.ts"
import * as Server from "../../support/a2aServer.ts"

const server = (options?: Server.Options) => Layer.mergeAll(Server.layer(options), Client)

/** A stand-in for 0.3: another version with a method of its own and errors in its own words. */
const old: NonNullable<Server.Options["dialects"]> = [
  Effect.succeed({
    version: "0.3",
    methods: new Map<string, RpcMethod>([
      ["message/send", () => Effect.succeed({ _tag: "Value" as const, json: '{"kind":"message"}' })],
      ["tasks/get", () => Effect.fail(new A2AError({ reason: "TASK_NOT_FOUND", message: "Task not found" }))]
    ]),
    encodeError: (error) => ({ code: -1, message: `old: ${error.message}` })
  })
]

layer(server())("JSON-RPC", (it) => {
  it.effect("answers with a message or a task under the request's id, as application/json", () =>
    Effect.gen(function* () {
      const said = yield* ask("/", envelope("SendMessage", message("hello"), "one"))
      assert.strictEqual(said.status, 200)
      assert.strictEqual(said.headers["content-type"], "application/json")
      assert.deepInclude(said.body, { jsonrpc: "2.0", id: "one" })
      assert.deepStrictEqual(at(said, "result.message.parts"), [{ text: "hello" }])
      const task = yield* rpc("SendMessage", message("task"))
      assert.strictEqual(at(task, "result.task.status.state"), "TASK_STATE_COMPLETED")
      assert.deepStrictEqual(at(task, "result.task.artifacts"), [{ artifactId: "a", parts: [{ text: "done" }] }])
    })
  )

  it.effect("push configurations are made, read, listed and deleted, twice if need be", () =>
    Effect.gen(function* () {
      const taskId = textAt(yield* rpc("SendMessage", message("task")), "result.task.id")
      const made = at(yield* rpc("CreateTaskPushNotificationConfig", { taskId, url: "https://x.test/" }), "result")
      const id = textAt({ body: made }, "id")
      assert.deepStrictEqual(made, { id, taskId, url: "https://x.test/" })
      assert.deepStrictEqual(at(yield* rpc("GetTaskPushNotificationConfig", { taskId, id }), "result"), made)
      const list = yield* rpc("ListTaskPushNotificationConfigs", { taskId })
      assert.deepStrictEqual(at(list, "result"), { configs: [made], nextPageToken: "" })
      for (const _ of [1, 2]) {
        assert.deepStrictEqual(at(yield* rpc("DeleteTaskPushNotificationConfig", { taskId, id }), "result"), {})
      }
      assert.strictEqual(codeOf(yield* rpc("GetTaskPushNotificationConfig", { taskId, id })), -32001)
    })
  )

  it.effect("pitfall 8: gets, lists and cancels tasks; newest first, nextPageToken is empty on the last page", () =>
    Effect.gen(function* () {
      const how = { token: "lister" }
      const held = { ...message("hold", { contextId: "list" }), configuration: { returnImmediately: true } }
      const ids: Array<string> = []
      for (const _ of [1, 2, 3]) ids.push(textAt(yield* rpc("SendMessage", held, how), "result.task.id"))
      const one = yield* rpc("ListTasks", { contextId: "list", pageSize: 2 }, how)
      const [first, second] = listAt(one, "result.tasks").map((body) => at({ body }, "id"))
      assert.deepStrictEqual([first, second], [ids[2], ids[1]])
      assert.isUndefined(at(one, "result.tasks.0.artifacts"))
      const pageToken = at(one, "result.nextPageToken")
      const two = yield* rpc("ListTasks", { pageSize: 2, pageToken }, how)
      assert.deepInclude(at(two, "result"), { nextPageToken: "", pageSize: 2, totalSize: 3 })
      const cancelled = yield* rpc("CancelTask", { id: ids[0] }, how)
      assert.strictEqual(at(cancelled, "result.status.state"), "TASK_STATE_CANCELED")
      assert.strictEqual(codeOf(yield* rpc("CancelTask", { id: ids[0] }, how)), -32002)
      const got = yield* rpc("GetTask", { id: ids[0], historyLength: 0 }, how)
      assert.strictEqual(at(got, "result.id"), ids[0])
      assert.isUndefined(at(got, "result.history"))
    })
  )

  it.effect("pitfall 12: what is not yours and what is not there are the same answer, byte for byte", () =>
    Effect.gen(function* () {
      const id = textAt(yield* rpc("SendMessage", message("task"), { token: "alice" }), "result.task.id")
      const get = (taskId: string) => rpc("GetTask", { id: taskId }, { token: "mallory" })
      const theirs = yield* get(id)
      const none = yield* get("t-none")
      assert.strictEqual(reasonOf(theirs), "TASK_NOT_FOUND")
      assert.strictEqual(theirs.text.replaceAll(id, "?"), none.text.replaceAll("t-none", "?"))
    })
  )

  it.effect(
    "pitfall 7: malformed JSON is HTTP 200 with -32700; so are bytes that are not UTF-8 and JSON that is too deep",
    () =>
      Effect.gen(function* () {
        for (const body of [
          "{",
          "",
          "nonsense",
          '{"jsonrpc": "2.0",}',
          "[".repeat(100_000),
          `{"a":${"[".repeat(200)}${"]".repeat(200)}}`
        ]) {
          const answer = yield* ask("/", body)
          assert.strictEqual(answer.status, 200, body.slice(0, 20))
          assert.strictEqual(codeOf(answer), -32700, body.slice(0, 20))
          assert.deepInclude(answer.body, { jsonrpc: "2.0", id: null })
        }
      })
  )

  it.effect("an envelope that is none is -32600, with the id if there is one", () =>
    Effect.gen(function* () {
      for (const body of [
        1,
        null,
        "x",
        {},
        [],
        [envelope("GetTask", { id: "x" })],
        { jsonrpc: "1.0", method: "GetTask" }
      ]) {
        const answer = yield* ask("/", JSON.stringify(body))
        assert.strictEqual(codeOf(answer), -32600, JSON.stringify(body))
        assert.deepInclude(answer.body, { id: null })
      }
      for (const params of [1, "x", null]) {
        const answer = yield* ask("/", envelope("GetTask", params, 7))
        assert.strictEqual(codeOf(answer), -32600)
        assert.deepInclude(answer.body, { id: 7 })
        assert.deepInclude(violationsOf(answer), "params")
      }
      const batch = yield* ask("/", [envelope("GetTask", { id: "x" })])
      assert.include(textAt(batch, "error.message"), "batches are not supported")
    })
  )

  it.effect("unknown methods are -32601, parameters that are wrong -32602 with the fields' paths", () =>
    Effect.gen(function* () {
      assert.strictEqual(codeOf(yield* rpc("NoSuchMethod", {})), -32601)
      assert.strictEqual(codeOf(yield* rpc("constructor", {})), -32601)
      const wrong = yield* rpc("SendMessage", {
        message: { messageId: "m", role: "ROLE_USER", parts: [{ raw: "not base64!" }] },
        configuration: { historyLength: -1 }
      })
      assert.strictEqual(codeOf(wrong), -32602)
      assert.includeMembers([...violationsOf(wrong)], ["message.parts[0].raw", "configuration.historyLength"])
      const none = yield* rpc("SendMessage", { message: { messageId: "m", role: "ROLE_USER", parts: [] } })
      assert.include(String(violationsOf(none)[0]), "message.parts")
      assert.deepStrictEqual(violationsOf(yield* rpc("GetTask")), ["id"])
      assert.strictEqual(codeOf(yield* rpc("GetTask", ["by", "position"])), -32602)
      const many = yield* rpc("SendMessage", {
        message: { messageId: "m", role: "ROLE_USER", parts: Array.from({ length: 1000 }, () => ({ text: 1 })) }
      })
      assert.isBelow(many.text.length, 20_000)
      for (const violation of listAt(many, "error.data.1.fieldViolations")) {
        assert.notInclude(textAt({ body: violation }, "description"), "\n")
      }
    })
  )

  it.effect("unknown fields are ignored", () =>
    Effect.gen(function* () {
      const { message: one } = message("hello", { somethingNew: { a: 1 } })
      const answer = yield* rpc("SendMessage", { message: one, another: [] })
      assert.isUndefined(codeOf(answer))
    })
  )

  it.effect("a notification is done, and answered with nothing", () =>
    Effect.gen(function* () {
      const { id: _, ...notification } = envelope("SendMessage", message("task", { contextId: "told" }))
      const answer = yield* ask("/", notification, { token: "teller" })
      assert.deepStrictEqual([answer.status, answer.text], [204, ""])
      const told = yield* rpc("ListTasks", { contextId: "told" }, { token: "teller" })
      assert.strictEqual(at(told, "result.totalSize"), 1)
      const wrong = yield* ask("/", { jsonrpc: "2.0", method: "GetTask", params: {} })
      assert.deepStrictEqual([wrong.status, wrong.text], [204, ""])
      const answered = yield* ask("/", envelope("GetTask", {}, null))
      assert.deepInclude(answered.body, { id: null })
    })
  )

  it.effect("too much to do is 429, shutting down 503, both with Retry-After and -32050", () =>
    Effect.gen(function* () {
      const busy = yield* rpc("SendMessage", message("busy"))
      assert.deepStrictEqual([busy.status, busy.headers["retry-after"], codeOf(busy)], [429, "3", -32050])
      const down = yield* rpc("SendMessage", message("down"))
      assert.deepStrictEqual([down.status, down.headers["retry-after"], codeOf(down)], [503, "7", -32050])
    })
  )

  it.effect("a defect is -32603 and tells nothing of itself; an answer that is none is -32006", () =>
    Effect.gen(function* () {
      const died = yield* rpc("SendMessage", message("die"))
      assert.deepStrictEqual([died.status, codeOf(died)], [200, -32603])
      assert.notInclude(died.text, "scripted defect")
      assert.strictEqual(codeOf(yield* rpc("SendMessage", message("odd"))), -32006)
    })
  )

  it.effect("a token that is not good is 401 with a challenge", () =>
    Effect.gen(function* () {
      const answer = yield* rpc("SendMessage", message("hello"), { token: "forged" })
      assert.deepStrictEqual([answer.status, answer.headers["www-authenticate"]], [401, "Bearer"])
      assert.strictEqual(codeOf(answer), -32600)
    })
  )

  it.effect("a body that is no JSON by its content type is -32005; JSON has many names", () =>
    Effect.gen(function* () {
      for (const type of ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]) {
        const answer = yield* ask("/", envelope("GetExtendedAgentCard"), { headers: { "content-type": type } })
        assert.deepStrictEqual([answer.status, codeOf(answer)], [200, -32005], type)
      }
      for (const type of ["application/json; charset=utf-8", "application/a2a+json", "APPLICATION/JSON"]) {
        const answer = yield* ask("/", envelope("GetExtendedAgentCard"), { headers: { "content-type": type } })
        assert.isUndefined(codeOf(answer), type)
      }
      const packed = yield* ask("/", envelope("ListTasks"), { headers: { "content-encoding": "gzip" } })
      assert.strictEqual(codeOf(packed), -32005)
    })
  )

  it.effect("other methods than POST are 405; the answer to a known method says so", () =>
    Effect.gen(function* () {
      const got = yield* ask("/", undefined)
      assert.deepStrictEqual([got.status, got.headers["allow"]], [405, "POST"])
    })
  )

  it.effect("the extended card is the one that is configured", () =>
    Effect.gen(function* () {
      const answer = yield* rpc("GetExtendedAgentCard")
      assert.strictEqual(at(answer, "result.description"), Server.extendedCard.description)
    })
  )

  it.effect("echoes the extensions that it activates, and only these", () =>
    Effect.gen(function* () {
      const { uri } = Server.card.capabilities.extensions?.[0] ?? assert.fail("none")
      const some = yield* rpc("ListTasks", {}, { headers: { "a2a-extensions": `https://no.test/x, ${uri}` } })
      assert.strictEqual(some.headers["a2a-extensions"], uri)
      const none = yield* rpc("ListTasks", {}, { headers: { "a2a-extensions": "https://no.test/x" } })
      assert.isUndefined(none.headers["a2a-extensions"])
    })
  )
})

describe("versions over JSON-RPC (pitfall 6)", () => {
  const both = server({ dialects: old, rpcPaths: ["/", "/a2a"] })

  it.effect("pitfall 6: absent and empty are 0.3, patch numbers do not count, the header goes before the query", () =>
    Effect.gen(function* () {
      const result = (how: Parameters<typeof ask>[2], method: string, path = "/") =>
        Effect.map(ask(path, envelope(method, { id: "x" }), how), (answer) => codeOf(answer) ?? "result")
      assert.strictEqual(yield* result({ version: null }, "message/send"), "result")
      assert.strictEqual(yield* result({ version: "" }, "message/send"), "result")
      assert.strictEqual(yield* result({ version: "0.3" }, "message/send"), "result")
      assert.strictEqual(yield* result({ version: "0.3.7" }, "message/send"), "result")
      assert.strictEqual(yield* result({ version: "1.0" }, "message/send"), -32601)
      assert.strictEqual(yield* result({ version: "1.0" }, "GetTask"), -32001)
      assert.strictEqual(yield* result({ version: "1.0.1" }, "GetTask"), -32001)
      assert.strictEqual(yield* result({ version: null }, "GetTask", "/?A2A-Version=1.0"), -32001)
      assert.strictEqual(yield* result({ version: "1.0" }, "GetTask", "/?a2a-version=0.3"), -32001)
      // In the words of the version that was asked for.
      assert.strictEqual(yield* result({ version: null }, "tasks/get"), -1)
    }).pipe(Effect.provide(both))
  )

  it.effect("a method of another version says which header it wants, and is not answered", () =>
    Effect.gen(function* () {
      const answer = yield* rpc("SendMessage", message("hello"), { version: null })
      assert.include(textAt(answer, "error.message"), "A2A-Version: 1.0")
    }).pipe(Effect.provide(both))
  )

  it.effect("an unknown version is VersionNotSupported", () =>
    Effect.gen(function* () {
      for (const version of ["2.0", "0.2", "1", "1.0-beta", "x".repeat(500)]) {
        const answer = yield* rpc("GetTask", { id: "x" }, { version })
        assert.deepStrictEqual(
          [answer.status, codeOf(answer), reasonOf(answer)],
          [200, -32009, "VERSION_NOT_SUPPORTED"]
        )
        assert.deepInclude(answer.body, { id: 1 })
        assert.isBelow(answer.text.length, 500)
      }
    }).pipe(Effect.provide(server({ dialects: old, assumedVersion: "1.0" })))
  )

  it.effect("what a request without the header gets is configuration; clients of 0.3 are known by their methods", () =>
    Effect.gen(function* () {
      assert.strictEqual(codeOf(yield* rpc("GetTask", { id: "x" }, { version: null })), -32001)
      assert.isUndefined(codeOf(yield* rpc("message/send", {}, { version: null })))
      assert.strictEqual(codeOf(yield* rpc("message/send", {}, { version: "1.0" })), -32601)
    }).pipe(Effect.provide(server({ dialects: old, assumedVersion: "1.0" })))
  )

  it.effect("without 0.3, a request without the header is VersionNotSupported", () =>
    Effect.gen(function* () {
      assert.strictEqual(codeOf(yield* rpc("GetTask", { id: "x" }, { version: null })), -32009)
    }).pipe(Effect.provide(server()))
  )

  it.effect("answers with and without a slash at the end", () =>
    Effect.gen(function* () {
      for (const path of ["/", "", "/a2a", "/a2a/"]) {
        const answer = yield* ask(path, envelope("GetTask", { id: "x" }))
        assert.strictEqual(codeOf(answer), -32001, path)
      }
    }).pipe(Effect.provide(both))
  )
})

describe("capabilities (section 3.3.4)", () => {
  const bare = { ...Server.card, capabilities: {} }

  it.effect("pitfall 10: what the card does not promise is refused, push with HTTP 400 and ErrorInfo", () =>
    Effect.gen(function* () {
      const config = { taskId: "t", id: "p", url: "https://x.test/" }
      for (const method of ["Create", "Get", "List", "Delete"]) {
        const name = `${method}TaskPushNotificationConfig${method === "List" ? "s" : ""}`
        assert.strictEqual(reasonOf(yield* rpc(name, config)), "PUSH_NOTIFICATION_NOT_SUPPORTED", name)
      }
      const within = { ...message("task"), configuration: { taskPushNotificationConfig: { url: "https://x.test/" } } }
      assert.strictEqual(codeOf(yield* rpc("SendMessage", within)), -32003)
      assert.strictEqual(codeOf(yield* rpc("SendStreamingMessage", message("task"))), -32004)
      assert.strictEqual(codeOf(yield* rpc("SubscribeToTask", { id: "t" })), -32004)
      assert.strictEqual(codeOf(yield* rpc("GetExtendedAgentCard")), -32004)
      const listed = yield* ask("/tasks/t/pushNotificationConfigs", undefined)
      assert.deepStrictEqual([listed.status, reasonOf(listed)], [400, "PUSH_NOTIFICATION_NOT_SUPPORTED"])
      const rest = yield* ask("/message:stream", message("task"))
      assert.deepInclude(at(rest, "error"), { code: 400, status: "FAILED_PRECONDITION" })
    }).pipe(Effect.provide(server({ card: bare })))
  )

  it.effect("an extended card that is promised and not configured is -32007", () =>
    Effect.gen(function* () {
      assert.strictEqual(codeOf(yield* rpc("GetExtendedAgentCard")), -32007)
    }).pipe(Effect.provide(server({ extendedCard: null })))
  )

  it.effect("an extension that is required has to be activated", () =>
    Effect.gen(function* () {
      const missing = yield* rpc("GetTask", { id: "x" })
      assert.deepStrictEqual([codeOf(missing), reasonOf(missing)], [-32008, "EXTENSION_SUPPORT_REQUIRED"])
      const rest = yield* ask("/tasks", undefined)
      assert.strictEqual(rest.status, 400)
      const headers = { "A2A-Extensions": "https://x.test/must" }
      assert.strictEqual(codeOf(yield* rpc("GetTask", { id: "x" }, { headers })), -32001)
      assert.strictEqual(
        codeOf(yield* rpc("GetTask", { id: "x" }, { headers: { "X-A2A-Extensions": "https://x.test/must" } })),
        -32001
      )
    }).pipe(
      Effect.provide(
        server({ card: { ...bare, capabilities: { extensions: [{ uri: "https://x.test/must", required: true }] } } })
      )
    )
  )
})

describe("limits", () => {
  it.effect("a body that is too large is 413, with a length and without", () =>
    Effect.gen(function* () {
      const large = yield* rpc("SendMessage", message("x".repeat(2000)))
      assert.deepStrictEqual([large.status, codeOf(large)], [413, -32600])
      const rest = yield* ask("/message:send", message("x".repeat(2000)))
      assert.deepStrictEqual([rest.status, at(rest, "error.status")], [413, "OUT_OF_RANGE"])
      assert.strictEqual((yield* send("/", envelope("GetTask", { id: "x" }))).status, 200)
    }).pipe(Effect.provide(server({ maxBodyBytes: 1000 })))
  )
})
