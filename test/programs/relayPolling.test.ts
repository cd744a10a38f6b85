/**
 * An agent that comes for its messages, as a process: killed in the middle of its work, and told a mode that there is not.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { aPort, eventually, Machine, startPlatform, startWorkspace, temporaryDirectory } from "../support/processes.ts"

const Answer = Schema.fromJsonString(
  Schema.Struct({
    result: Schema.Struct({
      task: Schema.Struct({
        id: Schema.String,
        status: Schema.Struct({ state: Schema.String }),
        artifacts: Schema.Array(Schema.Struct({ parts: Schema.Array(Schema.Struct({ text: Schema.String })) }))
      })
    })
  })
)
const Listed = Schema.fromJsonString(Schema.Struct({ result: Schema.Struct({ totalSize: Schema.Int }) }))

describe("an agent that comes for its messages", () => {
  it.live("is killed with -9 at work: the caller's request completes, and the message is one task", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const directory = yield* temporaryDirectory
      const platform = yield* startPlatform(`${directory}/platform`, yield* aPort, {
        MOLECULE_PLATFORM_QUEUE_LEASE: "2 seconds"
      })
      const { workspaces } = yield* Effect.provide(PlatformClient, platform.client)
      const target = yield* workspaces.create({ payload: { name: "poller" } })
      // The first run of the command says that it is at work and goes on for ever; the second one answers.
      const mark = `${directory}/begun`
      const script = `if [ -e ${mark} ]; then cat; else touch ${mark}; sleep 600; fi`
      const settings = {
        MOLECULE_A2A_MODE: "poll",
        MOLECULE_A2A_PORT: String(yield* aPort),
        MOLECULE_EXECUTOR: "command",
        MOLECULE_COMMAND: JSON.stringify(["/bin/sh", "-c", script])
      }
      const begin = startWorkspace(platform.url, target, `${directory}/agent`, settings)
      const first = yield* begin
      const status = Effect.map(workspaces.get({ params: { id: target.id } }), (row) => row.status)
      yield* eventually(Effect.filterOrFail(status, (now) => now === "online"))

      const call = Effect.fnUntraced(function* (method: string, params: Schema.Json) {
        const response = yield* HttpClient.execute(
          HttpClientRequest.post(`${platform.url}/workspaces/${target.id}/a2a`).pipe(
            HttpClientRequest.setHeaders({ authorization: `Bearer ${platform.adminToken}`, "a2a-version": "1.0" }),
            HttpClientRequest.setBody(HttpBody.text(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })))
          )
        )
        return yield* response.text
      })
      const message = { message: { messageId: "m-1", role: "ROLE_USER", parts: [{ text: "hello" }] } }
      const ask = Effect.flatMap(call("SendMessage", message), Schema.decodeUnknownEffect(Answer))
      const asking = yield* Effect.forkChild(ask)

      yield* eventually(Effect.filterOrFail(files.exists(mark), (is) => is))
      yield* first.signal("SIGKILL")
      assert.strictEqual(yield* first.exitCode, -1)
      assert.isUndefined(asking.pollUnsafe())
      const second = yield* begin
      const { result } = yield* Fiber.join(asking).pipe(
        Effect.timeout("30 seconds"),
        Effect.tapError(() => Effect.flatMap(second.output, (text) => Effect.logError(text)))
      )
      assert.strictEqual(result.task.status.state, "TASK_STATE_COMPLETED")
      assert.deepStrictEqual(result.task.artifacts[0]?.parts, [{ text: "hello" }])
      // The same message again is the same task, and there is no other.
      assert.strictEqual((yield* ask).result.task.id, result.task.id)
      const listed = yield* Effect.flatMap(call("ListTasks", {}), Schema.decodeUnknownEffect(Listed))
      assert.strictEqual(listed.result.totalSize, 1)
    }).pipe(Effect.scoped, Effect.provide(Machine))
  )

  it.live("is told which modes there are, if it is given another", () =>
    Effect.gen(function* () {
      const id = "bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"
      const started = yield* startWorkspace("http://127.0.0.1:9", { id }, yield* temporaryDirectory, {
        MOLECULE_A2A_MODE: "sometimes"
      })
      assert.strictEqual(yield* started.exitCode, 1)
      const said = yield* eventually(Effect.filterOrFail(started.output, (text) => text.includes("MOLECULE_A2A_MODE")))
      assert.match(said, /listen[^]*poll/)
    }).pipe(Effect.scoped, Effect.provide(Machine))
  )
})
