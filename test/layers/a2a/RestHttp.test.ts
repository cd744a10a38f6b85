import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fill, routes } from "../../../src/services/a2a/A2AHttpApi.ts"
import {
  ask,
  at,
  codeOf,
  layer as Client,
  listAt,
  message,
  reasonOf,
  rpc,
  textAt,
  violationsOf
} from "../../support/a2aHttp.ts"
import * as Server from "../../support/a2aServer.ts"

const server = (options?: Server.Options) => Layer.mergeAll(Server.layer(options), Client)

layer(server())("HTTP+JSON", (it) => {
  it.effect("sends a message, gets, lists and cancels tasks, as application/a2a+json", () =>
    Effect.gen(function* () {
      const how = { token: "rest" }
      const said = yield* ask("/message:send", message("hello"), how)
      assert.deepStrictEqual([said.status, said.headers["content-type"]], [200, "application/a2a+json"])
      assert.deepStrictEqual(at(said, "message.parts"), [{ text: "hello" }])
      const held = { ...message("hold"), configuration: { returnImmediately: true } }
      const id = textAt(yield* ask("/message:send", held, how), "task.id")
      const got = yield* ask(`/tasks/${id}?historyLength=0`, undefined, how)
      assert.deepInclude(got.body, { id })
      assert.isUndefined(at(got, "history"))
      const list = yield* ask(
        "/tasks?pageSize=1&includeArtifacts=true&status=TASK_STATE_WORKING&contextId=",
        undefined,
        how
      )
      assert.deepInclude(list.body, { nextPageToken: "", pageSize: 1, totalSize: 1 })
      assert.deepStrictEqual(at(list, "tasks.0.artifacts"), [])
      const cancelled = yield* ask(`/tasks/${id}:cancel`, "", { ...how, method: "POST" })
      assert.strictEqual(at(cancelled, "status.state"), "TASK_STATE_CANCELED")
      const again = yield* ask(`/tasks/${id}:cancel`, { metadata: { why: "again" } }, how)
      assert.deepStrictEqual(
        [again.status, at(again, "error.status"), reasonOf(again)],
        [400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"]
      )
    })
  )

  it.effect("answers as application/json to who asks for that only, and takes it", () =>
    Effect.gen(function* () {
      const plain = yield* ask("/tasks", undefined, { headers: { accept: "application/json" } })
      assert.strictEqual(plain.headers["content-type"], "application/json")
      const both = yield* ask("/tasks", undefined, { headers: { accept: "application/json, application/a2a+json" } })
      assert.strictEqual(both.headers["content-type"], "application/a2a+json")
      for (const type of ["application/a2a+json", "application/json"]) {
        const sent = yield* ask("/message:send", message("hello"), { headers: { "content-type": type } })
        assert.strictEqual(sent.status, 200, type)
      }
      const other = yield* ask("/message:send", message("hello"), { headers: { "content-type": "text/xml" } })
      assert.deepStrictEqual([other.status, reasonOf(other)], [400, "CONTENT_TYPE_NOT_SUPPORTED"])
    })
  )

  it.effect("push configurations: made, read, listed, deleted", () =>
    Effect.gen(function* () {
      const id = textAt(yield* ask("/message:send", message("task")), "task.id")
      const path = `/tasks/${id}/pushNotificationConfigs`
      const made = yield* ask(path, { url: "https://x.test/", taskId: "of no matter" })
      assert.deepInclude(made.body, { taskId: id, url: "https://x.test/" })
      const one = `${path}/${textAt(made, "id")}`
      assert.deepStrictEqual((yield* ask(one, undefined)).body, made.body)
      assert.deepStrictEqual((yield* ask(path, undefined)).body, { configs: [made.body], nextPageToken: "" })
      for (const _ of [1, 2]) {
        const deleted = yield* ask(one, undefined, { method: "DELETE" })
        assert.deepStrictEqual([deleted.status, deleted.body], [200, {}])
      }
      assert.strictEqual((yield* ask(one, undefined)).status, 404)
    })
  )

  it.effect("errors are google.rpc.Status with the table's numbers", () =>
    Effect.gen(function* () {
      const none = yield* ask("/tasks/none", undefined)
      assert.strictEqual(none.status, 404)
      assert.deepStrictEqual(at(none, "error"), {
        code: 404,
        status: "NOT_FOUND",
        message: "Task not found",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "TASK_NOT_FOUND",
            domain: "a2a-protocol.org",
            metadata: { taskId: "none" }
          }
        ]
      })
      const wrong = yield* ask(
        "/tasks?pageSize=150&historyLength=-5&status=TASK_STATE_RUNNING&includeArtifacts=yes",
        undefined
      )
      assert.deepStrictEqual([wrong.status, at(wrong, "error.status")], [400, "INVALID_ARGUMENT"])
      assert.sameMembers([...violationsOf(wrong)], ["pageSize", "historyLength", "status", "includeArtifacts"])
      const twice = yield* ask("/tasks?pageSize=1&pageSize=2", undefined)
      assert.deepStrictEqual(violationsOf(twice), ["pageSize"])
      for (const body of ["{", "[]", "1", '"x"']) {
        const bad = yield* ask("/message:send", body)
        assert.strictEqual(bad.status, 400, body)
      }
      const busy = yield* ask("/message:send", message("busy"))
      assert.deepStrictEqual(
        [busy.status, busy.headers["retry-after"], at(busy, "error.status")],
        [429, "3", "RESOURCE_EXHAUSTED"]
      )
      const down = yield* ask("/message:send", message("down"))
      assert.deepStrictEqual([down.status, at(down, "error.status")], [503, "UNAVAILABLE"])
      const died = yield* ask("/message:send", message("die"))
      assert.deepStrictEqual([died.status, at(died, "error.status")], [500, "INTERNAL"])
      assert.notInclude(died.text, "scripted defect")
      const forged = yield* ask("/tasks", undefined, { token: "forged" })
      assert.deepStrictEqual([forged.status, forged.headers["www-authenticate"]], [401, "Bearer"])
    })
  )

  it.effect("unknown paths are 404, known ones with another method 405, all in the binding's form", () =>
    Effect.gen(function* () {
      for (const path of [
        "/nothing",
        "/tasks/a/b",
        "/message:sendx",
        "/message",
        "/other/tasks",
        "/tasks/a/pushNotificationConfigs/b/c"
      ]) {
        const answer = yield* ask(path, undefined)
        assert.deepStrictEqual([answer.status, at(answer, "error.code")], [404, 404], path)
      }
      const cases = [
        ["GET", "/message:send", "POST"],
        ["DELETE", "/tasks/a", "GET"],
        ["PUT", "/tasks", "GET"],
        ["PUT", "/tasks/a/pushNotificationConfigs", "POST, GET"]
      ] as const
      for (const [method, path, allow] of cases) {
        const answer = yield* ask(path, undefined, { method })
        assert.deepStrictEqual([answer.status, answer.headers["allow"]], [405, allow], path)
      }
    })
  )

  it.effect("ids in paths are taken apart before they are decoded, and may be long", () =>
    Effect.gen(function* () {
      for (const id of ["a/b", "a:cancel", "ü ö", "100%", "a+b&c", "x".repeat(255)]) {
        const answer = yield* ask(fill(routes.GetTask.path, { id }).path, undefined)
        assert.deepStrictEqual([answer.status, at(answer, "error.details.0.metadata.taskId")], [404, id])
      }
      const long = yield* ask(`/tasks/${"x".repeat(300)}`, undefined)
      assert.deepStrictEqual([long.status, violationsOf(long)], [400, ["id"]])
    })
  )

  it.effect("serves the tenants that the card names, and no others", () =>
    Effect.gen(function* () {
      const sent = yield* ask("/acme/message:send", message("hello"))
      assert.strictEqual(sent.status, 200)
      assert.strictEqual((yield* ask("/acme/tasks", undefined)).status, 200)
      assert.strictEqual((yield* ask("/acme/tasks/none", undefined)).status, 404)
      assert.strictEqual((yield* ask("/other/message:send", message("hello"))).status, 404)
    })
  )

  it.effect("the extended card, and the same tasks as over JSON-RPC", () =>
    Effect.gen(function* () {
      const extended = yield* ask("/extendedAgentCard", undefined)
      assert.strictEqual(at(extended, "description"), Server.extendedCard.description)
      const id = textAt(yield* rpc("SendMessage", message("task")), "result.task.id")
      assert.deepStrictEqual((yield* ask(`/tasks/${id}`, undefined)).body, at(yield* rpc("GetTask", { id }), "result"))
      assert.isAbove(listAt(yield* ask("/tasks", undefined), "tasks").length, 0)
    })
  )
})

describe("versions over HTTP+JSON", () => {
  it.effect("it is 1.0 only: absent is 0.3 and refused, unless configured otherwise", () =>
    Effect.gen(function* () {
      for (const version of [null, "", "0.3", "2.0"]) {
        const answer = yield* ask("/tasks", undefined, { version })
        assert.deepStrictEqual([answer.status, codeOf(answer), reasonOf(answer)], [400, 400, "VERSION_NOT_SUPPORTED"])
      }
      assert.strictEqual((yield* ask("/tasks?A2A-Version=1.0", undefined, { version: null })).status, 200)
      assert.strictEqual((yield* ask("/tasks", undefined, { version: "1.0.9" })).status, 200)
    }).pipe(Effect.provide(server()))
  )

  it.effect("and then absent is 1.0", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask("/tasks", undefined, { version: null })).status, 200)
      assert.strictEqual((yield* ask("/tasks", undefined, { version: "0.3" })).status, 400)
    }).pipe(Effect.provide(server({ assumedVersion: "1.0" })))
  )
})
