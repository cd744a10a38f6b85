/**
 * Rules of the specification that no other test has, on durable operations: see `docs/a2a-conformance.md`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { A2AOperations } from "../../../src/services/a2a/A2AOperations.ts"
import type * as P from "../../../src/services/a2a/A2AProtocol.ts"
import { type TaskInput, TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { question, Step } from "../../../src/services/durable/Step.ts"
import { temporaryFile } from "../../support/journal.ts"
import { call, execute, messageOf, run, send, taskIn } from "./operationsFixtures.ts"

const operating = <A, E>(
  use: Effect.Effect<A, E, A2AOperations>,
  executor: NonNullable<Parameters<typeof run>[2]> = {}
) => Effect.flatMap(temporaryFile, (filename) => run(filename, use, executor)).pipe(Effect.provide(NodeServices.layer))

const listed = Effect.fnUntraced(function* (contextId?: string) {
  const { listTasks } = yield* A2AOperations
  const { tasks } = yield* listTasks(call(), contextId === undefined ? {} : { contextId })
  return tasks.map(({ id }) => id)
})

describe("rules of the protocol", () => {
  it.live("a task has an id of its own, and the context that its sender named, or a new one", () =>
    operating(
      Effect.gen(function* () {
        const tasks = yield* Effect.forEach([1, 2, 3, 4], () => send(messageOf("hello")))
        assert.strictEqual(new Set(tasks.map(({ id }) => id)).size, 4)
        assert.strictEqual(new Set(tasks.map(({ contextId }) => contextId)).size, 4)
        for (const { contextId } of tasks) assert.isAbove(contextId?.length ?? 0, 0)
        assert.strictEqual((yield* send(messageOf("hello", { contextId: "mine" }))).contextId, "mine")
      })
    )
  )

  it.live("tasks of one context are listed together", () =>
    operating(
      Effect.gen(function* () {
        const first = yield* send(messageOf("one", { contextId: "a" }))
        yield* send(messageOf("other", { contextId: "b" }))
        const second = yield* send(messageOf("two", { contextId: "a" }))
        assert.sameMembers(yield* listed("a"), [first.id, second.id])
        assert.deepStrictEqual(yield* listed("c"), [])
      })
    )
  )

  it.live("a message to a task that there is not begins none", () =>
    operating(
      Effect.gen(function* () {
        const { sendMessage, streamMessage } = yield* A2AOperations
        const message = messageOf("hello", { taskId: "00000000-0000-4000-8000-000000000000" })
        const refused = [
          yield* Effect.flip(sendMessage(call(), { message })),
          yield* Effect.flip(streamMessage(call(), { message }))
        ]
        assert.deepStrictEqual(
          refused.map(({ reason }) => reason),
          ["TASK_NOT_FOUND", "TASK_NOT_FOUND"]
        )
        assert.deepStrictEqual(yield* listed(), [])
      })
    )
  )

  it.live("a message with the id of a task alone is of the task's context", () =>
    operating(
      Effect.gen(function* () {
        const { sendMessage } = yield* A2AOperations
        const asked = yield* send(messageOf("ask", { contextId: "mine" }))
        const answer = messageOf("red", { taskId: asked.id })
        const done = taskIn(yield* sendMessage(call(), { message: answer }))
        assert.strictEqual(done.contextId, "mine")
        assert.deepStrictEqual(
          done.history?.flatMap(({ contextId, messageId }) => (messageId === answer.messageId ? [contextId] : [])),
          ["mine"]
        )
      })
    )
  )

  it.live("a message that names another context than its task's is refused by the field", () =>
    operating(
      Effect.gen(function* () {
        const { getTask, sendMessage } = yield* A2AOperations
        const asked = yield* send(messageOf("ask", { contextId: "mine" }))
        const message = messageOf("red", { taskId: asked.id, contextId: "other" })
        const error = yield* Effect.flip(sendMessage(call(), { message }))
        assert.strictEqual(error.reason, "INVALID_PARAMS")
        assert.deepStrictEqual(
          error.fieldViolations?.map(({ field }) => field),
          ["message.contextId"]
        )
        // And the task still waits for its answer.
        assert.strictEqual((yield* getTask(call(), { id: asked.id })).status.state, "TASK_STATE_INPUT_REQUIRED")
      })
    )
  )

  it.live("what a message refers to is kept with it, and reaches the executor", () =>
    Effect.gen(function* () {
      const given = yield* Ref.make<ReadonlyArray<TaskInput>>([])
      const kept = (task: TaskInput) =>
        Effect.as(
          Ref.update(given, (before) => [...before, task]),
          new TaskOutput({ text: "" })
        )
      const refers = {
        referenceTaskIds: ["one", "two"],
        extensions: ["https://example.com/ext"],
        metadata: { "https://example.com/ext/key": { deep: [1] } }
      }
      const message = messageOf("hello", refers)
      const task = yield* operating(send(message), { execute: kept })
      assert.deepInclude(task.history?.[0], refers)
      const [input] = yield* Ref.get(given)
      assert.deepInclude(input?.message, refers)
    })
  )

  it.live("times are in UTC, to the millisecond", () =>
    operating(
      Effect.gen(function* () {
        const done = yield* send(messageOf("hello"))
        const timestamp = done.status.timestamp ?? assert.fail("no timestamp")
        assert.match(timestamp, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
        const { listTasks } = yield* A2AOperations
        // With the same time in another zone the same tasks are found: what comes in need not be in UTC.
        const since = (text: string) =>
          Effect.map(listTasks(call(), { statusTimestampAfter: text }), ({ tasks }) => tasks.length)
        const shifted = new Date(Date.parse(timestamp) + 3_600_000).toISOString().replace("Z", "+01:00")
        assert.strictEqual(yield* since(timestamp), 1)
        assert.strictEqual(yield* since(shifted), 1)
      }),
      { execute }
    )
  )

  it.live("pitfall 9: every status carries a timestamp", () =>
    operating(
      Effect.gen(function* () {
        const { cancelTask, getTask, listTasks, streamMessage } = yield* A2AOperations
        const statuses: Array<P.TaskStatus> = []
        const streamed = yield* Effect.flatMap(
          streamMessage(call(), { message: messageOf("parts") }),
          Stream.runCollect
        )
        for (const { item } of streamed) {
          if (item === undefined) continue
          if ("task" in item) statuses.push(item.task.status)
          if ("statusUpdate" in item) statuses.push(item.statusUpdate.status)
        }
        assert.isAbove(statuses.length, 3)
        const asked = yield* send(messageOf("ask"))
        const begun = yield* send(messageOf("stay"), { returnImmediately: true })
        const rejected = yield* send(messageOf("reject"))
        for (const { id } of [asked, rejected]) statuses.push((yield* getTask(call(), { id })).status)
        statuses.push(asked.status, begun.status, rejected.status)
        statuses.push((yield* cancelTask(call(), { id: begun.id })).status)
        const { tasks } = yield* listTasks(call(), {})
        assert.strictEqual(tasks.length, 4)
        for (const { timestamp } of [...statuses, ...tasks.map(({ status }) => status)]) {
          assert.match(timestamp ?? "none", /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/)
        }
      })
    )
  )

  it.live("a task that needs credentials says what for, and takes messages meanwhile", () =>
    operating(
      Effect.gen(function* () {
        const { sendMessage } = yield* A2AOperations
        const asked = yield* send(messageOf("credentials"))
        assert.strictEqual(asked.status.state, "TASK_STATE_AUTH_REQUIRED")
        assert.deepStrictEqual(asked.status.message?.parts, [{ text: "log in at https://example.com/" }])
        const done = taskIn(yield* sendMessage(call(), { message: messageOf("done", { taskId: asked.id }) }))
        assert.strictEqual(done.status.state, "TASK_STATE_COMPLETED")
      }),
      {
        execute: Effect.fnUntraced(function* () {
          const { ask } = yield* Step
          yield* ask({ name: "login", kind: "auth", parts: question("log in at https://example.com/") })
          return new TaskOutput({ text: "" })
        })
      }
    )
  )
})
