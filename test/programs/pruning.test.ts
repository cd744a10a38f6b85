import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { DatabaseSync } from "node:sqlite"
import * as JournalCare from "../../src/layers/journal/journalCare.ts"
import * as JsonRpc from "../../src/services/a2a/JsonRpc.ts"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { projections } from "../support/journal.ts"
import { aPort, eventually, Machine, startPlatform, startWorkspace, temporaryDirectory } from "../support/processes.ts"

const Body = Schema.fromJsonString(JsonRpc.Response)

const call = Effect.fnUntraced(function* (url: string, method: string, params: Schema.Json) {
  const request = HttpClientRequest.post(url).pipe(
    HttpClientRequest.bodyText(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }), "application/json")
  )
  return yield* Schema.decodeEffect(Body)(yield* (yield* HttpClient.execute(request)).text)
})
const errorOf = (response: JsonRpc.Response) => ("error" in response ? response.error : assert.fail("no error"))

const withDatabase = <A>(file: string, use: (database: DatabaseSync) => A) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new DatabaseSync(file)),
    (database) => Effect.sync(() => use(database)),
    (database) => Effect.sync(() => database.close())
  )
const count = (file: string, what: string) =>
  withDatabase(file, (database) => Number(database.prepare(`SELECT COUNT(*) AS count FROM ${what}`).get()?.["count"]))

describe("pruning by the workspace program", () => {
  it.live(
    "a task that ended long ago goes, on the platform too, though the process is killed in the middle of it",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const port = yield* aPort
        const platform = yield* startPlatform(`${directory}/platform`, port)
        yield* Effect.gen(function* () {
          const { checkpoints, workspaces } = yield* PlatformClient
          const created = yield* workspaces.create({ payload: { name: "old", external: true } })
          const state = `${directory}/worker`
          const file = `${state}/workspace.db`
          const url = `http://127.0.0.1:${port + 1}/`
          const start = Effect.gen(function* () {
            const worker = yield* startWorkspace(platform.url, created, state, {
              MOLECULE_A2A_PORT: String(port + 1),
              MOLECULE_REQUIRE_CALLER_TOKEN: "false"
            })
            yield* eventually(Effect.filterOrFail(HttpClient.get(`${url}ready`), ({ status }) => status === 200))
            return worker
          })
          const stop = Effect.fnUntraced(function* (worker: Effect.Success<typeof start>, signal: NodeJS.Signals) {
            yield* worker.signal(signal)
            yield* worker.exitCode
          })
          const send = (text: string) => {
            const message = { kind: "message", role: "user", messageId: "m-1", parts: [{ kind: "text", text }] }
            return call(url, "message/send", { message })
          }

          const first = yield* start
          assert.isTrue("result" in (yield* send("hello")))
          const [taskId = ""] = yield* withDatabase(file, (database) =>
            database
              .prepare("SELECT task_id FROM tasks")
              .all()
              .map((row) => String(row["task_id"]))
          )
          const onPlatform = Effect.result(checkpoints.list({ params: { id: created.id, workflowId: taskId } }))
          yield* eventually(Effect.filterOrFail(onPlatform, (found) => found._tag === "Success"))
          yield* eventually(Effect.filterOrFail(count(file, "checkpoint_outbox"), (left) => left === 0))
          yield* stop(first, "SIGTERM")
          assert.strictEqual(yield* count(file, "tasks"), 1)

          // As if it had ended eight days ago.
          yield* withDatabase(file, (database) =>
            database.exec(
              "UPDATE tasks SET updated_at = updated_at - 8 * 86400000, created_at = created_at - 8 * 86400000"
            )
          )
          const second = yield* start
          yield* eventually(Effect.filterOrFail(count(file, "task_tombstones"), (stones) => stones === 1))
          yield* stop(second, "SIGKILL")
          assert.strictEqual(yield* count(file, "tasks"), 0)
          assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, [])

          const third = yield* start
          yield* eventually(
            Effect.filterOrFail(count(file, `streams WHERE name LIKE '${taskId}%'`), (left) => left === 0)
          )
          yield* eventually(Effect.filterOrFail(onPlatform, (found) => found._tag === "Failure"))
          assert.strictEqual(
            errorOf(yield* call(url, "tasks/get", { id: taskId })).code,
            JsonRpc.ErrorCode.TaskNotFound
          )
          assert.strictEqual(
            errorOf(yield* call(url, "tasks/resubscribe", { id: taskId })).code,
            JsonRpc.ErrorCode.TaskNotFound
          )
          const again = errorOf(yield* send("hello"))
          assert.match(JSON.stringify(again.data), new RegExp(`${taskId}, which is completed.*no longer kept`))
          const conflict = errorOf(yield* send("something else"))
          assert.match(JSON.stringify(conflict.data), /sent before with another content/)
          yield* stop(third, "SIGTERM")
          assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, [])
        }).pipe(Effect.provide(platform.client))
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    90_000
  )
})
