import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerMemory, WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as TaskFeed from "../../../src/layers/durable/taskFeed.ts"
import * as TaskInputs from "../../../src/layers/durable/taskInputs.ts"
import * as TaskStoreMemory from "../../../src/layers/durable/TaskStoreMemory.ts"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { submitted } from "./taskStoreCalls.ts"

const layer = Layer.merge(layerMemory, TaskStoreMemory.layer.pipe(Layer.provide(NodeCrypto.layerSecureRandom)))

describe("taskInputs", () => {
  it.effect("a value that comes while the task goes on to its next execution is given to that, too", () =>
    Effect.gen(function* () {
      const { taskId } = yield* submitted()
      const store = yield* TaskStore
      const engine = yield* WorkflowEngine
      const given: Array<string> = []
      const saved: Array<unknown> = []
      const wait = { wait: "go", kind: "signal", reason: "a word", from: "test", deadline: 1_000 } as const
      yield* store.note(taskId, { _tag: "WaitBegan", ...wait })
      // The task goes on twice, each time when the value is on its way to the execution that it has just left.
      const moving = WorkflowEngine.of({
        ...engine,
        deferredDone: (_deferred, { executionId }) =>
          Effect.gen(function* () {
            given.push(executionId)
            const { segment } = yield* store.standing(taskId)
            if (segment < 2) yield* store.note(taskId, { _tag: "SegmentBegan", segment: segment + 1, steps: {} })
          }).pipe(Effect.orDie)
      })
      const inputs = yield* Effect.provideService(
        Effect.flatMap(TaskFeed.make, (feed) =>
          TaskInputs.make(feed, (_taskId, name, place, encoded) =>
            Effect.sync(() => saved.push([name, place, encoded]))
          )
        ),
        WorkflowEngine,
        moving
      )
      inputs.expect(taskId, "go", { accepts: () => true, place: 3 })
      yield* inputs.provide(taskId, "go", "hello")
      assert.deepStrictEqual(
        given,
        [0, 1, 2].map((segment) => `${taskId}/${segment}`)
      )
      assert.deepStrictEqual(yield* store.waits, [])
      // Once, whatever the number of executions.
      assert.deepStrictEqual(saved, [["wait/go", 3, { _tag: "Success", value: "hello" }]])
    }).pipe(Effect.provide(layer))
  )
})
