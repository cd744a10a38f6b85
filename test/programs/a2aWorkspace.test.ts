import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { a2aWith, sources } from "../support/a2aCommand.ts"
import { type Handler, json, result, startScripted } from "../support/scriptedPeer.ts"

const me = "bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"
const peer = "11111111-2222-4333-8444-555555555555"

// A platform, as far as these commands see it.
const start = Effect.fnUntraced(function* (agent: Handler) {
  const directory = yield* Effect.sync(() => mkdtempSync(join(tmpdir(), "molecule-test-a2a-state-")))
  writeFileSync(join(directory, "token"), "my-token\n")
  let calls = 0
  const mine = { id: me, name: "Me", role: null, tier: 1, status: "online", parent_id: null }
  const other = { ...mine, id: peer, name: "Beta", role: "tester", agent_card: null, url: "http://x", active_tasks: 0 }
  const { asked, url } = yield* startScripted((request, response) => {
    if (request.headers.authorization !== "Bearer my-token")
      json(response, { error: "missing workspace auth token" }, 401)
    else if (request.path === `/registry/${me}/peers`) {
      json(response, [other, { ...other, id: me, name: "Gamma", role: null, status: "offline" }])
    } else if (request.path === `/workspaces/${me}`) json(response, mine)
    else if (request.path === `/workspaces/${peer}/a2a`) agent(request, response, calls++)
    else json(response, { error: "workspace not found" }, 404)
  })
  const env = { PLATFORM_URL: url, WORKSPACE_ID: me, MOLECULE_STATE_DIR: directory }
  const run = (...args: ReadonlyArray<string>) => a2aWith({ env }, ...args)
  return { asked, run, url, env }
})

const parts = (text: string) => [{ kind: "text", text }]
const message = (text: string) =>
  result({ kind: "message", messageId: "r", role: "agent", parts: parts(text), taskId: "t", contextId: "c" })
const task = (state: string, text?: string) => ({
  kind: "task",
  id: "task-1",
  contextId: "c",
  status: { state },
  ...(text !== undefined && { artifacts: [{ artifactId: "a", parts: parts(text) }] })
})
const methodOf = ({ body }: { readonly body: string }): string => JSON.parse(body).method

describe("a2a among workspaces", () => {
  it.live(
    "lists peers and shows the workspace",
    () =>
      Effect.gen(function* () {
        const { asked, env, run } = yield* start(() => {})
        const peers = yield* run("peers")
        assert.deepStrictEqual([peers.code, peers.stderr], [0, ""])
        assert.strictEqual(
          peers.stdout,
          `${peer}  ${"Beta".padEnd(30)}  ${"online".padEnd(10)}  tester\n${me}  ${"Gamma".padEnd(30)}  ${"offline".padEnd(10)}  None\n`
        )
        assert.strictEqual(asked[0]?.headers["x-workspace-id"], me)
        const info = yield* run("info")
        assert.strictEqual(info.stdout, `ID: ${me}\nName: Me\nRole: None\nTier: 1\nStatus: online\nParent: None\n`)
        assert.strictEqual((yield* a2aWith({ env, file: sources }, "peers")).stdout, peers.stdout)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "tells what went wrong, and where",
    () =>
      Effect.gen(function* () {
        const { env, run, url } = yield* start(() => {})
        const cases: ReadonlyArray<readonly [Readonly<Record<string, string>>, ReadonlyArray<string>, RegExp]> = [
          [{ ...env, PLATFORM_URL: "http://127.0.0.1:1" }, ["peers"], /ECONNREFUSED.*http:\/\/127\.0\.0\.1:1/],
          [{ ...env, MOLECULE_STATE_DIR: "/nowhere" }, ["peers"], /missing workspace auth token/],
          [{ ...env, WORKSPACE_ID: peer }, ["info"], /workspace not found/],
          [{ PLATFORM_URL: url }, ["info"], /WORKSPACE_ID/],
          [env, ["delegate", "nobody", "x"], /nobody is not the id/],
          [env, ["delegate", me, "x"], /workspace not found/],
          [{ ...env, PLATFORM_URL: "http://127.0.0.1:1" }, ["status", peer, "t"], /ECONNREFUSED/]
        ]
        for (const [settings, args, wanted] of cases) {
          const ran = yield* a2aWith({ env: settings }, ...args)
          assert.deepStrictEqual([ran.code, ran.stdout], [1, ""], args.join(" "))
          assert.match(ran.stderr, wanted)
        }
        assert.strictEqual((yield* run("delegate", peer)).code, 2)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "delegates once, whatever form the answer has",
    () =>
      Effect.gen(function* () {
        const { asked, run } = yield* start((request, response, n) => {
          if (methodOf(request) === "tasks/get")
            return json(response, result(task(n < 4 ? "working" : "completed", "made")))
          const { text } = JSON.parse(request.body).params.message.parts[0]
          if (text === "say") json(response, message("hello"))
          else if (text === "nothing") json(response, message(""))
          else if (text === "break") json(response, message("Agent error: no model"))
          else if (text === "fail")
            json(
              response,
              result({ ...task("failed"), status: { state: "failed", message: { parts: parts("too hard") } } })
            )
          else json(response, result(task("working")))
        })
        const said = yield* run("delegate", peer, "say")
        assert.deepStrictEqual([said.code, said.stdout, said.stderr], [0, "hello\n", ""])
        const made = yield* run("delegate", peer, "work", "--async", "hard")
        assert.deepStrictEqual([made.code, made.stdout], [0, "made\n"])
        const sent = asked
          .filter((one) => one.body !== "" && methodOf(one) === "message/send")
          .map(({ body }) => JSON.parse(body).params)
        assert.strictEqual(sent.length, 2)
        assert.deepInclude(sent[1].message, { kind: "message", role: "user", parts: parts("work --async hard") })
        assert.deepStrictEqual(sent[1].configuration, { blocking: true })
        assert.isUndefined(asked[0]?.headers["a2a-version"])
        assert.strictEqual((yield* run("delegate", peer, "nothing")).stdout, "(no response)\n")
        const failed = yield* run("delegate", peer, "fail")
        assert.deepStrictEqual([failed.code, failed.stdout], [1, ""])
        assert.include(failed.stderr, "task-1 is failed: too hard")
        assert.include((yield* run("delegate", peer, "break")).stderr, "Agent error: no model")
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "prints an id at once that status can find",
    () =>
      Effect.gen(function* () {
        const { asked, run, url } = yield* start((request, response) => {
          if (methodOf(request) === "message/send") return json(response, result(task("submitted")))
          const { id } = JSON.parse(request.body).params
          if (id === "task-1") return json(response, result(task("completed", "made")))
          json(response, { jsonrpc: "2.0", id: 1, error: { code: -32001, message: "Task not found" } })
        })
        const ran = yield* run("delegate", "--async", peer, "work")
        assert.deepStrictEqual(JSON.parse(ran.stdout), {
          task_id: "task-1",
          target: peer,
          status: "submitted",
          target_url: `${url}/workspaces/${peer}/a2a`
        })
        assert.deepStrictEqual(JSON.parse(asked[0]?.body ?? "").params.configuration, { blocking: false })
        const status = yield* run("status", peer, JSON.parse(ran.stdout).task_id)
        assert.deepStrictEqual([status.code, status.stdout], [0, "Status: completed\nmade\n"])
        const unknown = yield* run("status", peer, "nothing")
        assert.deepStrictEqual([unknown.code, unknown.stdout], [0, "Error: Task not found\n"])
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "says what it knows of a task that takes too long",
    () =>
      Effect.gen(function* () {
        const { run } = yield* start((_, response) => json(response, result(task("working"))))
        const ran = yield* run("delegate", "--timeout", "600ms", peer, "work")
        assert.strictEqual(ran.code, 1)
        assert.include(ran.stderr, `a2a status ${peer} task-1`)
      }).pipe(Effect.scoped),
    30_000
  )
})
