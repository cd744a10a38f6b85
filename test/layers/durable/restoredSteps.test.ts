import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as RestoredSteps from "../../../src/layers/durable/restoredSteps.ts"
import { Checkpoint, CheckpointUnavailable } from "../../../src/services/durable/Checkpoint.ts"
import { Config, newPlatform, shared, workspaceId } from "./checkpointFixtures.ts"

describe("restoredSteps", () => {
  it.effect("reads a task's checkpoints once, and waits rather than run a step whose result may be known", () =>
    Effect.gen(function* () {
      const store = yield* shared(newPlatform())
      const payload = { _tag: "Success", value: 1 }
      yield* store.save({ workspaceId, workflowId: "t/llm_call", stepName: "one", stepIndex: 0, payload })
      let reads = 0
      let away = true
      const checkpoint = Checkpoint.of({
        ...store,
        list: (workspace, workflowId) =>
          Effect.suspend(() => {
            reads++
            return away
              ? Effect.fail(new CheckpointUnavailable({ operation: "list", cause: "away" }))
              : store.list(workspace, workflowId)
          })
      })
      const restored = yield* Effect.provideService(RestoredSteps.make, Checkpoint, checkpoint)
      const asked = yield* Effect.forkChild(restored.step("t", "one"))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(asked.pollUnsafe())
      away = false
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Fiber.join(asked), Option.some(payload))
      const before = reads
      assert.deepStrictEqual(yield* restored.step("t", "two"), Option.none())
      assert.strictEqual(reads, before)
      restored.forget("t")
      assert.deepStrictEqual(yield* restored.step("t", "one"), Option.some(payload))
      assert.strictEqual(reads, before + 1)
    }).pipe(Effect.provide(Config))
  )
})
