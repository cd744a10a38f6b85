import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as TaskRunnerMemory from "../../../src/layers/durable/TaskRunnerMemory.ts"
import * as ExecutorFanOut from "../../../src/layers/team/ExecutorFanOut.ts"
import * as PlatformConfigFixed from "../../../src/layers/workspace/PlatformConfigFixed.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { Delegation, DelegationFailed, DelegationResult } from "../../../src/services/team/Delegation.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"
import { settings } from "../../support/agent.ts"

const a = { id: WorkspaceId.make("aaaaaaaa-0ad2-4c9c-9c9e-733e57bdcbee"), name: "a", role: null }
const b = { id: WorkspaceId.make("bbbbbbbb-0ad2-4c9c-9c9e-733e57bdcbee"), name: "b", role: "second" }

const runWith = Effect.fnUntraced(function* (children: ReadonlyArray<typeof a | typeof b>, failing?: WorkspaceId) {
  const sent = yield* Ref.make<
    ReadonlyArray<{ readonly target: WorkspaceId; readonly messageId: string; readonly text: string }>
  >([])
  const Team = Layer.succeed(Delegation, {
    children: Effect.succeed(children),
    delegate: (request) =>
      Effect.gen(function* () {
        yield* Ref.update(sent, (all) => [...all, request])
        if (request.target === failing)
          return yield* new DelegationFailed({ target: request.target, detail: "its printer burns" })
        return new DelegationResult({
          target: request.target,
          taskId: "t",
          text: `${request.text} by ${request.target.slice(0, 1)}\n`
        })
      })
  })
  const ended = yield* Effect.gen(function* () {
    const runner = yield* TaskRunner
    const { input } = yield* runner.submit({ caller: "admin", contextId: "", messageId: "m", text: "work" })
    return yield* runner.result(input.taskId)
  }).pipe(
    Effect.provide(
      TaskRunnerMemory.layer.pipe(
        Layer.provide(ExecutorFanOut.layer),
        Layer.provide([Team, settings(), PlatformConfigFixed.layerTest])
      )
    )
  )
  return { ended, sent: yield* Ref.get(sent) }
})

describe("ExecutorFanOut", () => {
  it.effect("hands the message to every child under an id of its own, and joins the answers in order", () =>
    Effect.gen(function* () {
      const { ended, sent } = yield* runWith([a, b])
      assert.strictEqual(ended.output?.text, "## a\n\nwork by a\n\n## b\n\nwork by b")
      assert.deepStrictEqual(
        sent.map(({ messageId, target }) => [target, messageId]),
        [a, b].map(({ id }) => [id, `${ended.input.taskId}/${id}`])
      )
    })
  )

  it.effect("one child that fails fails the task, and says which", () =>
    Effect.gen(function* () {
      const { ended } = yield* runWith([a, b], b.id)
      assert.strictEqual(ended.state, "failed")
      assert.include(ended.error?.message ?? "", b.id)
      assert.include(ended.error?.message ?? "", "its printer burns")
    })
  )

  it.effect("a coordinator without children says so, and what to do", () =>
    Effect.gen(function* () {
      const { ended } = yield* runWith([])
      assert.strictEqual(ended.state, "failed")
      assert.include(ended.error?.message ?? "", "parent_id")
    })
  )
})
