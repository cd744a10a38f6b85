/**
 * Planted stalls: an engine that loses what it was given, once. Each must be found, named, and mended or ended.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import * as TaskWatch from "../../../src/layers/durable/taskWatch.ts"
import * as TaskRunnerWorkflow from "../../../src/layers/durable/TaskRunnerWorkflow.ts"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"
import { stores, storesAt, temporaryFile } from "../../support/journal.ts"
import { type Execute, message, result, submit, workspaceId } from "../../support/runner.ts"

type Engine = WorkflowEngine["Service"]

/** An engine like the one given, with a fault. */
const faulty = (fault: (engine: Engine, once: () => boolean) => Partial<Engine>) =>
  Layer.effect(
    WorkflowEngine,
    Effect.map(WorkflowEngine, (engine) => {
      let first = true
      const once = () => {
        const was = first
        first = false
        return was
      }
      return WorkflowEngine.of({ ...engine, ...fault(engine, once) })
    })
  )

const run = <A, E>(execute: Execute, fault: Parameters<typeof faulty>[0], use: Effect.Effect<A, E, TaskRunner>) =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const logger = Logger.make(({ message }) => {
      logged.push(Array.isArray(message) ? String(message[0]) : String(message))
    })
    const file = yield* temporaryFile
    const value = yield* use.pipe(
      Effect.timeout("10 seconds"),
      Effect.provide(
        TaskRunnerWorkflow.layerWith({ watch: { every: 50, timerGrace: 100, retryGrace: 200 } }).pipe(
          Layer.provide(Layer.succeed(AgentExecutor, { name: "test", execute })),
          Layer.provide(faulty(fault)),
          Layer.provideMerge(storesAt(file)),
          Layer.provide(Layer.succeed(PlatformConfig, { platformUrl: "http://x", workspaceId, stateDirectory: "/" })),
          Layer.provide(Layer.provide(CheckpointMemory.layer, NodeCrypto.layer)),
          Layer.provide(Logger.layer([logger]))
        )
      )
    )
    return { value, logged }
  }).pipe(Effect.provide(NodeServices.layer))

const waiting: Execute = Effect.fnUntraced(function* () {
  const { wait } = yield* Step
  const text = yield* wait({
    name: "answer",
    reason: "the answer",
    from: "child-7",
    within: 400,
    schema: Schema.String
  })
  return new TaskOutput({ text })
})

describe("planted stalls", () => {
  it.live("pitfall stuck: a task whose start was lost is found and started", () =>
    Effect.gen(function* () {
      const { logged, value } = yield* run(
        // It needs a start of the engine: what takes no step does without.
        Effect.fnUntraced(function* () {
          const { step } = yield* Step
          return new TaskOutput({ text: yield* step("one", Schema.String, Effect.succeed("done")) })
        }),
        (engine, once) => ({
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a start that does nothing has no answer either
          execute: ((...args: Parameters<Engine["execute"]>) =>
            once() ? Effect.void : engine.execute(...args)) as Engine["execute"]
        }),
        Effect.flatMap(submit("m"), result)
      )
      assert.strictEqual(value.output?.text, "done")
      assert.isTrue(logged.some((line) => line.includes("a wake-up was lost")))
    })
  )

  it.live("a timer that was lost is found and fired", () =>
    Effect.gen(function* () {
      const { logged, value } = yield* run(
        Effect.fnUntraced(function* () {
          const { sleep } = yield* Step
          yield* sleep("nap", 100)
          return new TaskOutput({ text: "awake" })
        }),
        () => ({ scheduleClock: () => Effect.void }),
        Effect.flatMap(submit("m"), result)
      )
      assert.strictEqual(value.output?.text, "awake")
      assert.isTrue(logged.some((line) => line.includes("a wait is overdue")))
    })
  )

  it.live("a value that was provided and lost ends in an error that names who was waited for", () =>
    Effect.gen(function* () {
      const { logged, value } = yield* run(
        waiting,
        (engine, once) => ({
          deferredDone: (deferred, options) => (once() ? Effect.void : engine.deferredDone(deferred, options))
        }),
        Effect.gen(function* () {
          const runner = yield* TaskRunner
          const taskId = yield* submit("m")
          yield* suspended(runner)
          yield* runner.provide(taskId, "answer", "42")
          return yield* runner.result(taskId)
        })
      )
      assert.strictEqual(value.state, "failed")
      assert.match(value.error?.detail ?? "", /the answer from child-7/)
      assert.isTrue(logged.some((line) => line.includes("a wake-up was lost")))
      assert.isTrue(logged.some((line) => line.includes("a wait was not kept")))
    })
  )

  it.live("a wake-up that was dropped after the value was kept is made up for", () =>
    Effect.gen(function* () {
      const { value } = yield* run(
        Effect.fnUntraced(function* () {
          const { sleep } = yield* Step
          yield* sleep("nap", 100)
          return new TaskOutput({ text: "awake" })
        }),
        (engine, once) => ({ resume: (...args) => (once() ? Effect.void : engine.resume(...args)) }),
        Effect.flatMap(submit("m"), result)
      )
      assert.strictEqual(value.output?.text, "awake")
    })
  )

  it.live("a child that never answers is named when its time is over", () =>
    Effect.gen(function* () {
      const { value } = yield* run(waiting, () => ({}), Effect.flatMap(submit("m"), result))
      assert.strictEqual(value.error?.reason, "timeout")
      assert.match(value.error?.remedy ?? "", /child-7/)
    })
  )

  it.live("a look reads what is due, and nothing of the tasks that wait or run", () =>
    Effect.gen(function* () {
      const store = yield* TaskStore
      const wait = { _tag: "WaitBegan", wait: "go", kind: "signal", reason: "a word", from: "test" } as const
      for (let index = 0; index < 40; index++) {
        const { task } = yield* store.submit(message(`m-${index}`), 100)
        // One is overdue, one waits for nothing, and the others have all the time there is.
        const deadline = index === 7 ? 1 : Number.MAX_SAFE_INTEGER
        if (index !== 8) yield* store.note(task.input.taskId, { ...wait, deadline })
      }
      const read: Array<string> = []
      const watched = TaskStore.of({
        ...store,
        get: () => Effect.die("a record is read"),
        standing: () => Effect.die("a standing is read"),
        waits: Effect.die("all waits are read"),
        unfinished: Effect.die("all tasks are read"),
        due: (before) => Effect.tap(store.due(before), (found) => Effect.sync(() => read.push(`due ${found.length}`))),
        withoutWait: Effect.tap(store.withoutWait, (found) => Effect.sync(() => read.push(`idle ${found.length}`)))
      })
      const survey = TaskWatch.survey(() => false).pipe(
        Effect.provideService(TaskStore, watched),
        Effect.map(({ idle }) => idle)
      )
      const resumed: Array<string> = []
      const resume = (taskId: string) => Effect.sync(() => resumed.push(taskId))
      const remedies = { fire: () => Effect.void, give: () => Effect.void, resume, idle: survey }
      const idle = yield* Effect.provideService(
        TaskWatch.look(TaskWatch.defaults, remedies, new Set()),
        TaskStore,
        watched
      )
      assert.deepStrictEqual(read, ["due 1", "idle 1"])
      assert.strictEqual(idle.size, 1)
      assert.strictEqual(resumed.length, 1)
      const sql = yield* SqlClient
      const plan = yield* sql`
        EXPLAIN QUERY PLAN SELECT task_id FROM tasks
        WHERE ended IS NULL AND (held IS NOT NULL OR NOT EXISTS (SELECT 1 FROM task_waits WHERE task = number))`
      assert.isTrue(
        plan.some(({ detail }) => String(detail).includes("tasks_unfinished")),
        "tasks that have ended are not looked at"
      )
    }).pipe(Effect.provide(stores))
  )
})

const suspended = (runner: TaskRunner["Service"]) =>
  Effect.gen(function* () {
    while ((yield* runner.activity).running + (yield* runner.activity).queued > 0) yield* Effect.sleep("5 millis")
    return runner
  })
