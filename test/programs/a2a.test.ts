import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { a2a, a2aWith, fieldsOf, lines, only } from "../support/a2aCommand.ts"
import { cardAt, json, result, startScripted, task } from "../support/scriptedPeer.ts"
import { startSdkAgent } from "../support/sdkAgent.ts"

const folder = Effect.sync(() => mkdtempSync(join(tmpdir(), "molecule-test-a2a-")))

describe("a2a", () => {
  it.live(
    "A2ACLI_SEND_005, A2ACLI_SEND_006, A2ACLI_CARD_GET_001, A2ACLI_INTERACT_003: sends parts in order, with their types and metadata, to the agent of a card in a file",
    () =>
      Effect.gen(function* () {
        const { asked, url } = yield* startScripted((_, response) =>
          json(response, result({ task: task("COMPLETED") }))
        )
        const dir = yield* folder
        writeFileSync(join(dir, "card.json"), JSON.stringify(cardAt(url, { streaming: false })))
        writeFileSync(join(dir, "a.bin"), "bytes")
        const args = [
          "send",
          "-a",
          "./card.json",
          "--text",
          "one",
          "--file",
          "a.bin",
          "--media-type",
          "x/y",
          "--data",
          "-"
        ]
        const more = [
          "two",
          "--file",
          "https://files.example/f.pdf",
          "--metadata",
          '{"k":[1]}',
          "--svc-param",
          "x-trace:abc"
        ]
        const ran = yield* a2aWith({ cwd: dir, input: '{"a":1}' }, ...args, ...more)
        assert.strictEqual(ran.code, 0, ran.stderr)
        assert.strictEqual((yield* a2a("card", "get", "-a", `file://${join(dir, "card.json")}`)).code, 0)
        const { params } = JSON.parse(asked[0]?.body ?? "")
        assert.deepStrictEqual(params.message.parts, [
          { text: "one" },
          { raw: "Ynl0ZXM=", filename: "a.bin", mediaType: "x/y" },
          { data: { a: 1 } },
          { text: "two" },
          { url: "https://files.example/f.pdf", filename: "f.pdf", mediaType: "application/pdf" }
        ])
        assert.deepStrictEqual(params.metadata, { k: [1] })
        assert.notProperty(params.message, "taskId")
        assert.notProperty(params.message, "contextId")
        assert.strictEqual(asked[0]?.headers["x-trace"], "abc")
        for (const wrong of [["--media-type", "x/y"], ["--metadata", "[]", "x"], ["--data", "a.bin"], []]) {
          assert.strictEqual((yield* a2aWith({ cwd: dir }, "send", "-a", "./card.json", ...wrong)).code, 2)
        }
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "A2ACLI_AUTH_001, A2ACLI_AUTH_002, A2ACLI_AUTH_003, A2ACLI_AUTH_004: attaches credentials as the card says, hides them, and tells those that are missing from those that are wrong",
    () =>
      Effect.gen(function* () {
        const scheme = { k: { apiKeySecurityScheme: { location: "header", name: "X-Own-Key" } } }
        const { asked, url } = yield* startScripted((request, response) => {
          if (request.path.startsWith("/.well-known"))
            json(response, { ...cardAt(`${url}/rpc`), securitySchemes: scheme })
          else if (request.headers["x-own-key"] === "right") json(response, result(task("COMPLETED")))
          else json(response, { error: "go away" }, 401)
        })
        const get = ["task", "get", "t", "-a", url, "-o", "json", "--debug"]
        const missing = yield* a2a(...get)
        assert.deepStrictEqual([missing.code, only(missing).error.code], [4, "A2ACLI_ERR_CREDENTIALS_MISSING"])
        const wrong = yield* a2a(...get, "--api-key", "hunter2")
        assert.deepStrictEqual([wrong.code, only(wrong).error.code], [4, "A2ACLI_ERR_AUTH_FAILED"])
        const right = yield* a2aWith(
          { env: { A2ACLI_API_KEY: "right", A2ACLI_BEARER: "hunter3" } },
          ...get,
          "--svc-param",
          "x-s:hunter4"
        )
        assert.strictEqual(right.code, 0, right.stderr)
        assert.deepInclude(asked.at(-1)?.headers, {
          "x-own-key": "right",
          authorization: "Bearer hunter3",
          "x-s": "hunter4"
        })
        // Nobody's card gets them.
        assert.isUndefined(asked.find(({ path }) => path.startsWith("/.well-known"))?.headers["x-own-key"])
        assert.include(right.stderr, "interface chosen")
        for (const { stderr, stdout } of [wrong, right]) assert.notMatch(stdout + stderr, /hunter/)
        // An option goes before the environment.
        assert.strictEqual((yield* a2aWith({ env: { A2ACLI_API_KEY: "wrong" } }, ...get, "--api-key", "right")).code, 0)
        const insecure = yield* a2a(...get, "--insecure", "--api-key", "right")
        assert.match(insecure.stderr, /WARNING.*not verified[^]*WARNING.*credentials/)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "A2ACLI_EXIT_001, A2ACLI_OUT_004, A2ACLI_TASK_POLL_003: ends with the code that its error has",
    () =>
      Effect.gen(function* () {
        const { url } = yield* startScripted((request, response) => {
          if (request.path === "/html.json") response.writeHead(200).end("<html>")
          else if (request.path === "/old.json")
            json(response, { name: "x", url, version: "1", protocolVersion: "0.3.0" })
          else if (request.path === "/slow.json") json(response, cardAt(`${url}/slow`, { streaming: false }))
          else if (request.path === "/slow") {
            const open = task(request.body.includes("task never") ? "WORKING" : "UNSPECIFIED")
            json(response, result(request.body.includes("SendMessage") ? { task: open } : open))
          } else json(response, {}, 404)
        })
        const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, string]> = [
          [["card", "get"], 2, "A2ACLI_ERR_USAGE"],
          [["card", "get", "-a", url], 3, "A2ACLI_ERR_CARD_NOT_FOUND"],
          [["card", "get", "-a", "./nowhere.json"], 3, "A2ACLI_ERR_CARD_NOT_FOUND"],
          [["card", "get", "-a", `${url}/html.json`], 1, "A2ACLI_ERR_CARD_INVALID"],
          [["card", "get", "-a", "127.0.0.1:1"], 3, "A2ACLI_ERR_UNREACHABLE"],
          [["send", "-a", `${url}/old.json`, "hi"], 1, "VersionNotSupportedError"],
          [
            ["send", "-a", `${url}/slow.json`, "task never", "--timeout", "700ms", "--poll-interval", "20ms"],
            5,
            "A2ACLI_ERR_TIMEOUT"
          ],
          [["task", "get", "-a", `${url}/slow.json`, "t", "--wait", "--timeout", "700ms"], 5, "A2ACLI_ERR_TIMEOUT"],
          [["send", "-a", url, "--async", "--stream", "x"], 2, "A2ACLI_ERR_USAGE"],
          [["send", "-a", url, "--transport", "pigeon", "x"], 2, "A2ACLI_ERR_USAGE"],
          [["frobnicate"], 2, "A2ACLI_ERR_USAGE"]
        ]
        for (const [args, code, name] of cases) {
          const ran = yield* a2a("-o", "json", ...args)
          assert.deepStrictEqual([ran.code, only(ran).error.code], [code, name], args.join(" "))
          assert.hasAllKeys(only(ran).error, ["code", "message", "hint", "a2aCode"])
        }
        const waited = yield* a2a("send", "-a", `${url}/slow.json`, "task never", "--timeout", "700ms")
        assert.include(waited.stderr, "a2a task get --wait t")
        const old = yield* a2a("-o", "json", "send", "-a", `${url}/old.json`, "hi")
        assert.include(only(old).error.hint, "--a2a-version 0.3")
      }).pipe(Effect.scoped),
    90_000
  )

  it.live(
    "A2ACLI_TASK_POLL_002, A2ACLI_TASK_POLL_004: tells a task's id before it is interrupted, and goes on when a stream is of no use",
    () =>
      Effect.gen(function* () {
        const { url } = yield* startSdkAgent()
        const stopped = yield* a2aWith({ interruptAt: /task \S+\n/ }, "send", "-a", url, "-o", "json", "wait")
        assert.strictEqual(stopped.code, 130, stopped.stderr)
        const id = /task (\S+)\n/.exec(stopped.stderr)?.[1] ?? ""
        assert.strictEqual(
          only(yield* a2a("task", "get", "-a", url, "-o", "json", id)).status.state,
          "TASK_STATE_WORKING"
        )

        let looks = 0
        const broken = yield* startScripted(({ body }, response) => {
          const { method } = JSON.parse(body || "{}")
          if (method === "SendStreamingMessage") {
            response.writeHead(200, { "content-type": "text/event-stream" })
            response.end(`data: ${JSON.stringify(result({ task: task("WORKING") }))}\n\ndata: nonsense\n\n`)
          } else if (method === "GetTask") json(response, result(task(++looks < 3 ? "WORKING" : "COMPLETED")))
          else json(response, cardAt(`${broken.url}/rpc`))
        })
        const sent = yield* a2a("send", "-a", broken.url, "x", "--poll-interval", "20ms")
        assert.strictEqual(fieldsOf(sent.stdout).get("State"), "COMPLETED", sent.stderr)
        assert.strictEqual(looks, 3)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "A2ACLI_SEND_003, A2ACLI_TX_003, A2ACLI_TX_004, A2ACLI_VER_001: does without streams, speaks 0.3 if told to, and takes the tenant and the transport that are wanted",
    () =>
      Effect.gen(function* () {
        const still = yield* startSdkAgent({ streaming: false, tenant: "acme" })
        const sent = yield* a2a(
          "send",
          "-a",
          still.url,
          "--stream",
          "-o",
          "json",
          "slow 300",
          "--poll-interval",
          "50ms"
        )
        assert.strictEqual(sent.code, 0, sent.stderr)
        assert.strictEqual(lines(sent).at(-1).task.status.state, "TASK_STATE_COMPLETED")
        const id = lines(sent).at(-1).task.id
        const rest = ["--transport", "GRPC", "--transport", "HTTP+JSON"]
        assert.strictEqual(only(yield* a2a("task", "get", "-a", still.url, ...rest, "-o", "json", id)).id, id)
        const debug = yield* a2a("task", "get", "-a", still.url, ...rest, "--debug", id)
        assert.match(debug.stderr, /interface chosen[^]*HTTP\+JSON/)

        const old = yield* startSdkAgent({ version: "0.3", bindings: ["JSONRPC"] })
        assert.strictEqual((yield* a2a("send", "-a", old.url, "task it")).code, 1)
        const spoken = yield* a2a("send", "-a", old.url, "--a2a-version", "0.3", "task it")
        assert.strictEqual(fieldsOf(spoken.stdout).get("State"), "COMPLETED", spoken.stderr)
        const refused = yield* a2a("-o", "json", "send", "-a", still.url, "--a2a-version", "9.9", "x")
        assert.strictEqual(only(refused).error.code, "VersionNotSupportedError")
      }).pipe(Effect.scoped),
    90_000
  )

  it.live(
    "A2ACLI_OUT_005: keeps what an agent says off the terminal's controls, and blocks in one piece",
    () =>
      Effect.gen(function* () {
        const said = "red \u001b[31m\n\nState: COMPLETED"
        const artifacts = [{ artifactId: "a\nState: X", parts: [{ text: said }] }]
        const { url } = yield* startScripted(({ path }, response) =>
          json(response, path === "/rpc" ? result(task("FAILED", { artifacts })) : cardAt(`${url}/rpc`))
        )
        const { stdout } = yield* a2a("task", "get", "-a", url, "t")
        assert.notInclude(stdout, "\u001b")
        assert.strictEqual(fieldsOf(stdout).get("State"), "FAILED")
        assert.strictEqual(fieldsOf(stdout).get("Artifact ID"), "a State: X")
        assert.deepStrictEqual(only(yield* a2a("task", "get", "-a", url, "-o", "json", "t")).artifacts, artifacts)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "A2ACLI_CLI_001, A2ACLI_CONFIG_001, A2ACLI_CONFIG_002, A2ACLI_DEFAULT_001, A2ACLI_AUTH_002: explains itself and where its settings come from",
    () =>
      Effect.gen(function* () {
        const help = yield* a2a("help")
        assert.strictEqual(help.code, 0)
        for (const word of ["card get", "task subscribe", "peers", "[default: text]", "A2ACLI_BEARER"]) {
          assert.include(help.stdout, word)
        }
        for (const args of [
          ["send", "--help"],
          ["help", "send"],
          ["send", "-h"]
        ]) {
          const one = yield* a2a(...args)
          assert.deepStrictEqual([one.code, one.stderr], [0, ""])
          assert.include(one.stdout, "--media-type")
        }
        assert.match((yield* a2a("-v")).stdout, /^a2a \d+\.\d+\.\d+\n$/)
        assert.strictEqual((yield* a2a("help", "nothing")).code, 2)
        const bare = yield* a2a()
        assert.strictEqual(bare.code, 1)
        assert.strictEqual(bare.stdout, help.stdout)

        const dir = yield* folder
        const sub = yield* folder
        writeFileSync(
          join(dir, ".env"),
          "A2ACLI_TIMEOUT=1m\nA2ACLI_BEARER=hunter2\nA2ACLI_OUTPUT=json\nA2ACLI_STREAM=true\n"
        )
        writeFileSync(join(sub, "own"), "A2ACLI_TIMEOUT=2m\n")
        const shown = yield* a2aWith(
          { cwd: dir, env: { A2ACLI_OUTPUT: "text" } },
          "config",
          "show",
          "--poll-interval",
          "3s"
        )
        assert.include(shown.stdout, `timeout: 1m (${join(dir, ".env")})`)
        assert.include(shown.stdout, "output: text (A2ACLI_OUTPUT)")
        assert.include(shown.stdout, "poll-interval: 3s (--poll-interval)")
        assert.include(shown.stdout, "page-size: 50 (default)")
        assert.notMatch(shown.stdout, /hunter2|stream/)
        const other = yield* a2aWith({ cwd: dir }, "config", "show", "--config", join(sub, "own"))
        assert.include(other.stdout, `timeout: 2m (${join(sub, "own")})`)
        assert.notInclude(other.stdout, "bearer")
        assert.strictEqual((yield* a2a("config", "show", "--config", "nowhere")).code, 2)
      }).pipe(Effect.scoped),
    60_000
  )
})
