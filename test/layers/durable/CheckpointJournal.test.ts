import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { DatabaseSync } from "node:sqlite"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { Journal, type JournalEntry, Staging } from "../../../src/services/durable/Journal.ts"
import { temporaryFile } from "../../support/journal.ts"
import { checkpointConformance } from "./checkpointConformance.ts"
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
  steps,
  workspaceId
} from "./checkpointFixtures.ts"

checkpointConformance({ name: "CheckpointJournal", layer: over(newPlatform()), runs: 20 })

describe("CheckpointJournal", () => {
  it.effect("an outage of hours delays nobody here, and loses and reorders nothing there", () => {
    const platform = newPlatform(() => "away")
    return Effect.gen(function* () {
      const checkpoint = yield* Checkpoint
      // The clock stands still: no save can have waited for anything.
      yield* saveTask("a")
      yield* TestClock.adjust("3 hours")
      yield* saveTask("b")
      assert.strictEqual((yield* checkpoint.list(workspaceId, "a")).length, 3)
      assert.strictEqual(yield* pending, 6)
      assert.deepStrictEqual(platform.arrived, [])
      // Every 5 s at the end, and neither far more often nor far less.
      assert.isAbove(platform.attempts, 2000)
      assert.isBelow(platform.attempts, 2300)
      platform.answer = () => "take"
      yield* TestClock.adjust("5 seconds")
      yield* flush
      assert.deepStrictEqual(
        platform.arrived,
        ["a", "b"].flatMap((task) => steps.map((step) => `${task}/${step}`))
      )
      assert.strictEqual(yield* pending, 0)
    }).pipe(Effect.provide(over(platform)))
  })

  it.effect("what is unsent when the process ends goes out at the next start, before anything newer", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const platform = newPlatform(() => "away")
      const start = outboxAt(filename, remoteOf(platform))
      yield* Effect.provide(saveTask("a"), start)
      platform.answer = () => "take"
      yield* Effect.provide(Effect.andThen(save("b", "task_receive"), flush), start)
      assert.deepStrictEqual(platform.arrived, [...steps.map((step) => `a/${step}`), "b/task_receive"])
      yield* Effect.provide(flush, start)
      assert.strictEqual(platform.arrived.length, 4)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("what the platform refuses is kept with its reason, and does not hold up what comes behind", () => {
    const platform = newPlatform((step) => (step === "a/llm_call" ? "refuse" : "take"))
    return Effect.gen(function* () {
      const checkpoint = yield* Checkpoint
      const sql = yield* SqlClient
      yield* saveTask("a")
      yield* flush
      assert.deepStrictEqual(platform.arrived, ["a/task_receive", "a/task_complete"])
      assert.strictEqual(platform.attempts, 3)
      yield* TestClock.adjust("1 hour")
      const journal = yield* Journal
      yield* journal.settled
      assert.strictEqual(platform.attempts, 3)
      assert.deepStrictEqual(yield* sql`SELECT workflow_id, step_name, refused FROM checkpoints ORDER BY step_index`, [
        { workflow_id: "a", step_name: "task_receive", refused: null },
        { workflow_id: "a", step_name: "llm_call", refused: "no such workspace" },
        { workflow_id: "a", step_name: "task_complete", refused: null }
      ])
      assert.strictEqual((yield* checkpoint.list(workspaceId, "a")).length, 3)
    }).pipe(Effect.provide(over(platform)))
  })

  it.effect("tasks that run at once arrive in the order in which they were saved", () => {
    const platform = newPlatform((step) => (step.endsWith("llm_call") && platform.attempts % 3 !== 0 ? "away" : "take"))
    return Effect.gen(function* () {
      const sql = yield* SqlClient
      const tasks = ["a", "b", "c", "d"]
      yield* Effect.forEach(tasks, saveTask, { concurrency: 4, discard: true })
      const saved = yield* sql`SELECT workflow_id || '/' || step_name FROM checkpoints ORDER BY position`.values
      yield* flush
      assert.strictEqual(saved.length, 12)
      assert.deepStrictEqual(
        platform.arrived,
        saved.map(([step]) => String(step))
      )
      for (const task of tasks) {
        const ofTask = platform.arrived.filter((step) => step.startsWith(`${task}/`))
        assert.deepStrictEqual(
          ofTask,
          steps.map((step) => `${task}/${step}`)
        )
      }
    }).pipe(Effect.provide(over(platform)))
  })

  it.effect("in an activity a save is part of the commit of its result: without that it is never sent", () => {
    const platform = newPlatform()
    return Effect.gen(function* () {
      const journal = yield* Journal
      const dropped: Array<JournalEntry> = []
      const kept: Array<JournalEntry> = []
      yield* Effect.provideService(saveTask("a"), Staging, dropped)
      yield* Effect.provideService(saveTask("b"), Staging, kept)
      assert.strictEqual(kept.length, 3)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(platform.arrived, [])
      yield* journal.append(kept)
      // Nobody wakes the outbox: it looks again by itself.
      yield* TestClock.adjust("10 seconds")
      yield* flush
      assert.deepStrictEqual(
        platform.arrived,
        steps.map((step) => `b/${step}`)
      )
    }).pipe(Effect.provide(over(platform)))
  })

  it.effect("what does not fit is rejected to the caller, and not queued", () => {
    const platform = newPlatform()
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(save("", "s")))._tag, "CheckpointRejected")
      assert.strictEqual(yield* pending, 0)
    }).pipe(Effect.provide(over(platform)))
  })

  it.effect("goes on after a bug on the way out, and after the database failed for a while", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const platform = newPlatform(() => "crash")
      yield* Effect.gen(function* () {
        yield* saveTask("a")
        yield* TestClock.adjust("10 seconds")
        const other = new DatabaseSync(filename)
        other.exec("ALTER TABLE checkpoint_outbox RENAME TO away")
        platform.answer = () => "take"
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Effect.flip(pending))._tag, "CheckpointUnavailable")
        const waiting = yield* Effect.forkChild(saveTask("b"))
        yield* TestClock.adjust("1 second")
        assert.isUndefined(waiting.pollUnsafe())
        other.exec("ALTER TABLE away RENAME TO checkpoint_outbox")
        other.close()
        yield* TestClock.adjust("2 seconds")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(waiting)))
        yield* flush
        assert.deepStrictEqual(
          platform.arrived,
          ["a", "b"].flatMap((task) => steps.map((step) => `${task}/${step}`))
        )
      }).pipe(Effect.provide(outboxAt(filename, remoteOf(platform))))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("a task's acceptance is confirmed when it has arrived there, or has been refused", () => {
    const platform = newPlatform(() => "away")
    return Effect.gen(function* () {
      const { confirmed } = yield* CheckpointOutbox
      yield* save("a", "task_receive")
      yield* save("b", "task_receive")
      const a = yield* Effect.forkChild(confirmed("a"))
      const again = yield* Effect.forkChild(confirmed("a"))
      const b = yield* Effect.forkChild(Effect.exit(confirmed("b")))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(a.pollUnsafe())
      platform.answer = (step) => (step === "b/task_receive" ? "refuse" : "take")
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.joinAll([a, again])
      assert.isTrue(Exit.isFailure(yield* Fiber.join(b)))
      // What has been answered is so for whoever asks later.
      yield* TestClock.adjust("2 seconds")
      yield* confirmed("a")
      assert.strictEqual((yield* Effect.flip(confirmed("b")))._tag, "CheckpointRejected")
    }).pipe(Effect.provide(over(platform)))
  })

  const Operation = Schema.Struct({
    clear: Schema.Boolean,
    workflowId: Schema.Literals(["a", "b"]),
    stepName: Schema.Literals(["one", "two"]),
    answers: Schema.Array(Schema.Literals(["take", "away"])).check(Schema.isMaxLength(3))
  })
  it.effect.prop(
    "whatever is saved and cleared, on however bad a line, both sides end up with the same",
    [Schema.Array(Operation)],
    ([operations]) => {
      const answers = operations.flatMap((operation) => operation.answers)
      const platform = newPlatform(() => answers.shift() ?? "take")
      return Effect.gen(function* () {
        const there = yield* shared(platform)
        const filename = yield* temporaryFile
        yield* Effect.gen(function* () {
          const here = yield* Checkpoint
          for (const { clear, stepName, workflowId } of operations) {
            yield* clear ? here.clear(workspaceId, workflowId) : save(workflowId, stepName)
          }
          yield* flush
          for (const workflowId of Operation.fields.workflowId.literals) {
            const local = yield* here.list(workspaceId, workflowId)
            const sent = yield* there.list(workspaceId, workflowId)
            assert.deepStrictEqual(
              sent.map(({ stepName }) => stepName),
              local.map(({ stepName }) => stepName)
            )
          }
        }).pipe(Effect.provide(outboxAt(filename, Layer.succeed(Checkpoint, there))))
      }).pipe(Effect.provide(NodeFileSystem.layer))
    },
    { arbitrary: { runs: 30 } }
  )
})
