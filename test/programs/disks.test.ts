import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { spawnSync } from "node:child_process"
import * as JournalCare from "../../src/layers/journal/journalCare.ts"
import * as JsonRpc from "../../src/services/a2a/JsonRpc.ts"
import { PublicHealth } from "../../src/services/workspace/Health.ts"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { fill, freeze, smallDisk } from "../support/disks.ts"
import { projections } from "../support/journal.ts"
import {
  aPort,
  eventually,
  Machine,
  root,
  start,
  startPlatform,
  startWorkspace,
  temporaryDirectory
} from "../support/processes.ts"

const Body = Schema.fromJsonString(JsonRpc.Response)

/** What the workspace answers, over HTTP. */
const call = Effect.fnUntraced(function* (url: string, method: string, params: Schema.Json) {
  const request = HttpClientRequest.post(url).pipe(
    HttpClientRequest.bodyText(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }), "application/json")
  )
  const response = yield* HttpClient.execute(request)
  const body = yield* Schema.decodeEffect(Body)(yield* response.text)
  return { status: response.status, headers: response.headers, body }
})

const send = (url: string, messageId: string, text: string) =>
  call(url, "message/send", {
    message: { kind: "message", role: "user", messageId, parts: [{ kind: "text", text }] },
    configuration: { blocking: false }
  })

const State = Schema.Struct({ id: Schema.String, status: Schema.Struct({ state: Schema.String }) })
const stateOf = ({ body }: Effect.Success<ReturnType<typeof call>>) =>
  "result" in body
    ? Effect.orDie(Schema.decodeUnknownEffect(State)(body.result))
    : Effect.die(`no task: ${JSON.stringify(body)}`)

/** The production program, on a state directory in this place, when its disk stops taking anything. */
const scenario = Effect.fnUntraced(function* <E, R>(
  state: string,
  reason: "full" | "readonly",
  stop: Effect.Effect<Option.Option<Effect.Effect<unknown, E>>, E, R>
) {
  const files = yield* FileSystem.FileSystem
  const directory = yield* temporaryDirectory
  const port = yield* aPort
  const platform = yield* startPlatform(`${directory}/platform`, port)
  const created = yield* Effect.flatMap(PlatformClient, ({ workspaces }) =>
    workspaces.create({ payload: { name: "small", external: true } })
  ).pipe(Effect.provide(platform.client))
  const agentPort = port + 1
  const worker = yield* startWorkspace(platform.url, created, state, {
    MOLECULE_A2A_PORT: String(agentPort),
    MOLECULE_REQUIRE_CALLER_TOKEN: "false",
    MOLECULE_EXECUTOR: "module",
    MOLECULE_EXECUTOR_MODULE: `${root}test/support/gatedAgent.ts`
  })
  const url = `http://127.0.0.1:${agentPort}/`
  return yield* Effect.gen(function* () {
    yield* eventually(Effect.filterOrFail(HttpClient.get(`${url}ready`), ({ status }) => status === 200))
    const ran = Effect.map(files.readFileString(`${directory}/ran`), (text) => text.trim().split("\n"))
    const first = yield* stateOf(yield* send(url, "m-1", directory))
    yield* eventually(ran)
    const stopped = yield* stop
    if (Option.isNone(stopped)) return false
    yield* files.writeFileString(`${directory}/go`, "")

    const refused = yield* send(url, "m-2", directory)
    assert.strictEqual(refused.status, 503)
    assert.strictEqual(refused.headers["retry-after"], "5")
    const error = "error" in refused.body ? refused.body.error : assert.fail("it was taken")
    assert.strictEqual(error.code, JsonRpc.ErrorCode.Busy)
    assert.include(JSON.stringify(error.data), `"disk":"${reason}"`)
    assert.match(
      error.message,
      reason === "full" ? /make room on the disk/ : /make the file and its directory writable/
    )
    assert.notInclude(error.message, state)
    const well = yield* HttpClient.get(`${url}health`)
    assert.strictEqual(well.status, 503)
    assert.deepInclude(yield* Schema.decodeUnknownEffect(PublicHealth)(yield* well.json), {
      status: "ok",
      wrong: ["journal"]
    })
    const onPlatform = Effect.flatMap(PlatformClient, ({ workspaces }) => workspaces.list()).pipe(
      Effect.map((rows) => rows.find(({ id }) => id === created.id)?.status),
      Effect.provide(platform.client)
    )
    yield* eventually(Effect.filterOrFail(onPlatform, (status) => status === "degraded"))
    // Whoever only reads is answered, and the task that runs is not given up.
    yield* Effect.sleep("1 second")
    assert.strictEqual((yield* stateOf(yield* call(url, "tasks/get", { id: first.id }))).status.state, "working")
    assert.deepStrictEqual(yield* ran, ["one"])
    assert.strictEqual((yield* send(url, "m-2", directory)).status, 503)

    yield* stopped.value
    const ended = (id: string) => {
      const task = Effect.flatMap(call(url, "tasks/get", { id }), (answer) => stateOf(answer))
      return eventually(Effect.filterOrFail(task, (found) => found.status.state === "completed"))
    }
    yield* ended(first.id)
    assert.deepStrictEqual(yield* ran, ["one", "two", "three"])
    yield* ended((yield* stateOf(yield* send(url, "m-2", directory))).id)
    assert.strictEqual((yield* HttpClient.get(`${url}health`)).status, 200)
    yield* eventually(Effect.filterOrFail(onPlatform, (status) => status === "online"))
    yield* worker.signal("SIGTERM")
    assert.strictEqual(yield* worker.exitCode, 0)
    assert.deepStrictEqual((yield* JournalCare.check(`${state}/workspace.db`, projections)).differing, [])
    return true
  }).pipe(Effect.tapCause(() => Effect.flatMap(worker.output, (text) => Effect.logError(text))))
})

describe("the workspace program on a disk that takes nothing", () => {
  it.live(
    "full: it refuses new messages with 503 and the remedy, and goes on when there is room",
    (context) =>
      Effect.gen(function* () {
        const { remove } = yield* FileSystem.FileSystem
        const disk = yield* smallDisk("4m")
        if (Option.isNone(disk)) return context.skip("mounting a small disk is not allowed here")
        yield* scenario(
          `${disk.value}/state`,
          "full",
          Effect.asSome(Effect.map(fill(disk.value), (ballast) => remove(ballast)))
        )
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "read-only: it refuses new messages with 503 and the remedy, and goes on when it can write",
    (context) =>
      Effect.gen(function* () {
        const state = `${yield* temporaryDirectory}/state`
        const stopped = yield* scenario(state, "readonly", freeze(state))
        if (!stopped) context.skip("files cannot be made immutable here: it takes root, and ext4 or the like")
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "mounted read-only before the start: it says so, and ends",
    (context) =>
      Effect.gen(function* () {
        const disk = yield* smallDisk("4m")
        if (Option.isNone(disk)) return context.skip("mounting a small disk is not allowed here")
        const state = `${disk.value}/state`
        const environment = {
          PLATFORM_URL: "http://127.0.0.1:1",
          WORKSPACE_ID: "bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee",
          WORKSPACE_AUTH_TOKEN: "token",
          MOLECULE_STATE_DIR: state
        }
        yield* Effect.scoped(
          Effect.gen(function* () {
            const files = yield* FileSystem.FileSystem
            const first = yield* start("workspace", [], environment)
            yield* eventually(files.stat(`${state}/lock`))
            yield* first.signal("SIGTERM")
            yield* first.exitCode
          })
        )
        yield* Effect.sync(() => spawnSync("mount", ["-o", "remount,ro", disk.value]))
        const second = yield* start("workspace", [], environment)
        assert.notStrictEqual(yield* second.exitCode, 0)
        assert.match(
          yield* second.output,
          /molecule-workspace: cannot use .*: EROFS: read-only file system.*check .* that its file system can be written/
        )
        assert.include(yield* second.output, state)
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )
})
