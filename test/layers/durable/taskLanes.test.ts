import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { layerMemory, WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Execution } from "../../../src/layers/durable/stepWorkflow.ts"
import * as TaskLanes from "../../../src/layers/durable/taskLanes.ts"
import { AgentTask, executionId, type TaskInput } from "../../../src/services/durable/AgentTask.ts"

const input: TaskInput = { taskId: "t", contextId: "", messageId: "m", caller: "c", text: "" }

const execution = Effect.map(WorkflowEngine, (engine): Execution => ({
  engine,
  instance: WorkflowInstance.initial(AgentTask, executionId("t", 0))
})).pipe(Effect.provide(layerMemory))

const started = Effect.sync(() => {
  let begun = 0
  const lanes = TaskLanes.make<string, string>(() => Effect.sync(() => void begun++))
  return { lanes, begun: () => begun }
})

describe("taskLanes", () => {
  it.effect("a task that asks for no execution begins none, and nobody can join it afterwards", () =>
    Effect.gen(function* () {
      const { begun, lanes } = yield* started
      assert.strictEqual(yield* lanes.run(input, () => Effect.succeed("done")), "done")
      assert.strictEqual(begun(), 0)
      assert.isUndefined(lanes.join("t", yield* execution))
    })
  )

  it.effect("branches that ask at once get one execution, and it has the task's outcome", () =>
    Effect.gen(function* () {
      const { begun, lanes } = yield* started
      const end = yield* Deferred.make<string, string>()
      const running = yield* Effect.forkChild(
        lanes.run(input, (asked) =>
          Effect.andThen(Effect.all([asked, asked, asked], { concurrency: 3 }), Deferred.await(end))
        ),
        { startImmediately: true }
      )
      assert.strictEqual(begun(), 1)
      assert.isTrue(lanes.isWaiting("t"), "nobody takes a task for running that waits for its start")
      const outcome = lanes.join("t", yield* execution)
      assert.isFalse(lanes.isWaiting("t"))
      yield* Deferred.fail(end, "the task failed")
      assert.deepStrictEqual(yield* Effect.exit(outcome ?? Effect.die("not joined")), Exit.fail("the task failed"))
      assert.deepStrictEqual(yield* Fiber.await(running), Exit.fail("the task failed"))
    })
  )

  it.effect("an execution that is interrupted takes the task with it, and so does whoever cancels", () =>
    Effect.gen(function* () {
      const { lanes } = yield* started
      const never = lanes.run(input, () => Effect.never)
      const first = yield* Effect.forkChild(never, { startImmediately: true })
      const outcome = lanes.join("t", yield* execution) ?? Effect.die("not joined")
      const joined = yield* Effect.forkChild(outcome, { startImmediately: true })
      yield* Fiber.interrupt(joined)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(first)))
      const second = yield* Effect.forkChild(never, { startImmediately: true })
      yield* lanes.interrupt("t")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(second)))
      yield* lanes.interrupt("t")
    })
  )

  it.effect("a start that dies ends the wait for it", () =>
    Effect.gen(function* () {
      const lanes = TaskLanes.make<Execution, never>(() => Effect.die("no start"))
      const exit = yield* Effect.exit(lanes.run(input, (asked) => asked))
      assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
    })
  )
})
