/**
 * `a2a`, as it is installed, against a platform and workspaces of ours, each a process of its own.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { a2a, a2aWith, fieldsOf, lines, only } from "../support/a2aCommand.ts"
import * as OwnAgent from "../support/ownAgent.ts"
import { eventually } from "../support/processes.ts"

const live = { timeout: "60 seconds", excludeTestServices: true } as const

layer(OwnAgent.layer, live)("a2a against our own server", (it) => {
  for (const [name, options] of [
    ["JSON-RPC", ["--transport", "JSONRPC"]],
    ["HTTP+JSON", ["--transport", "HTTP+JSON"]],
    ["0.3", ["--a2a-version", "0.3"]]
  ] as const) {
    it.effect(
      `does what each command is for over ${name}`,
      () =>
        Effect.gen(function* () {
          const agent = yield* (yield* OwnAgent.Team).workspace(`agent ${name}`)
          yield* agent.begin
          const run = (...args: ReadonlyArray<string>) => a2a("-a", agent.url, ...options, ...args)

          assert.include((yield* run("card", "get", "--validate")).stdout, "Valid: yes")
          const sent = yield* run("send", "task", "it")
          assert.strictEqual(sent.code, 0, sent.stderr)
          assert.strictEqual(fieldsOf(sent.stdout).get("State"), "COMPLETED")
          assert.include(sent.stdout, "Text:\ndone: it\n\n")
          assert.include(sent.stdout, "File: a.bin, application/octet-stream, 5 bytes\n")
          assert.include((yield* run("send", "say", "hi")).stdout, "Text:\nhi\n\n")

          const events = lines(yield* run("send", "-o", "json", "--stream", "chunks 15"))
          assert.strictEqual(events.at(-1).statusUpdate.status.state, "TASK_STATE_COMPLETED")
          assert.strictEqual(events.filter((event) => "artifactUpdate" in event).length, 15)

          const started = only(yield* run("send", "-o", "json", "--async", "wait")).task
          const following = yield* Effect.forkChild(run("task", "subscribe", "-o", "json", "--stream", started.id))
          const canceled = only(yield* run("task", "cancel", "-o", "json", started.id))
          assert.strictEqual(canceled.status.state, "TASK_STATE_CANCELED")
          const followed = lines(yield* Fiber.join(following))
          assert.strictEqual(followed[0].task.id, started.id)
          const got = fieldsOf((yield* run("task", "get", started.id, "--wait")).stdout)
          assert.strictEqual(got.get("State"), "CANCELED")

          const question = fieldsOf((yield* run("send", "ask me")).stdout)
          const taskId = question.get("Task ID") ?? ""
          assert.strictEqual(question.get("State"), "INPUT_REQUIRED")
          // The task's context is another.
          const elsewhere = yield* run("send", "-o", "json", "--task-id", taskId, "--context-id", "other", "that")
          assert.deepStrictEqual([elsewhere.code, only(elsewhere).error.code], [1, "InvalidParamsError"])
          const answered = yield* run("send", "--task-id", taskId, "that one")
          assert.strictEqual(answered.code, 0, answered.stderr)
          assert.include(answered.stdout, "done: that one")

          for (const [text, state] of [
            ["fail", "FAILED"],
            ["reject", "REJECTED"]
          ] as const) {
            const ran = yield* run("send", text)
            assert.deepStrictEqual([ran.code, fieldsOf(ran.stdout).get("State")], [0, state])
          }
          const unknown = yield* run("task", "get", "-o", "json", "nobody")
          assert.deepStrictEqual([unknown.code, only(unknown).error.code], [1, "TaskNotFoundError"])
          if (name === "0.3") return
          const page = only(yield* run("task", "list", "-o", "json", "--status", "canceled"))
          assert.deepStrictEqual(
            page.tasks.map(({ id }: { readonly id: string }) => id),
            [started.id]
          )
        }).pipe(Effect.scoped),
      90_000
    )
  }
})

layer(OwnAgent.layer, live)("a2a among workspaces of ours", (it) => {
  it.effect(
    "lists the peers, delegates to them, and finds by its id what it has delegated",
    () =>
      Effect.gen(function* () {
        const team = yield* OwnAgent.Team
        const mine = yield* team.workspace("Alpha")
        yield* mine.begin
        const peer = yield* team.workspace("Beta")
        yield* peer.begin
        const env = { PLATFORM_URL: team.url, WORKSPACE_ID: mine.id, MOLECULE_STATE_DIR: mine.state }
        const run = (...args: ReadonlyArray<string>) => a2aWith({ env }, ...args)

        const peers = yield* run("peers")
        assert.strictEqual(
          peers.stdout,
          `${peer.id}  ${"Beta".padEnd(30)}  ${"online".padEnd(10)}  None\n`,
          peers.stderr
        )
        const info = fieldsOf((yield* run("info")).stdout)
        assert.deepStrictEqual([info.get("ID"), info.get("Name"), info.get("Status")], [mine.id, "Alpha", "online"])

        const done = yield* run("delegate", peer.id, "task", "it")
        assert.deepStrictEqual([done.code, done.stdout], [0, "done: it\n"], done.stderr)
        assert.strictEqual((yield* run("delegate", peer.id, "say", "hi")).stdout, "hi\n")
        const failed = yield* run("delegate", peer.id, "fail")
        assert.deepStrictEqual([failed.code, failed.stdout], [1, ""])
        assert.include(failed.stderr, "it broke")
        const asked = yield* run("delegate", peer.id, "ask me")
        assert.deepStrictEqual([asked.code, asked.stdout], [0, "which one?\n"])
        assert.include(asked.stderr, "input-required")

        const begun = JSON.parse((yield* run("delegate", "--async", peer.id, "chunks 5")).stdout)
        assert.include(begun, { target: peer.id, status: "submitted" })
        const status = yield* eventually(
          Effect.filterOrFail(run("status", peer.id, begun.task_id), ({ stdout }) => stdout.includes("completed"))
        )
        assert.deepStrictEqual([status.code, status.stdout], [0, "Status: completed\n0;1;2;3;4;\n"])
        assert.include((yield* run("status", peer.id, "nobody")).stdout, "Error: ")
        // Five messages, five tasks: none was sent twice.
        const all = only(yield* a2a("-a", peer.url, "-o", "json", "task", "list"))
        assert.strictEqual(all.totalSize, 5)
      }).pipe(Effect.scoped),
    90_000
  )
})
