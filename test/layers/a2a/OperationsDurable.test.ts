import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { A2AOperations } from "../../../src/services/a2a/A2AOperations.ts"
import { textOf } from "../../../src/services/durable/Content.ts"
import { temporaryFile } from "../../support/journal.ts"
import { call, messageOf, run, send, taskIn, told } from "./operationsFixtures.ts"

const inFile = <A, E>(use: (filename: string) => Effect.Effect<A, E>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("OperationsDurable", () => {
  it.live("answers with the ended task: its artifact, its history, its times", () =>
    inFile((filename) =>
      run(
        filename,
        Effect.gen(function* () {
          const message = messageOf("hello", { contextId: "c" })
          const task = yield* send(message)
          assert.strictEqual(task.status.state, "TASK_STATE_COMPLETED")
          assert.match(task.status.timestamp ?? "", /^\d{4}-\d{2}-\d{2}T.*Z$/)
          assert.strictEqual(task.contextId, "c")
          assert.deepStrictEqual(task.artifacts, [{ artifactId: "answer", parts: [{ text: "hello" }] }])
          assert.deepStrictEqual(task.history, [{ ...message, taskId: task.id }])
          // The same message is the same task; with other words it is refused; without history there is none.
          assert.strictEqual((yield* send(message)).id, task.id)
          const conflict = yield* Effect.flip(send({ ...message, parts: [{ text: "other" }] }))
          assert.strictEqual(conflict._tag === "A2AError" && conflict.reason, "INVALID_PARAMS")
          assert.isFalse("history" in (yield* send(message, { historyLength: 0 })))
          const first = yield* send(messageOf("parts"), { returnImmediately: true })
          assert.include(["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"], first.status.state)
        })
      )
    )
  )

  it.live(
    "pitfall 1: asks, waits for the answer over a restart, goes on with it, and takes nothing after the end",
    () =>
      inFile((filename) =>
        Effect.gen(function* () {
          const asked = yield* run(filename, send(messageOf("ask twice")))
          assert.strictEqual(asked.status.state, "TASK_STATE_INPUT_REQUIRED")
          assert.strictEqual(textOf(asked.status.message?.parts ?? []), "which colour?")
          yield* run(
            filename,
            Effect.gen(function* () {
              const { getTask, sendMessage, streamMessage } = yield* A2AOperations
              const again = yield* getTask(call(), { id: asked.id })
              assert.deepStrictEqual(again.status, asked.status)
              const elsewhere = messageOf("red", { taskId: asked.id, contextId: "another" })
              const refused = yield* Effect.flip(sendMessage(call(), { message: elsewhere }))
              assert.deepStrictEqual(
                refused.fieldViolations?.map(({ field }) => field),
                ["message.contextId"]
              )
              const red = messageOf("red", { taskId: asked.id })
              const second = taskIn(yield* sendMessage(call(), { message: red }))
              assert.strictEqual(textOf(second.status.message?.parts ?? []), "which size?")
              // The same message again answers nothing more.
              assert.strictEqual(
                taskIn(yield* sendMessage(call(), { message: red })).status.state,
                "TASK_STATE_INPUT_REQUIRED"
              )
              const large = messageOf("large", { taskId: asked.id })
              assert.deepStrictEqual(yield* told(yield* streamMessage(call(), { message: large })), [
                "task TASK_STATE_WORKING",
                "=answer",
                "TASK_STATE_COMPLETED"
              ])
              const done = yield* getTask(call(), { id: asked.id })
              assert.deepStrictEqual(done.artifacts?.[0]?.parts, [{ text: "red large" }])
              assert.deepStrictEqual(
                done.history?.map(({ parts, role }) => `${role === "ROLE_USER" ? "me" : "agent"}: ${textOf(parts)}`),
                ["me: ask twice", "agent: which colour?", "me: red", "agent: which size?", "me: large"]
              )
              const late = yield* Effect.flip(sendMessage(call(), { message: messageOf("more", { taskId: asked.id }) }))
              assert.strictEqual(late.reason, "UNSUPPORTED_OPERATION")
            })
          )
        })
      )
  )

  it.live("streams the task first, artifacts in pieces, and takes a stream up again behind its cursor", () =>
    inFile((filename) =>
      run(
        filename,
        Effect.gen(function* () {
          const { getTask, streamMessage, subscribe } = yield* A2AOperations
          const message = messageOf("parts")
          const items = yield* Stream.runCollect(yield* streamMessage(call(), { message }))
          const [first, ...rest] = items
          if (first === undefined || !("task" in first.item)) throw new Error("no task first")
          const { id } = first.item.task
          const whole = yield* told(Stream.fromIterable(rest))
          assert.deepStrictEqual(whole.slice(-5), [
            "TASK_STATE_WORKING drawing",
            "=picture",
            "=table",
            "+table",
            "TASK_STATE_COMPLETED"
          ])
          assert.deepStrictEqual((yield* getTask(call(), { id })).artifacts, [
            { artifactId: "picture", parts: [{ raw: "aGk=", mediaType: "image/png" }] },
            { artifactId: "table", parts: [{ data: { rows: [1] } }, { data: { rows: [2] } }] }
          ])
          const lastEventId = rest.at(-3)?.cursor ?? ""
          assert.deepStrictEqual(yield* told(yield* subscribe(call({ lastEventId }), { id })), [
            "+table",
            "TASK_STATE_COMPLETED"
          ])
          const ended = yield* Effect.flip(subscribe(call(), { id }))
          assert.strictEqual(ended.reason, "UNSUPPORTED_OPERATION")
          const wrong = yield* Effect.flip(subscribe(call({ lastEventId: "x" }), { id }))
          assert.deepStrictEqual(
            wrong.fieldViolations?.map(({ field }) => field),
            ["Last-Event-ID"]
          )
          const asking = yield* told(yield* streamMessage(call(), { message: messageOf("ask") }))
          assert.strictEqual(asking.at(-1), "TASK_STATE_INPUT_REQUIRED which colour?")
        })
      )
    )
  )

  it.live("what is somebody else's is not there, to the byte", () =>
    inFile((filename) =>
      run(
        filename,
        Effect.gen(function* () {
          const operations = yield* A2AOperations
          const { id } = yield* send(messageOf("ask"))
          const other = call({ caller: "other" })
          const calls = (taskId: string) => [
            operations.getTask(other, { id: taskId }),
            operations.cancelTask(other, { id: taskId }),
            operations.subscribe(other, { id: taskId }),
            operations.sendMessage(other, { message: messageOf("red", { taskId }) }),
            operations.createPushConfig(other, { taskId, url: "http://x" }),
            operations.getPushConfig(other, { taskId, id: "p" }),
            operations.listPushConfigs(other, { taskId }),
            operations.deletePushConfig(other, { taskId, id: "p" })
          ]
          const answers = (taskId: string) =>
            Effect.forEach(calls(taskId), (one) =>
              Effect.map(Effect.flip(Effect.asVoid(one)), (error) => JSON.stringify(error).replaceAll(taskId, "ID"))
            )
          assert.deepStrictEqual(yield* answers(id), yield* answers("nothing"))
          assert.deepStrictEqual((yield* operations.listTasks(other, {})).tasks, [])
        })
      )
    )
  )

  it.live("lists tasks page by page, the latest first, without artifacts unless asked", () =>
    inFile((filename) =>
      run(
        filename,
        Effect.gen(function* () {
          const { listTasks } = yield* A2AOperations
          const sent: Array<string> = []
          for (const text of ["a", "ask", "b", "c", "d"])
            sent.push((yield* send(messageOf(text, { contextId: text === "d" ? "x" : "y" }))).id)
          const pages: Array<string> = []
          let pageToken = ""
          do {
            const page = yield* listTasks(call(), { pageSize: 2, pageToken })
            assert.strictEqual(page.totalSize, 5)
            pages.push(...page.tasks.map(({ id }) => id))
            for (const task of page.tasks) assert.isFalse("artifacts" in task)
            pageToken = page.nextPageToken
          } while (pageToken !== "")
          assert.deepStrictEqual(pages, sent.toReversed())
          const asking = yield* listTasks(call(), { status: "TASK_STATE_INPUT_REQUIRED" })
          assert.deepStrictEqual(
            asking.tasks.map(({ id }) => id),
            [sent[1]]
          )
          const ofContext = yield* listTasks(call(), { contextId: "x", includeArtifacts: true })
          assert.deepStrictEqual(
            ofContext.tasks.map(({ artifacts, id }) => [id, artifacts?.length]),
            [[sent[4], 1]]
          )
          const wrong = yield* Effect.flip(listTasks(call(), { pageToken: "zzz" }))
          assert.strictEqual(wrong.reason, "INVALID_PARAMS")
        })
      )
    )
  )

  it.live("pitfall 5: rejects, cancels, refuses media types, and replies by a message where the agent says so", () =>
    inFile((filename) =>
      run(
        filename,
        Effect.gen(function* () {
          const { cancelTask, sendMessage, streamMessage } = yield* A2AOperations
          const rejected = yield* send(messageOf("reject"))
          assert.strictEqual(rejected.status.state, "TASK_STATE_REJECTED")
          assert.strictEqual(textOf(rejected.status.message?.parts ?? []), "not this")
          const staying = yield* send(messageOf("stay"), { returnImmediately: true })
          assert.strictEqual((yield* cancelTask(call(), { id: staying.id })).status.state, "TASK_STATE_CANCELED")
          const again = yield* Effect.flip(cancelTask(call(), { id: staying.id }))
          assert.strictEqual(again.reason, "TASK_NOT_CANCELABLE")
          const picture = messageOf("", { parts: [{ text: "see" }, { raw: "aGk=", mediaType: "image/png" }] })
          const refused = yield* Effect.flip(sendMessage(call(), { message: picture }))
          assert.strictEqual(refused.reason, "CONTENT_TYPE_NOT_SUPPORTED")
          const reply = yield* sendMessage(call(), { message: messageOf("hi there") })
          assert.strictEqual("message" in reply && textOf(reply.message.parts), "hi there")
          assert.deepStrictEqual(yield* told(yield* streamMessage(call(), { message: messageOf("hi you") })), [
            "message hi you"
          ])
        }),
        { replies: ({ text }) => text.startsWith("hi") }
      )
    )
  )
})
