import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { a2a, fieldsOf, lines, only } from "../support/a2aCommand.ts"
import { startSdkAgent } from "../support/sdkAgent.ts"

for (const binding of ["JSONRPC", "HTTP+JSON"] as const) {
  describe(`a2a against the SDK's server over ${binding}`, () => {
    it.live(
      "does what each command is for",
      () =>
        Effect.gen(function* () {
          const { seen, url } = yield* startSdkAgent({ bindings: [binding] })
          const run = (...args: ReadonlyArray<string>) => a2a("-a", url, ...args)

          assert.strictEqual((yield* a2a("card", "get", "-a", url.replace("http://", ""))).code, 0)
          const card = yield* run("card", "get")
          assert.strictEqual(card.code, 0, card.stderr)
          assert.strictEqual(fieldsOf(card.stdout).get("Name"), "An agent of the SDK")
          assert.include(fieldsOf(card.stdout).get("Interface"), binding)
          assert.strictEqual(only(yield* run("card", "get", "-o", "json", "--validate")).version, "1.2.3")
          assert.deepInclude(only(yield* run("card", "get", "-o", "json", "--extended")), { version: "1.2.3" })

          const sent = yield* run("send", "task", "it")
          assert.strictEqual(sent.code, 0, sent.stderr)
          const fields = fieldsOf(sent.stdout)
          assert.strictEqual(fields.get("State"), "COMPLETED")
          assert.include(sent.stdout, "Text:\ndone: it\n\n")
          assert.include(sent.stdout, 'Data:\n{\n  "answer": 42\n}\n\n')
          assert.strictEqual(fields.get("File"), "b.txt, text/plain, size unknown, at https://files.example/b.txt")
          const taskId = fields.get("Task ID") ?? ""
          assert.match(sent.stderr, new RegExp(taskId))

          const one = only(yield* run("send", "-o", "json", "task it"))
          assert.deepStrictEqual(Object.keys(one), ["task"])
          assert.strictEqual(one.task.status.state, "TASK_STATE_COMPLETED")
          assert.deepStrictEqual(Object.keys(only(yield* run("send", "-o", "json", "say hi"))), ["message"])
          assert.include((yield* run("send", "say hi")).stdout, "Text:\nhi\n\n")

          const events = lines(yield* run("send", "-o", "json", "--stream", "chunks 3"))
          assert.deepStrictEqual(
            events.map((event) => Object.keys(event)[0]),
            ["task", "statusUpdate", "artifactUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate"]
          )
          assert.strictEqual(events.at(-1)?.statusUpdate.status.state, "TASK_STATE_COMPLETED")
          const streamed = yield* run("send", "--stream", "chunks 1")
          const tail = streamed.stdout.trimEnd().split("\n").slice(-3)
          assert.match(tail.join("\n"), /^Task ID: \S+\nContext ID: \S+\nState: COMPLETED$/)
          const single = lines(yield* run("send", "-o", "json", "--stream", "say hi"))
          assert.deepStrictEqual(
            single.map((event) => Object.keys(event)[0]),
            ["message"]
          )

          const long = only(yield* run("send", "-o", "json", "--async", "chunks 300")).task.id
          const followed = lines(yield* run("task", "subscribe", "--stream", "-o", "json", long))
          assert.deepStrictEqual([Object.keys(followed[0])[0], followed[0].task.id], ["task", long])
          assert.strictEqual(followed.at(-1).statusUpdate.status.state, "TASK_STATE_COMPLETED")

          const started = only(yield* run("send", "-o", "json", "--async", "wait")).task
          assert.isString(started.contextId)
          const listed = only(yield* run("task", "list", "-o", "json", "--status", "working"))
          assert.deepStrictEqual(
            listed.tasks.map((found: { readonly id: string }) => found.id),
            [started.id]
          )
          const canceled = fieldsOf((yield* run("task", "cancel", started.id)).stdout)
          assert.strictEqual(canceled.get("Task ID"), started.id)
          const ended = yield* run("task", "get", "--wait", "--poll-interval", "50ms", started.id)
          assert.strictEqual(fieldsOf(ended.stdout).get("State"), "CANCELED")
          assert.include(ended.stderr, "CANCELED")
          assert.strictEqual(only(yield* run("task", "subscribe", "-o", "json", started.id)).id, started.id)

          const got = yield* run("task", "get", taskId, "--history", "5")
          assert.include(got.stdout, "Message from: user\nText:\ntask it\n")
          assert.include(got.stdout, "done: it")
          assert.notInclude((yield* run("task", "get", taskId)).stdout, "task it\n\n")

          const asked = yield* run("send", "ask me")
          assert.strictEqual(asked.code, 0)
          const question = fieldsOf(asked.stdout)
          assert.strictEqual(question.get("State"), "INPUT_REQUIRED")
          assert.include(question.get("Resume"), `--task-id ${question.get("Task ID")}`)
          assert.include(asked.stderr, "INPUT_REQUIRED")
          const answered = yield* run("send", "--task-id", question.get("Task ID") ?? "", "task that")
          assert.strictEqual(fieldsOf(answered.stdout).get("State"), "COMPLETED")
          const beside = yield* run("send", "--context-id", question.get("Context ID") ?? "", "task else")
          assert.strictEqual(fieldsOf(beside.stdout).get("Context ID"), question.get("Context ID"))

          for (const [text, state] of [
            ["fail now", "FAILED"],
            ["reject now", "REJECTED"],
            ["auth now", "AUTH_REQUIRED"]
          ] as const) {
            const ran = yield* run("send", text)
            assert.strictEqual(ran.code, 0)
            assert.strictEqual(fieldsOf(ran.stdout).get("State"), state)
            assert.include(ran.stderr, state)
          }
          assert.strictEqual((yield* seen).headers["a2a-version"], "1.0")
        }).pipe(Effect.scoped),
      90_000
    )

    it.live(
      "names errors as the protocol does, and makes no task of its own",
      () =>
        Effect.gen(function* () {
          const { seen, url } = yield* startSdkAgent({ bindings: [binding] })
          const run = (...args: ReadonlyArray<string>) => a2a("-a", url, ...args)
          const unknown = yield* run("-o", "json", "task", "get", "nobody")
          assert.strictEqual(unknown.code, 1)
          assert.deepInclude(only(unknown).error, { code: "TaskNotFoundError", a2aCode: -32001 })
          assert.strictEqual(unknown.stderr, "")
          const plain = yield* run("task", "cancel", "nobody")
          assert.deepStrictEqual([plain.code, plain.stdout], [1, ""])
          assert.include(plain.stderr, "TaskNotFoundError")
          const done = fieldsOf((yield* run("send", "task it")).stdout).get("Task ID") ?? ""
          assert.deepInclude(only(yield* run("-o", "json", "task", "cancel", done)).error, {
            code: "TaskNotCancelableError"
          })
          const before = (yield* seen).executions
          const rejected = yield* run("send", "-o", "json", "--task-id", "nobody", "hello")
          assert.strictEqual(rejected.code, 1)
          assert.strictEqual(only(rejected).error.code, "TaskNotFoundError")
          assert.include(only(rejected).error.hint, "--debug")
          const stream = yield* run("send", "-o", "json", "--stream", "--task-id", "nobody", "hello")
          assert.strictEqual(lines(stream).at(-1).error.code, "TaskNotFoundError")
          assert.strictEqual((yield* seen).executions, before)
        }).pipe(Effect.scoped),
      60_000
    )
  })
}
