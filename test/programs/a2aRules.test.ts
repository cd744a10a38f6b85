/**
 * `a2a`, as it is installed, against an agent that answers as each rule needs it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stdio from "effect/Stdio"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { watched } from "../../src/programs/a2aAgent.ts"
import { a2a, a2aWith, fieldsOf, lines, only } from "../support/a2aCommand.ts"
import { selfSigned } from "../support/selfSigned.ts"
import { type Asked, cardAt, json, result, startScripted, task } from "../support/scriptedPeer.ts"

const folder = Effect.sync(() => mkdtempSync(join(tmpdir(), "molecule-test-a2a-")))
const methodOf = ({ body }: Asked): string => (body === "" ? "" : JSON.parse(body).method)

describe("a2a keeps the rules", () => {
  it.live(
    "A2ACLI_TX_001, A2ACLI_TX_002: takes the first interface of the card that it has, or the first that is preferred",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted(({ path }, response) => {
          if (path.startsWith("/rest")) return json(response, task("COMPLETED"))
          if (path.startsWith("/rpc")) return json(response, result(task("COMPLETED")))
          const at = (protocolBinding: string, place: string) => ({
            url: `${url}${place}`,
            protocolBinding,
            protocolVersion: "1.0"
          })
          json(response, {
            ...cardAt(url),
            supportedInterfaces: [at("GRPC", "/grpc"), at("HTTP+JSON", "/rest"), at("JSONRPC", "/rpc")]
          })
        })
        const get = ["task", "get", "t", "-a", url]
        const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
          [[], "/rest/tasks/t"],
          [["--transport", "JSONRPC"], "/rpc"],
          [["--transport", "GRPC", "--transport", "JSONRPC", "--transport", "HTTP+JSON"], "/rpc"],
          [["--transport", "GRPC"], "/rest/tasks/t"]
        ]
        for (const [more, path] of cases) {
          assert.strictEqual((yield* a2a(...get, ...more)).code, 0)
          assert.strictEqual(asked.at(-1)?.path, path, more.join(" "))
        }
        const configured = yield* a2aWith({ env: { A2ACLI_TRANSPORT: "GRPC,JSONRPC" } }, ...get)
        assert.deepStrictEqual([configured.code, asked.at(-1)?.path], [0, "/rpc"])
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_VER_001: signals the version with each request, takes the highest of 1.x, and nothing older unless told to",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted(({ path }, response) => {
          if (path.startsWith("/rpc")) return json(response, result(task("COMPLETED")))
          const at = (protocolVersion: string) => ({
            url: `${url}/rpc${protocolVersion}`,
            protocolBinding: "JSONRPC",
            protocolVersion
          })
          json(response, {
            ...cardAt(url),
            supportedInterfaces: path.includes("old") ? [at("0.3")] : [at("0.3"), at("1.0")]
          })
        })
        const get = ["task", "get", "t", "-o", "json", "-a"]
        assert.strictEqual((yield* a2a(...get, url)).code, 0)
        assert.deepStrictEqual(
          asked.map(({ headers, path }) => [path, headers["a2a-version"]]),
          [
            ["/.well-known/agent-card.json", "1.0"],
            ["/rpc1.0", "1.0"]
          ]
        )
        const refused = yield* a2a(...get, `${url}/old.json`)
        assert.deepStrictEqual([refused.code, only(refused).error.code], [1, "VersionNotSupportedError"])
        assert.include(only(refused).error.hint, "--a2a-version 0.3")
        assert.strictEqual((yield* a2a(...get, `${url}/old.json`, "--a2a-version", "0.3")).code, 0)
        const last = asked.at(-1)
        assert.deepStrictEqual([last?.path, last?.headers["a2a-version"]], ["/rpc0.3", "0.3"])
        assert.strictEqual(last === undefined ? "" : methodOf(last), "tasks/get")
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_INTERACT_005, A2ACLI_CONFIG_001: remembers nothing from one call to the next",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted((request, response) =>
          json(
            response,
            request.path === "/rpc"
              ? result({ task: task("INPUT_REQUIRED") })
              : cardAt(`${url}/rpc`, { streaming: false })
          )
        )
        const home = yield* folder
        const run = (...args: ReadonlyArray<string>) => a2aWith({ cwd: home, env: { HOME: home } }, ...args)
        for (let times = 0; times < 2; times++) assert.strictEqual((yield* run("send", "-a", url, "hello")).code, 0)
        for (const { body } of asked.filter(({ path }) => path === "/rpc")) {
          const { contextId, messageId, taskId } = JSON.parse(body).params.message
          assert.deepStrictEqual([typeof messageId, taskId, contextId], ["string", undefined, undefined])
        }
        // Compiled code is all that is kept.
        assert.deepStrictEqual(readdirSync(home), [".cache"])
        assert.deepStrictEqual(readdirSync(join(home, ".cache")), ["molecule-effect"])
        assert.strictEqual((yield* run("send", "-a", url, "--continue", "hello")).code, 2)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_TASK_POLL_002: looks ever less often, as long as it is told to",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted((request, response) =>
          json(response, request.path === "/rpc" ? result(task("WORKING")) : cardAt(`${url}/rpc`))
        )
        const wait = ["task", "get", "--wait", "-a", url, "t", "-o", "json", "--timeout", "2s"]
        const ran = yield* a2a(...wait, "--poll-interval", "100ms")
        assert.deepStrictEqual([ran.code, only(ran).error.code], [5, "A2ACLI_ERR_TIMEOUT"])
        assert.include(only(ran).error.hint, "a2a task get --wait t")
        // Pauses of 100, 120, 144 ms …: twenty looks without them growing.
        const looks = asked.filter((one) => methodOf(one) === "GetTask").length
        assert.isAbove(looks, 1)
        assert.isBelow(looks, 12)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_TASK_POLL_004: waits on for an agent that is away for a moment, and not for one that was never there",
    () =>
      Effect.gen(function* () {
        let looks = 0
        const { url } = yield* startScripted((request, response) => {
          if (request.path !== "/rpc") return json(response, cardAt(`${url}/rpc`, { streaming: false }))
          if (methodOf(request) === "SendMessage") return json(response, result({ task: task("WORKING") }))
          looks++
          // A request is repeated three times by the client itself.
          if (looks > 2 && looks < 9) response.destroy()
          else json(response, result(task(looks < 9 ? "WORKING" : "COMPLETED")))
        })
        const ran = yield* a2a("send", "-a", url, "hello", "--poll-interval", "20ms")
        assert.strictEqual(fieldsOf(ran.stdout).get("State"), "COMPLETED", ran.stderr)
        assert.strictEqual((yield* a2a("task", "get", "--wait", "-a", "127.0.0.1:1", "t")).code, 3)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "A2ACLI_INTERACT_002: a message that was not taken is an error, whatever its task says",
    () =>
      Effect.gen(function* () {
        const { url } = yield* startScripted((request, response) => {
          if (request.path !== "/rpc") return json(response, cardAt(`${url}/rpc`))
          if (methodOf(request) === "GetTask") return json(response, result(task("INPUT_REQUIRED")))
          response.destroy()
        })
        const ran = yield* a2a("send", "-a", url, "-o", "json", "--task-id", "t", "my answer")
        assert.deepStrictEqual([ran.code, only(ran).error.code], [3, "A2ACLI_ERR_UNREACHABLE"])
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "A2ACLI_OUT_003: an error that ends a stream is its last line",
    () =>
      Effect.gen(function* () {
        const { url } = yield* startScripted((request, response) => {
          if (request.path !== "/rpc") return json(response, cardAt(`${url}/rpc`))
          response.writeHead(200, { "content-type": "text/event-stream" })
          const failed = { jsonrpc: "2.0", id: 1, error: { code: -32603, message: "oh no" } }
          response.end(
            `data: ${JSON.stringify(result({ task: task("WORKING") }))}\n\ndata: ${JSON.stringify(failed)}\n\n`
          )
        })
        const ran = yield* a2a("send", "-a", url, "-o", "json", "--stream", "hello")
        assert.strictEqual(ran.code, 1)
        assert.deepStrictEqual(
          lines(ran).map((line) => Object.keys(line)[0]),
          ["task", "error"]
        )
        assert.deepInclude(lines(ran)[1].error, { code: "InternalError", message: "oh no", a2aCode: -32603 })
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_DEFAULT_001, A2ACLI_SEND_002, A2ACLI_OUT_003: options go before what is configured, and no configuration streams",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted((request, response) => {
          if (request.path !== "/rpc") return json(response, cardAt(`${url}/rpc`, { streaming: false }))
          json(response, result(methodOf(request) === "GetTask" ? task("COMPLETED") : { task: task("WORKING") }))
        })
        const dir = yield* folder
        writeFileSync(
          join(dir, ".env"),
          `A2ACLI_AGENT_CARD=${url}\nA2ACLI_ASYNC=true\nA2ACLI_OUTPUT=json\nA2ACLI_STREAM=true\n`
        )
        const run = (...args: ReadonlyArray<string>) => a2aWith({ cwd: dir }, ...args)
        assert.strictEqual(only(yield* run("send", "hello")).task.status.state, "TASK_STATE_WORKING")
        assert.strictEqual(only(yield* run("send", "--wait", "hello")).task.status.state, "TASK_STATE_COMPLETED")
        assert.strictEqual(only(yield* run("send", "--async=false", "hello")).task.status.state, "TASK_STATE_COMPLETED")
        assert.strictEqual(lines(yield* run("send", "--stream", "hello")).length, 2)
        assert.strictEqual(fieldsOf((yield* run("send", "-o", "text", "hello")).stdout).get("State"), "WORKING")
        assert.strictEqual((yield* run("send", "--async", "--wait", "hello")).code, 2)
        assert.isTrue(asked.every((one) => methodOf(one) !== "SendStreamingMessage"))
        // Errors look as results do, whatever says so.
        for (const wrong of [
          ["--a2a-version", "9"],
          ["--metadata", "[]", "hello"]
        ]) {
          const refused = yield* run("send", ...wrong)
          assert.deepStrictEqual([refused.code, only(refused).error.code], [2, "A2ACLI_ERR_USAGE"])
        }
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "A2ACLI_OUT_003, A2ACLI_TASK_POLL_002: prints an event before the next has come, and can be interrupted",
    () =>
      Effect.gen(function* () {
        const { url } = yield* startScripted((request, response) => {
          if (request.path !== "/rpc") return json(response, cardAt(`${url}/rpc`))
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.write(`data: ${JSON.stringify(result({ task: task("WORKING") }))}\n\n`)
        })
        const args = ["send", "-a", url, "-o", "json", "--stream", "hello"]
        const ran = yield* a2aWith({ interruptAfter: /\n/ }, ...args)
        assert.strictEqual(ran.code, 130)
        assert.strictEqual(only(ran).task.id, "t")
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_DEFAULT_001, A2ACLI_AUTH_003: trusts no certificate that nobody vouches for, unless told to, with a warning",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted(
          (request, response) =>
            json(response, request.path === "/rpc" ? result(task("COMPLETED")) : cardAt(`${url}/rpc`)),
          selfSigned
        )
        const get = ["task", "get", "t", "-o", "json", "-a", url, "--bearer", "hunter2"]
        const refused = yield* a2a(...get)
        assert.deepStrictEqual([refused.code, only(refused).error.code], [3, "A2ACLI_ERR_UNREACHABLE"])
        assert.include(only(refused).error.message, "certificate")
        assert.strictEqual(asked.length, 0)
        const insecure = yield* a2a(...get, "--insecure")
        assert.deepStrictEqual([insecure.code, only(insecure).id], [0, "t"])
        assert.match(insecure.stderr, /WARNING.*not verified[^]*WARNING.*credentials/)
        assert.notInclude(insecure.stderr, "hunter2")
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_DEFAULT_001, A2ACLI_AUTH_002: is concise unless told to, and says what a credential on the command line gives away",
    () =>
      Effect.gen(function* () {
        const artifacts = [{ artifactId: "a", parts: [{ text: "x", mediaType: "text/x" }], metadata: { k: 1 } }]
        const { url } = yield* startScripted((request, response) =>
          json(response, request.path === "/rpc" ? result(task("COMPLETED", { artifacts })) : cardAt(`${url}/rpc`))
        )
        const get = ["task", "get", "t", "-a", url]
        assert.notMatch((yield* a2a(...get)).stdout, /metadata|Media type/)
        const whole = yield* a2a(...get, "--verbose")
        assert.include(whole.stdout, "Media type: text/x\nText:\nx\n\n")
        assert.include(whole.stdout, "Artifact metadata:\n")
        for (const help of [yield* a2a("help"), yield* a2a("send", "--help")]) {
          assert.match(help.stdout, /list of processes[^]*history/)
          assert.match(help.stdout, /--svc-param <k:v> +A service parameter: an HTTP header/)
        }
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_VER_003: asks no agent for what its card does not promise",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted((request, response) =>
          json(
            response,
            request.path === "/rpc" ? result({ task: task("COMPLETED") }) : cardAt(`${url}/rpc`, { streaming: false })
          )
        )
        assert.strictEqual(lines(yield* a2a("send", "-a", url, "-o", "json", "--stream", "hello")).length, 1)
        const extended = yield* a2a("card", "get", "-a", url, "-o", "json", "--extended")
        assert.deepStrictEqual([extended.code, only(extended).error.code], [1, "UnsupportedOperationError"])
        assert.deepStrictEqual(
          asked.map(methodOf).filter((method) => method !== ""),
          ["SendMessage"]
        )
      }).pipe(Effect.scoped),
    30_000
  )

  it.effect("tells whoever looks on how long it has waited, and nobody else", () =>
    Effect.gen(function* () {
      const waiting = watched(Effect.sleep("25 seconds"), () => "waiting for t")
      for (const [isTerminal, told] of [
        [true, ["waiting for t: 10 s", "waiting for t: 20 s"]],
        [false, []]
      ] as const) {
        const fiber = yield* Effect.forkChild(
          Effect.provide(waiting, Stdio.layerTest({ stderrIsTerminal: Effect.succeed(isTerminal) }))
        )
        yield* TestClock.adjust("25 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual((yield* TestConsole.errorLines).slice(isTerminal ? 0 : 2), Array.from(told))
      }
    })
  )
})
