import { assert, describe, it } from "@effect/vitest"
import * as OperationErrors from "../../../src/layers/a2a/operationErrors.ts"
import { rpcErrorOf, rpcStatusOf } from "../../../src/layers/a2a/errorBodies.ts"
import { JournalUnavailable } from "../../../src/services/durable/Journal.ts"
import { MessageForgotten } from "../../../src/services/durable/TaskStore.ts"

describe("messages that are refused", () => {
  it("of a task that is forgotten, with what is still known of it", () => {
    const forgotten = new MessageForgotten({ messageId: "m", taskId: "t-1", state: "completed" })
    const error = OperationErrors.toA2A(forgotten)
    // Not "task not found", after which our own client sends the message again.
    assert.strictEqual(rpcErrorOf(error).code, -32602)
    assert.deepStrictEqual(error.fieldViolations, [{ field: "message.messageId", description: forgotten.message }])
    assert.match(forgotten.message, /t-1.*completed.*no longer kept.*new messageId/)
  })

  for (const reason of ["full", "readonly", "failed"] as const) {
    it(`what cannot be kept (${reason}), with reason and remedy and without the file's path`, () => {
      const refused = new JournalUnavailable({ file: "/path", reason, detail: "/path said", remedy: "do this" })
      const error = OperationErrors.toA2A(refused)
      assert.deepInclude(error, { retryAfter: 5, metadata: { disk: reason } })
      assert.strictEqual(rpcStatusOf(error), 503)
      assert.match(error.message, /is not taken.*do this/)
      assert.notInclude(JSON.stringify(rpcErrorOf(error)), "/path")
    })
  }
})
