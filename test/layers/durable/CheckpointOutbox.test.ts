import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import * as CheckpointOutboxSql from "../../../src/layers/durable/CheckpointOutbox.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"
import { Checkpoint, CheckpointRejected, CheckpointUnavailable } from "../../../src/services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { checkpointConformance, someWorkspaces } from "./checkpointConformance.ts"

const [workspaceId] = someWorkspaces

/** What the platform does with the next request, and what has arrived there. */
interface Platform {
  answer: (step: string) => "take" | "away" | "refuse" | "crash"
  readonly arrived: Array<string>
  attempts: number
}

const newPlatform = (answer: Platform["answer"] = () => "take"): Platform => ({ answer, arrived: [], attempts: 0 })

const remoteOf = (platform: Platform) =>
  Layer.effect(
    Checkpoint,
    Effect.map(Checkpoint, (memory) => {
      const before = Effect.fnUntraced(function* (operation: string, step: string) {
        platform.attempts += 1
        const answer = platform.answer(step)
        if (answer === "away") return yield* new CheckpointUnavailable({ operation, cause: "away" })
        if (answer === "refuse") return yield* new CheckpointRejected({ operation, detail: "no such workspace" })
        if (answer === "crash") return yield* Effect.die("a bug")
        platform.arrived.push(step)
      })
      return Checkpoint.of({
        ...memory,
        save: (input) => Effect.andThen(before("save", `${input.workflowId}/${input.stepName}`), memory.save(input)),
        clear: (workspace, workflowId) =>
          Effect.andThen(before("clear", `clear ${workflowId}`), memory.clear(workspace, workflowId))
      })
    })
  ).pipe(Layer.provide(CheckpointMemory.layer))

const outboxOver = <R>(remote: Layer.Layer<Checkpoint, never, R>, filename: string) =>
  CheckpointOutboxSql.layerWith({ remote }).pipe(
    Layer.provideMerge(SqliteClient.layer({ filename })),
    Layer.provide(NodeCrypto.layerSecureRandom),
    Layer.fresh
  )

const over = (platform: Platform, filename = ":memory:") => outboxOver(remoteOf(platform), filename)

const save = Effect.fnUntraced(function* (workflowId: string, stepName: string, stepIndex = 0) {
  const checkpoint = yield* Checkpoint
  return yield* checkpoint.save({ workspaceId, workflowId, stepName, stepIndex, payload: { stepName } })
})

const steps = ["task_receive", "llm_call", "task_complete"]
const saveTask = (workflowId: string) => Effect.forEach(steps, (step, index) => save(workflowId, step, index))

const flush = Effect.gen(function* () {
  const { flush } = yield* CheckpointOutbox
  const flushing = yield* Effect.forkChild(flush)
  while (flushing.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
  yield* Fiber.join(flushing)
})

const pending = Effect.flatMap(CheckpointOutbox, (outbox) => outbox.pending)

checkpointConformance({ name: "CheckpointOutbox", layer: over(newPlatform()), runs: 20 })

describe("CheckpointOutbox", () => {
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
      const files = yield* FileSystem.FileSystem
      const filename = `${yield* files.makeTempDirectoryScoped()}/workspace.db`
      const platform = newPlatform(() => "away")
      yield* Effect.provide(saveTask("a"), over(platform, filename))
      platform.answer = () => "take"
      yield* Effect.provide(Effect.andThen(save("b", "task_receive"), flush), over(platform, filename))
      assert.deepStrictEqual(platform.arrived, [...steps.map((step) => `a/${step}`), "b/task_receive"])
      yield* Effect.provide(flush, over(platform, filename))
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
      assert.strictEqual(platform.attempts, 3)
      assert.deepStrictEqual(yield* sql`SELECT workflow_id, step_name, rejected FROM checkpoint_outbox`, [
        { workflow_id: "a", step_name: "llm_call", rejected: "no such workspace" }
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
      const saved = yield* sql`SELECT workflow_id || '/' || step_name FROM workflow_checkpoints ORDER BY sequence`
        .values
      yield* flush
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

  it.effect("a save is part of the caller's transaction: taken back, it is never sent", () => {
    const platform = newPlatform()
    return Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* Effect.exit(sql.withTransaction(Effect.andThen(saveTask("a"), Effect.fail("no"))))
      yield* sql.withTransaction(saveTask("b"))
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

  it.effect("goes on after a bug on the way out, and after the database failed for a while", () => {
    const platform = newPlatform(() => "crash")
    return Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* saveTask("a")
      yield* TestClock.adjust("10 seconds")
      yield* sql`ALTER TABLE checkpoint_outbox RENAME TO away`
      platform.answer = () => "take"
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(saveTask("b"))))
      assert.strictEqual((yield* Effect.flip(pending))._tag, "CheckpointUnavailable")
      yield* sql`ALTER TABLE away RENAME TO checkpoint_outbox`
      yield* TestClock.adjust("1 second")
      yield* flush
      assert.deepStrictEqual(
        platform.arrived,
        steps.map((step) => `a/${step}`)
      )
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
        const built = yield* Layer.build(
          remoteOf(platform).pipe(Layer.provide(NodeCrypto.layerSecureRandom), Layer.fresh)
        )
        const there = Context.get(built, Checkpoint)
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
        }).pipe(Effect.provide(outboxOver(Layer.succeedContext(built), ":memory:")))
      })
    },
    { arbitrary: { runs: 30 } }
  )
})
