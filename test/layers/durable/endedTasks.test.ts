import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as EndedTasks from "../../../src/layers/durable/endedTasks.ts"
import * as LiveTask from "../../../src/layers/durable/liveTask.ts"
import { output } from "../../../src/services/durable/Step.ts"

const ended = (taskId: string, at: number, events = 1) => {
  const input = { taskId, contextId: "", messageId: taskId, caller: "c", text: "" }
  const time = DateTime.makeUnsafe(at)
  const task = LiveTask.make({ input, state: "completed", createdAt: time, updatedAt: time }, 0, true)
  for (let number = 1; number <= events; number++) {
    LiveTask.keep(task, { taskId, step: "", attempt: 1, number, sequence: number, at: time, event: output("x") })
  }
  return task
}

describe("endedTasks", () => {
  it("has a task for ten seconds after its end, so that nothing is answered that pruning has taken away", () => {
    const tasks = EndedTasks.make()
    tasks.keep(ended("a", 1000))
    assert.strictEqual(tasks.get("a", 10_999)?.record.input.taskId, "a")
    assert.isUndefined(tasks.get("a", 11_000))
    assert.isUndefined(tasks.get("a", 1000), "and then it has let it go")
  })

  it("has so many, the newest, and none that has said a lot", () => {
    const tasks = EndedTasks.make()
    for (let index = 0; index < 300; index++) tasks.keep(ended(`t${index}`, 0))
    assert.strictEqual(Array.from({ length: 300 }, (_, index) => tasks.get(`t${index}`, 1)).filter(Boolean).length, 256)
    assert.isDefined(tasks.get("t299", 1))
    tasks.keep(ended("long", 0, 65))
    assert.isUndefined(tasks.get("long", 1))
  })

  it("has none that somebody may write to", () => {
    const tasks = EndedTasks.make()
    tasks.keep(ended("a", 0))
    tasks.forget("a")
    assert.isUndefined(tasks.get("a", 1))
  })
})
