import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as InFlightSlots from "../../../src/layers/durable/inFlight.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { InFlight } from "../../../src/services/durable/InFlight.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { temporaryFile } from "../../support/journal.ts"
import { accepted, newPlatform, outboxAt, remoteOf, workspaceId } from "./checkpointFixtures.ts"

const index = Effect.gen(function* () {
  const checkpoint = yield* Checkpoint
  const rows = yield* checkpoint.list(workspaceId, "molecule~in-flight")
  return rows.toReversed().map(({ payload, stepName }) => `${stepName} ${InFlightSlots.taskIn(payload) ?? "free"}`)
})

describe("inFlight", () => {
  const Change = Schema.Struct({ task: Schema.Literals(["a", "b", "c", "d", "e"]), ends: Schema.Boolean })
  it.prop(
    "no two tasks have one place, and there are never more places than there were tasks at once",
    [Schema.Array(Change)],
    ([changes]) => {
      let slots = InFlightSlots.makeSlots([])
      const model = new Map<string, number>()
      let most = 0
      for (const { ends, task } of changes) {
        if (ends) {
          assert.strictEqual(slots.release(task), model.get(task))
          model.delete(task)
        } else {
          const slot = slots.take(task)
          assert.strictEqual(slot, model.get(task) ?? slot)
          model.set(task, slot)
          most = Math.max(most, model.size)
          assert.isBelow(slot, most)
        }
        assert.strictEqual(new Set(model.values()).size, model.size)
        // A start in between changes nothing.
        if (changes.length % 3 === 0) slots = InFlightSlots.makeSlots(model)
      }
    }
  )

  it.effect("the rows of beginning and end keep the index, over a restart too", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const start = outboxAt(filename, remoteOf(newPlatform()))
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        const inFlight = yield* InFlight
        const begin = (taskId: string) => journal.append(inFlight.accepted(accepted(taskId), 5000))
        yield* begin("a")
        yield* begin("b")
        assert.deepStrictEqual(yield* index, ["slot-000 a", "slot-001 b"])
        yield* journal.append(inFlight.ended("a"))
        assert.deepStrictEqual(yield* index, ["slot-000 free", "slot-001 b"])
        // A commit that was refused: the place is free again.
        inFlight.accepted(accepted("x"), 5000)
        inFlight.withdrawn("x")
        assert.deepStrictEqual(inFlight.ended("x"), [])
      }).pipe(Effect.provide(start))
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        const inFlight = yield* InFlight
        const checkpoint = yield* Checkpoint
        yield* journal.append(inFlight.accepted(accepted("c"), 5000))
        yield* journal.append(inFlight.accepted(accepted("d"), 5000))
        assert.deepStrictEqual(yield* index, ["slot-000 c", "slot-001 b", "slot-002 d"])
        const [receive] = yield* checkpoint.list(workspaceId, "c")
        assert.strictEqual(receive?.stepName, "task_receive")
        assert.deepStrictEqual(receive?.payload, {
          task_id: "c",
          status: "received",
          context_id: "c",
          message_id: "m-c",
          caller: "me",
          text: "hello",
          version: 1,
          code: "echo"
        })
      }).pipe(Effect.provide(start))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("without an index there are no rows", () =>
    Effect.gen(function* () {
      const inFlight = yield* InFlight
      assert.deepStrictEqual(inFlight.accepted(accepted("a"), 0), [])
      assert.deepStrictEqual(inFlight.ended("a"), [])
    })
  )

  it("knows its own rows only", () => {
    assert.strictEqual(InFlightSlots.slotOf("slot-012"), 12)
    assert.strictEqual(InFlightSlots.slotOf("slot-1200"), 1200)
    for (const name of ["slot-", "slot-1", "slot-abc", "~snapshot/e/1/0"]) {
      assert.isUndefined(InFlightSlots.slotOf(name))
    }
    for (const payload of [null, {}, { task: null }, { task: 1 }, "t"]) {
      assert.isUndefined(InFlightSlots.taskIn(payload))
    }
  })
})
