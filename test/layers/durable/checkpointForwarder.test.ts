import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as CheckpointPayload from "../../../src/layers/durable/checkpointPayload.ts"
import * as CheckpointSnapshot from "../../../src/layers/durable/checkpointSnapshot.ts"
import * as SecretText from "../../../src/layers/durable/secretText.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { temporaryFile } from "../../support/journal.ts"
import {
  flush,
  newPlatform,
  outboxAt,
  over,
  pending,
  remoteOf,
  save,
  saveTask,
  shared,
  workspaceId
} from "./checkpointFixtures.ts"

const alarm = Effect.flatMap(CheckpointOutbox, (outbox) => outbox.alarm)
const plain = SecretText.make({ values: new Map() })

const partsOf = (name: string, payload: Schema.Json) =>
  Option.getOrElse(CheckpointSnapshot.unpack(name, payload), () => [{ name, index: 0, payload }])

/** What a store of sealed checkpoints says of a workflow: the payload of each step, those in snapshots too. */
const contentOf = Effect.fnUntraced(function* (there: Checkpoint["Service"], workflowId: string) {
  const content = new Map<string, string>()
  for (const step of (yield* there.list(workspaceId, workflowId)).toReversed()) {
    const opened = Result.getOrThrow(CheckpointPayload.open(plain, step))
    for (const { name, payload } of partsOf(opened.stepName, opened.payload)) content.set(name, JSON.stringify(payload))
  }
  return content
})

describe("checkpointForwarder", () => {
  it.effect("a full outbox is compacted, raises its alarm once, and loses nothing of unfinished tasks", () => {
    const platform = newPlatform(() => "away")
    const logged: Array<string> = []
    const log = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Error") logged.push(String(message))
    })
    return Effect.gen(function* () {
      yield* saveTask("before")
      // An answer of the platform's to this one is still awaited.
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* alarm, Option.none())
      yield* save("open", "task_receive")
      for (let turn = 0; turn < 60; turn++) {
        yield* save("open/llm_call", `turn-${turn}`, turn)
        yield* saveTask(`done-${turn}`)
      }
      yield* TestClock.adjust("1 minute")
      assert.isBelow(yield* pending, 35)
      assert.isTrue(Option.isSome(yield* alarm))
      assert.strictEqual(logged.filter((line) => line.includes("is full")).length, 1)

      platform.answer = () => "take"
      yield* TestClock.adjust("10 seconds")
      yield* flush
      // One snapshot in the place of what could not be sent one by one.
      const turns = platform.inputs.filter(({ workflowId }) => workflowId === "open/llm_call")
      assert.isBelow(turns.length, 20)
      const found = new Set<string>()
      for (const input of turns) {
        const { payload, stepName } = Result.getOrThrow(CheckpointPayload.open(plain, input))
        for (const { name } of partsOf(stepName, payload)) found.add(name)
      }
      assert.strictEqual(found.size, 60)
      assert.include(platform.arrived, "open/task_receive")
      assert.include(platform.arrived, "done-59/task_complete")
      assert.deepStrictEqual(yield* alarm, Option.none())
      assert.strictEqual(logged.length, 1)
    }).pipe(Effect.provide(over(platform, { maxEntries: 20 }).pipe(Layer.provideMerge(Logger.layer([log])))))
  })

  it.effect("it is full by its bytes too; and the alarm outlives the process", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const platform = newPlatform(() => "away")
      const start = outboxAt(filename, remoteOf(platform), { maxEntries: 32, maxBytes: 2000 })
      yield* Effect.gen(function* () {
        const checkpoint = yield* Checkpoint
        for (let number = 0; number < 10; number++) {
          yield* checkpoint.save({
            workspaceId,
            workflowId: "a",
            stepName: "same",
            stepIndex: 0,
            payload: "x".repeat(400)
          })
          yield* TestClock.adjust("1 second")
        }
        // The first is on its way, and the newest is there.
        assert.isBelow(yield* pending, 6)
        assert.isTrue(Option.isSome(yield* alarm))
      }).pipe(Effect.provide(start))
      yield* Effect.gen(function* () {
        const [since] = Option.toArray(yield* alarm)
        assert.isDefined(since)
        platform.answer = () => "take"
        yield* TestClock.adjust("10 seconds")
        yield* flush
        assert.deepStrictEqual(yield* alarm, Option.none())
      }).pipe(Effect.provide(start))
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* alarm, Option.none())
      }).pipe(Effect.provide(start))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("what has gone out is noted in batches, and after a crash in between only sent again", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const platform = newPlatform()
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        for (let number = 0; number < 300; number++) yield* save("a", `step-${number}`)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(platform.arrived.length, 300)
        const notes = (yield* journal.read("~checkpoints")).filter(
          ({ record }) => record._tag === "CheckpointsForwarded"
        )
        assert.isBelow(notes.length, 200)
        assert.strictEqual(yield* pending, 0)
      }).pipe(Effect.provide(outboxAt(filename, remoteOf(platform))))
      yield* Effect.provide(flush, outboxAt(filename, remoteOf(platform)))
      assert.strictEqual(platform.arrived.length, 300)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  const Operation = Schema.Struct({
    kind: Schema.Literals(["save", "save", "save", "save", "save", "clear", "time"]),
    task: Schema.Literals(["a", "b", "c"]),
    step: Schema.Literals(["receive", "turn-1", "turn-2", "turn-3", "turn-4", "complete"]),
    payload: Schema.Int
  })
  const nameOf = ({ step, task }: typeof Operation.Type) =>
    step.startsWith("turn") ? ([`${task}/llm_call`, step] as const) : ([task, `task_${step}`] as const)

  it.effect.prop(
    "however small the outbox and however bad the line: of unfinished tasks the platform has everything",
    [Schema.Array(Operation).check(Schema.isMinLength(20)), Schema.Array(Schema.Literals(["take", "away"]))],
    ([operations, answers]) => {
      const left = Array.from(answers)
      const platform = newPlatform(() => left.shift() ?? "take")
      return Effect.gen(function* () {
        const there = yield* shared(platform)
        const filename = yield* temporaryFile
        yield* Effect.gen(function* () {
          const here = yield* Checkpoint
          const ended = new Set<string>()
          for (const operation of operations) {
            const [workflowId, stepName] = nameOf(operation)
            // A task that has ended does not begin again.
            if (operation.kind === "clear" && ended.has(workflowId)) continue
            if (stepName === "task_complete") ended.add(workflowId)
            const { kind, payload } = operation
            if (kind === "time") yield* TestClock.adjust("3 seconds")
            else if (kind === "clear") yield* here.clear(workspaceId, workflowId)
            else yield* here.save({ workspaceId, workflowId, stepName, stepIndex: 0, payload })
          }
          yield* TestClock.adjust("1 second")
          yield* flush
          for (const task of Operation.fields.task.literals) {
            const phases = yield* here.list(workspaceId, task)
            if (phases.some(({ stepName }) => stepName === "task_complete")) continue
            for (const workflowId of [task, `${task}/llm_call`]) {
              const sent = yield* contentOf(there, workflowId)
              for (const { payload, stepName } of yield* here.list(workspaceId, workflowId)) {
                assert.strictEqual(sent.get(stepName), JSON.stringify(payload), `${workflowId} ${stepName}`)
              }
            }
          }
        }).pipe(Effect.provide(outboxAt(filename, Layer.succeed(Checkpoint, there), { maxEntries: 4 })))
      }).pipe(Effect.provide(NodeFileSystem.layer))
    },
    { arbitrary: { runs: 40 } }
  )

  it("steps of a task fit into the parts of a snapshot, in order, and come out as they were", () => {
    const some = Array.from({ length: 50 }, (_, index) => ({
      name: `s-${index}`,
      index,
      payload: "x".repeat(index * 3)
    }))
    const parts = CheckpointSnapshot.pack(some, "e", 9, 500)
    assert.isAbove(parts.length, 5)
    assert.strictEqual(new Set(parts.map(({ stepName }) => stepName)).size, parts.length)
    const out = parts.flatMap((part) => Option.getOrThrow(CheckpointSnapshot.unpack(part.stepName, part.payload)))
    assert.deepStrictEqual(out, some)
    assert.deepStrictEqual(CheckpointSnapshot.unpack("turn-1", { steps: [] }), Option.none())
  })
})
