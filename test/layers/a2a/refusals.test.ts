import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcMethods from "../../../src/layers/a2a/rpcMethods.ts"
import { ErrorCode } from "../../../src/services/a2a/JsonRpc.ts"
import { JournalUnavailable } from "../../../src/services/durable/Journal.ts"
import { type SubmitError, TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { MessageForgotten } from "../../../src/services/durable/TaskStore.ts"
import { bodyOf, message } from "../../support/agentClient.ts"

/** The answer to a message that the runner does not take. */
const answerTo = (method: string, error: SubmitError) =>
  Effect.gen(function* () {
    const rpc = yield* RpcMethods.make
    const answer = yield* rpc({ caller: "me", body: bodyOf(method, message("hello")), lastEventId: undefined })
    if (answer._tag !== "Single" || !("error" in answer.response)) return assert.fail("it was taken")
    return { busy: answer.busy, ...answer.response.error }
  }).pipe(Effect.provide(Layer.mock(TaskRunner)({ epoch: "e", submit: () => Effect.fail(error) })))

describe("messages that are refused", () => {
  for (const method of ["message/send", "message/stream"]) {
    it.effect(`${method}: of a task that is forgotten, with what is still known of it`, () =>
      Effect.gen(function* () {
        const forgotten = new MessageForgotten({ messageId: "m", taskId: "t-1", state: "completed" })
        const { busy, code, data } = yield* answerTo(method, forgotten)
        assert.isUndefined(busy)
        // Not "task not found", after which our own client sends the message again.
        assert.strictEqual(code, ErrorCode.InvalidParams)
        assert.deepStrictEqual(data, [{ path: "message.messageId", message: forgotten.message }])
        assert.match(forgotten.message, /t-1.*completed.*no longer kept.*new messageId/)
      })
    )

    it.effect(`${method}: what cannot be kept, with reason and remedy and without the file's path`, () =>
      Effect.forEach(
        ["full", "readonly", "failed"] as const,
        (reason) =>
          Effect.gen(function* () {
            const refused = new JournalUnavailable({ file: "/path", reason, detail: "/path said", remedy: "do this" })
            const { busy, code, data, message: said } = yield* answerTo(method, refused)
            assert.deepInclude(busy, { status: 503, retryAfter: 5 })
            assert.strictEqual(code, ErrorCode.Busy)
            assert.deepStrictEqual(data, { retry_after: 5, reason })
            assert.match(said, /is not taken.*do this/)
            assert.notInclude(said, "/path")
          }),
        { discard: true }
      )
    )
  }
})
