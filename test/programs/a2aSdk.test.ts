/**
 * `a2a`, as it is installed, against a server made with the A2A project's own SDK.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { a2a, fieldsOf, lines, only } from "../support/a2aCommand.ts"
import { startSdkAgent } from "../support/sdkAgent.ts"

for (const binding of ["JSONRPC", "HTTP+JSON"] as const) {
  const agent = Effect.gen(function* () {
    const { seen, url } = yield* startSdkAgent({ bindings: [binding] })
    return { seen, url, run: (...args: ReadonlyArray<string>) => a2a("-a", url, ...args) }
  })

  describe(`a2a against the SDK's server over ${binding}`, () => {
    it.live(
      "A2ACLI_CARD_GET_001, A2ACLI_CARD_GET_002: the card of a host, an origin and a URL, checked",
      () =>
        Effect.gen(function* () {
          const { run, url } = yield* agent
          assert.strictEqual((yield* a2a("card", "get", "-a", url.replace("http://", ""))).code, 0)
          assert.strictEqual((yield* a2a("card", "get", "-a", `${url}/.well-known/agent-card.json`)).code, 0)
          const card = yield* run("card", "get")
          assert.strictEqual(card.code, 0, card.stderr)
          const fields = fieldsOf(card.stdout)
          assert.strictEqual(fields.get("Name"), "An agent of the SDK")
          assert.include(fields.get("Interface"), binding)
          assert.strictEqual(fields.get("Streaming"), "yes")
          assert.match(fields.get("Skill") ?? "", /^work: /)
          assert.strictEqual(fieldsOf((yield* run("card", "get", "--validate")).stdout).get("Valid"), "yes")
          assert.strictEqual(only(yield* run("card", "get", "-o", "json", "--validate")).version, "1.2.3")
          assert.deepInclude(only(yield* run("card", "get", "-o", "json", "--extended")), { version: "1.2.3" })
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_SEND_001, A2ACLI_SEND_002, A2ACLI_SEND_004, A2ACLI_OUT_001, A2ACLI_OUT_002, A2ACLI_OUT_005: sends, waits, and shows every part",
      () =>
        Effect.gen(function* () {
          const { run } = yield* agent
          const sent = yield* run("send", "task", "it")
          assert.strictEqual(sent.code, 0, sent.stderr)
          const fields = fieldsOf(sent.stdout)
          assert.strictEqual(fields.get("State"), "COMPLETED")
          assert.isString(fields.get("Context ID"))
          assert.include(sent.stdout, "Text:\ndone: it\n\n")
          assert.include(sent.stdout, 'Data:\n{\n  "answer": 42\n}\n\n')
          assert.include(sent.stdout, "File: a.bin, application/octet-stream, 5 bytes\n")
          assert.strictEqual(fields.get("File"), "b.txt, text/plain, size unknown, at https://files.example/b.txt")
          // What is no result is on stderr.
          assert.match(sent.stderr, new RegExp(`^task ${fields.get("Task ID") ?? "?"}\n$`))

          const one = only(yield* run("send", "-o", "json", "task it"))
          assert.deepStrictEqual(Object.keys(one), ["task"])
          assert.strictEqual(one.task.status.state, "TASK_STATE_COMPLETED")
          assert.strictEqual(one.task.artifacts[0].parts.length, 4)
          assert.deepStrictEqual(Object.keys(only(yield* run("send", "-o", "json", "say hi"))), ["message"])
          assert.include((yield* run("send", "say hi")).stdout, "Text:\nhi\n\n")
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_SEND_003, A2ACLI_OUT_003: streams an event a line, the last of which ends it, and a message as the only one",
      () =>
        Effect.gen(function* () {
          const { run } = yield* agent
          const events = lines(yield* run("send", "-o", "json", "--stream", "chunks 3"))
          assert.deepStrictEqual(
            events.map((event) => Object.keys(event)[0]),
            ["task", "statusUpdate", "artifactUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate"]
          )
          assert.strictEqual(events.at(-1)?.statusUpdate.status.state, "TASK_STATE_COMPLETED")
          const streamed = yield* run("send", "--stream", "chunks 1")
          const tail = streamed.stdout.trimEnd().split("\n").slice(-3)
          assert.match(tail.join("\n"), /^Task ID: \S+\nContext ID: \S+\nState: COMPLETED$/)
          const single = yield* run("send", "-o", "json", "--stream", "say hi")
          assert.strictEqual(single.code, 0)
          assert.deepStrictEqual(Object.keys(only(single)), ["message"])
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_TASK_CANCEL_001, A2ACLI_TASK_LIST_001, A2ACLI_TASK_POLL_001, A2ACLI_OUT_006: begins a task without waiting, lists, cancels and waits for it",
      () =>
        Effect.gen(function* () {
          const { run } = yield* agent
          yield* run("send", "task it")
          const started = only(yield* run("send", "-o", "json", "--async", "wait")).task
          assert.isString(started.contextId)
          const text = fieldsOf((yield* run("send", "--async", "wait")).stdout)
          assert.isString(text.get("Task ID"))
          assert.isString(text.get("Context ID"))
          const ids = (page: { readonly tasks: ReadonlyArray<{ readonly id: string }> }) =>
            page.tasks.map(({ id }) => id)
          const working = only(yield* run("task", "list", "-o", "json", "--status", "working"))
          assert.sameMembers(ids(working), [started.id, text.get("Task ID")])
          const inContext = yield* run("task", "list", "-o", "json", "--context-id", started.contextId)
          assert.deepStrictEqual(ids(only(inContext)), [started.id])
          const first = only(yield* run("task", "list", "-o", "json", "--page-size", "2"))
          const second = yield* run(
            "task",
            "list",
            "-o",
            "json",
            "--page-size",
            "2",
            "--page-token",
            first.nextPageToken
          )
          assert.deepStrictEqual([first.tasks.length, only(second).tasks.length], [2, 1])
          assert.strictEqual(lines(yield* run("task", "list", "-o", "json", "--stream")).length, 3)
          assert.strictEqual(fieldsOf((yield* run("task", "list")).stdout).get("Tasks"), "3 of 3")

          const canceled = fieldsOf((yield* run("task", "cancel", started.id)).stdout)
          assert.strictEqual(canceled.get("Task ID"), started.id)
          assert.isString(canceled.get("State"))
          const ended = yield* run("task", "get", "--wait", "--poll-interval", "50ms", started.id)
          assert.strictEqual(fieldsOf(ended.stdout).get("State"), "CANCELED")
          assert.include(ended.stderr, "CANCELED")
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_TASK_SUBSCRIBE_001: follows a task, beginning with the task itself, also one that has ended",
      () =>
        Effect.gen(function* () {
          const { run } = yield* agent
          const long = only(yield* run("send", "-o", "json", "--async", "chunks 200")).task.id
          const followed = lines(yield* run("task", "subscribe", "--stream", "-o", "json", long))
          assert.deepStrictEqual([Object.keys(followed[0])[0], followed[0].task.id], ["task", long])
          const last = followed.at(-1)
          const state = last.statusUpdate?.status.state ?? last.task?.status.state
          assert.strictEqual(state, "TASK_STATE_COMPLETED")
          const ended = only(yield* run("task", "subscribe", "-o", "json", long))
          assert.deepStrictEqual([ended.id, ended.status.state], [long, "TASK_STATE_COMPLETED"])
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_TASK_GET_001: shows a task with its artifacts, and its history if asked",
      () =>
        Effect.gen(function* () {
          const { run } = yield* agent
          const taskId = fieldsOf((yield* run("send", "task it")).stdout).get("Task ID") ?? ""
          const got = yield* run("task", "get", taskId, "--history", "5")
          assert.include(got.stdout, "Message from: user\nText:\ntask it\n")
          assert.include(got.stdout, "done: it")
          const without = fieldsOf((yield* run("task", "get", taskId)).stdout)
          assert.deepStrictEqual([without.get("Task ID"), without.get("State")], [taskId, "COMPLETED"])
          assert.isUndefined(without.get("Message from"))
          const whole = only(yield* run("task", "get", "-o", "json", taskId))
          assert.deepStrictEqual([whole.id, whole.artifacts[0].parts.length], [taskId, 4])
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_INTERACT_001, A2ACLI_INTERACT_002, A2ACLI_INTERACT_004, A2ACLI_TASK_POLL_003: stops at a question, says how to go on, and goes on",
      () =>
        Effect.gen(function* () {
          const { run, url } = yield* agent
          const asked = yield* run("send", "ask me")
          assert.strictEqual(asked.code, 0)
          const question = fieldsOf(asked.stdout)
          const taskId = question.get("Task ID") ?? ""
          const contextId = question.get("Context ID") ?? ""
          assert.strictEqual(question.get("State"), "INPUT_REQUIRED")
          assert.strictEqual(question.get("Resume"), `a2a send --agent-card ${url} --task-id ${taskId} "<reply>"`)
          assert.include(asked.stderr, "INPUT_REQUIRED")
          const answered = yield* run("send", "--task-id", taskId, "task that")
          assert.strictEqual(fieldsOf(answered.stdout).get("State"), "COMPLETED")
          const beside = fieldsOf((yield* run("send", "--context-id", contextId, "task else")).stdout)
          assert.strictEqual(beside.get("Context ID"), contextId)
          assert.notStrictEqual(beside.get("Task ID"), taskId)
          const again = fieldsOf((yield* run("send", "ask again")).stdout)
          const both = ["--task-id", again.get("Task ID") ?? "", "--context-id", again.get("Context ID") ?? ""]
          assert.strictEqual(fieldsOf((yield* run("send", ...both, "task it")).stdout).get("State"), "COMPLETED")
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_EXIT_002, A2ACLI_VER_001: ends with 0 whatever the agent decides, names it, and signals the version",
      () =>
        Effect.gen(function* () {
          const { run, seen } = yield* agent
          for (const [text, state] of [
            ["fail now", "FAILED"],
            ["reject now", "REJECTED"],
            ["auth now", "AUTH_REQUIRED"],
            ["ask now", "INPUT_REQUIRED"]
          ] as const) {
            const ran = yield* run("send", text)
            assert.strictEqual(ran.code, 0)
            assert.strictEqual(fieldsOf(ran.stdout).get("State"), state)
            assert.include(ran.stderr, state)
          }
          assert.strictEqual((yield* seen).headers["a2a-version"], "1.0")
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "A2ACLI_OUT_004, A2ACLI_INTERACT_002, A2ACLI_INTERACT_003: names errors as the protocol does, and makes no task of its own",
      () =>
        Effect.gen(function* () {
          const { run, seen } = yield* agent
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
          const over = yield* run("send", "-o", "json", "--task-id", done, "hello")
          assert.deepStrictEqual([over.code, only(over).error.code], [1, "UnsupportedOperationError"])
          const stream = yield* run("send", "-o", "json", "--stream", "--task-id", "nobody", "hello")
          assert.strictEqual(stream.code, 1)
          assert.strictEqual(lines(stream).at(-1).error.code, "TaskNotFoundError")
          assert.strictEqual((yield* seen).executions, before)
        }).pipe(Effect.scoped),
      60_000
    )
  })
}
