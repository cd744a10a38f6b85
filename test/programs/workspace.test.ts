import { assert, describe, it } from "@effect/vitest"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as A2AClientPlatform from "../../src/layers/a2a/A2AClientPlatform.ts"
import { A2AClient } from "../../src/services/a2a/A2AClient.ts"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { aPort, eventually, Machine, startPlatform, startWorkspace, temporaryDirectory } from "../support/processes.ts"

// One platform and one workspace that runs `script`, for the length of a test.
const setup = Effect.fnUntraced(function* (script: string) {
  const directory = yield* temporaryDirectory
  const platform = yield* startPlatform(`${directory}/platform`, yield* aPort)
  const context = yield* Layer.build(A2AClientPlatform.layer.pipe(Layer.provideMerge(platform.client)))
  return yield* Effect.gen(function* () {
    const client = yield* PlatformClient
    const a2a = yield* A2AClient
    const created = yield* client.workspaces.create({ payload: { name: "worker", external: true } })
    const environment = {
      MOLECULE_EXECUTOR: "command",
      MOLECULE_COMMAND: JSON.stringify(["/bin/sh", "-c", script]),
      MOLECULE_COMMAND_KILL_GRACE: "100 millis"
    }
    const row = Effect.map(client.workspaces.list(), (rows) => rows.find(({ id }) => id === created.id))
    const start = startWorkspace(platform.url, created, `${directory}/worker`, environment)
    const online = (process: Effect.Success<typeof start>) =>
      eventually(Effect.filterOrFail(row, (found) => found?.status === "online")).pipe(
        Effect.tapError(() => Effect.flatMap(process.output, (text) => Effect.logError(text)))
      )
    const send = (text: string) =>
      a2a.exchange({ target: created.id, messageId: text, contextId: "c", text, timeout: Duration.seconds(30) })
    return { directory, client, created, row, start, online, send }
  }).pipe(Effect.provideContext(context))
})

// A killed orphan may stay a zombie where the machine's first process does not reap: it runs no more.
const alive = (pid: number) =>
  ChildProcess.make("ps", ["-o", "stat=", "-p", String(pid)]).pipe(
    (command) => Effect.flatMap(ChildProcessSpawner, (spawner) => spawner.string(command)),
    Effect.map((state) => state.trim() !== "" && !state.trim().startsWith("Z"))
  )

describe("the workspace program", () => {
  it.live(
    "keeps its token in a 0600 file in a 0700 directory, and obeys nobody but the platform",
    () =>
      Effect.gen(function* () {
        const { created, directory, online, row, send, start } = yield* setup("cat")
        const files = yield* FileSystem.FileSystem
        const worker = yield* start
        yield* online(worker)
        const path = `${directory}/worker`
        assert.strictEqual((yield* files.stat(path)).mode & 0o777, 0o700)
        const token = yield* eventually(files.stat(`${path}/token`))
        assert.strictEqual(token.mode & 0o777, 0o600)
        assert.strictEqual(yield* files.readFileString(`${path}/token`), created.connection?.auth_token)

        const url = (yield* row)?.url ?? ""
        const body = JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "message/send",
          params: { message: { role: "user", messageId: "x", parts: [{ text: "rm -rf /" }] } }
        })
        const direct = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText(body, "application/json"))
        assert.strictEqual((yield* HttpClient.execute(direct)).status, 401)
        const own = direct.pipe(HttpClientRequest.bearerToken(created.connection?.auth_token ?? ""))
        assert.strictEqual((yield* HttpClient.execute(own)).status, 401)
        assert.deepInclude(yield* send("through the platform"), { state: "completed", text: "through the platform" })

        const second = yield* start
        assert.notStrictEqual(yield* second.exitCode, 0)
        assert.include(yield* second.output, `process ${worker.pid}`)
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "on SIGTERM it refuses new work, finishes what runs, and says goodbye with no active tasks",
    () =>
      Effect.gen(function* () {
        const { client, created, online, row, send, start } = yield* setup("cat; sleep 1; echo done")
        const worker = yield* start
        yield* online(worker)
        const running = yield* Effect.forkChild(send("slow"))
        yield* eventually(Effect.filterOrFail(row, (found) => found?.active_tasks === 1))
        yield* worker.signal("SIGTERM")
        assert.strictEqual(yield* worker.exitCode, 0, yield* worker.output)
        yield* Fiber.interrupt(running)
        const [latest, last] = [yield* client.checkpoints.latest({ params: { id: created.id } }), yield* row]
        assert.deepInclude(latest, { step_name: "task_complete", step_index: 2 })
        assert.deepInclude(last, { active_tasks: 0, current_task: "" })
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "after kill -9 it ends the program that was left running and does its task again, once",
    () =>
      Effect.gen(function* () {
        const { directory, online, send, start } = yield* setup(`echo $$ >> ../pids; cat; sleep 3; echo done`)
        const files = yield* FileSystem.FileSystem
        const pids = Effect.map(files.readFileString(`${directory}/worker/pids`), (text) =>
          text.trim().split("\n").map(Number)
        )
        const first = yield* start
        yield* online(first)
        const exchange = yield* Effect.forkChild(send("survive"))
        const [orphan = 0] = yield* eventually(Effect.filterOrFail(pids, (found) => found.length === 1))
        yield* first.signal("SIGKILL")
        yield* first.exitCode
        assert.isTrue(yield* alive(orphan))
        const second = yield* start
        yield* eventually(Effect.filterOrFail(pids, (found) => found.length === 2)).pipe(
          Effect.tapError(() => Effect.flatMap(second.output, (text) => Effect.logError(text)))
        )
        assert.isFalse(yield* alive(orphan))
        assert.deepInclude(yield* Fiber.join(exchange), { state: "completed", text: "survivedone\n" })
        assert.strictEqual((yield* pids).length, 2)
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "stops when the platform says that it was deleted",
    () =>
      Effect.gen(function* () {
        const { client, created, online, start } = yield* setup("cat")
        const worker = yield* start
        yield* online(worker)
        yield* client.workspaces.delete({ params: { id: created.id }, query: {} })
        assert.strictEqual(yield* worker.exitCode, 0)
        assert.include(yield* worker.output, "deleted")
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "says what is missing or wrong in its configuration, and ends",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const cases: ReadonlyArray<readonly [Record<string, string>, string]> = [
          [{ PLATFORM_URL: "ftp://x" }, "PLATFORM_URL"],
          [{ PLATFORM_URL: "http://no-such-host.invalid" }, "no-such-host.invalid does not resolve"],
          [{ WORKSPACE_ID: "me" }, "WORKSPACE_ID"],
          [{ MOLECULE_EXECUTOR: "magic" }, "MOLECULE_EXECUTOR"],
          [{ MOLECULE_EXECUTOR: "command" }, "MOLECULE_COMMAND"]
        ]
        for (const [env, named] of cases) {
          const id = "bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"
          const wrong = yield* startWorkspace("http://127.0.0.1:1", { id }, `${directory}/x`, env)
          assert.notStrictEqual(yield* wrong.exitCode, 0)
          assert.include(yield* wrong.output, named)
        }
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )
})
