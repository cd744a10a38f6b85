import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import * as ExecutorFunction from "../../../src/layers/agent/ExecutorFunction.ts"
import * as ExecutorScripted from "../../../src/layers/agent/ExecutorScripted.ts"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreMemory from "../../../src/layers/durable/TaskStoreMemory.ts"
import type { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { type Cursor, isGap } from "../../../src/services/durable/Cursor.ts"
import { ExecutorError, output, progress, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"
import { saidBy } from "../../support/events.ts"

const workspaceId = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")
const Config = Layer.succeed(PlatformConfig, { platformUrl: "http://x", workspaceId, stateDirectory: "/nowhere" })
const Stores = Layer.mergeAll(TaskStoreMemory.layer, CheckpointMemory.layer, Config).pipe(
  Layer.provide(NodeCrypto.layer)
)

const run = (executor: Layer.Layer<AgentExecutor>, options: Partial<TaskRunnerWorkflow.Options> = {}) =>
  TaskRunnerWorkflow.layerWith(options).pipe(
    Layer.provide(executor),
    Layer.provide(WorkflowEngine.layerMemory),
    Layer.provideMerge(Stores)
  )

const message = (messageId: string, text = "hello") => ({ caller: "me", contextId: "", messageId, text })

// What was said, without a gap.
const said = (runner: TaskRunner["Service"], taskId: string, after: Cursor | "start" = "start") =>
  Stream.map(runner.events(taskId, after), (event) => (isGap(event) ? assert.fail(JSON.stringify(event)) : event))

// The count follows the end of a task; waits until nothing is counted any more.
const idle = Effect.flatMap(TaskRunner, (runner) =>
  runner.activityChanges.pipe(
    Stream.filter((now) => now.running === 0 && now.queued === 0 && now.current === ""),
    Stream.take(1),
    Stream.runDrain
  )
)

describe("TaskRunnerWorkflow", () => {
  it.effect("runs a message through its three phases and checkpoints them in order", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const checkpoint = yield* Checkpoint
      const task = yield* runner.submit(message("m-1"))
      const ended = yield* runner.result(task.input.taskId)
      assert.strictEqual(ended.state, "completed")
      const rows = yield* checkpoint.list(workspaceId, task.input.taskId)
      assert.deepStrictEqual(
        rows.toReversed().map(({ stepIndex, stepName }) => [stepIndex, stepName]),
        [
          [0, "task_receive"],
          [1, "llm_call"],
          [2, "task_complete"]
        ]
      )
    }).pipe(Effect.provide(run(ExecutorScripted.layer)))
  )

  it.effect("the same message is the same task, run once", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const executor = ExecutorFunction.layer(() =>
        Effect.as(
          Ref.update(runs, (n) => n + 1),
          new TaskOutput({ text: "ok" })
        )
      )
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const tasks = yield* Effect.all(
          Array.from({ length: 10 }, () => runner.submit(message("m-1"))),
          { concurrency: 10 }
        )
        assert.strictEqual(new Set(tasks.map((task) => task.input.taskId)).size, 1)
        for (const task of tasks) yield* runner.result(task.input.taskId)
        const conflict = yield* Effect.flip(runner.submit(message("m-1", "something else")))
        assert.strictEqual(conflict._tag, "MessageConflict")
      }).pipe(Effect.provide(run(executor)))
      assert.strictEqual(yield* Ref.get(runs), 1)
    })
  )

  it.effect("streams events in order, from any point, and ends with the task", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const executor = ExecutorFunction.layer(() =>
        Effect.gen(function* () {
          const { emit, step } = yield* Step
          yield* emit(progress("thinking"))
          const text = yield* step("turn", Schema.String, Effect.as(emit(output("a")), "ab"))
          yield* Deferred.await(go)
          yield* emit(output("b"))
          return new TaskOutput({ text })
        })
      )
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { input } = yield* runner.submit(message("m-1"))
        const live = yield* Effect.forkChild(Stream.runCollect(said(runner, input.taskId)))
        yield* Deferred.succeed(go, undefined)
        const events = yield* Fiber.join(live)
        assert.deepStrictEqual(
          events.map(({ sequence }) => sequence),
          events.map((_, index) => index + 1)
        )
        assert.deepStrictEqual(
          events.map(({ event, step }) => [step, saidBy(event)]),
          [
            ["", "submitted"],
            ["", "working"],
            ["", "thinking"],
            ["turn", "a"],
            ["", "b"],
            ["", "completed"]
          ].slice(events.length === 6 ? 0 : 1)
        )
        const after = (sequence: number) =>
          Stream.runCollect(said(runner, input.taskId, { epoch: runner.epoch, sequence }))
        assert.deepStrictEqual(yield* after(events.length - 2), events.slice(-2))
        assert.deepStrictEqual(yield* after(events.length), [])
      }).pipe(Effect.provide(run(executor)))
    })
  )

  it.effect("who follows a task hears each event when it is said, not at the end", () =>
    Effect.gen(function* () {
      const heard = yield* Deferred.make<void>()
      const following = yield* Deferred.make<void>()
      const executor = ExecutorFunction.layer(() =>
        Effect.gen(function* () {
          const { emit } = yield* Step
          // By then the follower has read everything and waits.
          yield* Effect.sleep("1 second")
          yield* emit(output("while it runs"))
          // It does not end before somebody has heard it: a follower that is not told hangs here.
          yield* Deferred.await(heard)
          return new TaskOutput({ text: "" })
        })
      )
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { input } = yield* runner.submit(message("m-1"))
        const live = yield* Effect.forkChild(
          Stream.runForEach(said(runner, input.taskId), ({ event }) => {
            if (event._tag === "Output") return Deferred.succeed(heard, undefined)
            return event._tag === "State" && event.state === "working"
              ? Deferred.succeed(following, undefined)
              : Effect.void
          })
        )
        yield* Deferred.await(following)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* runner.result(input.taskId)).state, "completed")
        yield* Fiber.join(live)
      }).pipe(Effect.provide(run(executor)))
    })
  )

  it.effect("a failing executor fails the task, with its reason, and still checkpoints three phases", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const checkpoint = yield* Checkpoint
      const { input } = yield* runner.submit(message("m-1"))
      const ended = yield* runner.result(input.taskId)
      assert.strictEqual(ended.state, "failed")
      assert.strictEqual(ended.error?.detail, "no such model")
      assert.strictEqual((yield* checkpoint.list(workspaceId, input.taskId)).length, 3)
    }).pipe(
      Effect.provide(
        run(
          ExecutorFunction.layer(() => Effect.fail(new ExecutorError({ reason: "invalid", detail: "no such model" })))
        )
      )
    )
  )

  it.effect("a defect in an executor fails its task and leaves the runner alive", () =>
    Effect.gen(function* () {
      const runner = yield* TaskRunner
      const first = yield* runner.submit(message("m-1", "boom"))
      assert.strictEqual((yield* runner.result(first.input.taskId)).state, "failed")
      const second = yield* runner.submit(message("m-2", "fine"))
      assert.strictEqual((yield* runner.result(second.input.taskId)).state, "completed")
      yield* idle
    }).pipe(
      Effect.provide(
        run(
          ExecutorFunction.layer((task) =>
            task.text === "boom" ? Effect.die("boom") : Effect.succeed(new TaskOutput({ text: "ok" }))
          )
        )
      )
    )
  )

  it.effect("cancel interrupts what runs, whether running or queued, and is final", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const started = yield* Deferred.make<void>()
      const executor = ExecutorFunction.layer(() =>
        Effect.flatMap(Step, ({ step }) =>
          step(
            "work",
            Schema.Void,
            Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
            )
          )
        ).pipe(Effect.as(new TaskOutput({ text: "never" })))
      )
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const running = yield* runner.submit(message("m-1"))
        yield* Deferred.await(started)
        const queued = yield* runner.submit(message("m-2"))
        assert.deepInclude(yield* runner.activity, { running: 1, queued: 1 })
        assert.strictEqual((yield* runner.cancel(queued.input.taskId)).state, "canceled")
        assert.strictEqual((yield* runner.cancel(running.input.taskId)).state, "canceled")
        yield* Deferred.await(interrupted)
        assert.strictEqual((yield* runner.result(running.input.taskId)).state, "canceled")
        assert.strictEqual((yield* Effect.flip(runner.cancel(running.input.taskId)))._tag, "TaskNotCancelable")
        assert.strictEqual((yield* Effect.flip(runner.cancel("nobody")))._tag, "TaskNotFound")
        yield* idle
      }).pipe(Effect.provide(run(executor, { maxRunning: 1 })))
    })
  )

  it.effect("never runs more than its bound, and refuses more than it may keep", () =>
    Effect.gen(function* () {
      const now = yield* Ref.make(0)
      const most = yield* Ref.make(0)
      const gate = yield* Deferred.make<void>()
      const two = yield* Deferred.make<void>()
      const executor = ExecutorFunction.layer(() =>
        Effect.gen(function* () {
          const running = yield* Ref.updateAndGet(now, (n) => n + 1)
          yield* Ref.update(most, (n) => Math.max(n, running))
          if (running === 2) yield* Deferred.succeed(two, undefined)
          yield* Deferred.await(gate)
          yield* Ref.update(now, (n) => n - 1)
          return new TaskOutput({ text: "ok" })
        })
      )
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const tasks = yield* Effect.forEach(
          Array.from({ length: 6 }, (_, i) => `m-${i}`),
          (id) => runner.submit(message(id))
        )
        const refused = yield* Effect.flip(runner.submit(message("one too many")))
        assert.strictEqual(refused._tag, "TooManyTasks")
        yield* Deferred.await(two)
        assert.deepInclude(yield* runner.activity, { running: 2, queued: 4 })
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.forEach(tasks, (task) => runner.result(task.input.taskId))
        assert.strictEqual(yield* Ref.get(most), 2)
      }).pipe(Effect.provide(run(executor, { maxRunning: 2, maxUnfinished: 6 })))
    })
  )

  it.effect("drain refuses new work and waits for what runs", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const executor = ExecutorFunction.layer(() => Effect.as(Deferred.await(gate), new TaskOutput({ text: "ok" })))
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { input } = yield* runner.submit(message("m-1"))
        const draining = yield* Effect.forkChild(runner.drain, { startImmediately: true })
        assert.strictEqual((yield* Effect.flip(runner.submit(message("m-2"))))._tag, "Draining")
        assert.isUndefined(draining.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(draining)
        assert.strictEqual((yield* runner.get(input.taskId)).state, "completed")
      }).pipe(Effect.provide(run(executor)))
    })
  )

  it.effect("goes on with what a former process left unfinished, counting the attempt", () =>
    Effect.gen(function* () {
      const store = yield* TaskStore
      const left = yield* store.submit(message("m-1", "left behind"), 10)
      yield* store.begin(left.task.input.taskId, "command")
      const executor = ExecutorFunction.layer((task) =>
        Effect.flatMap(Step, ({ emit, step }) =>
          step("command", Schema.String, Effect.as(emit(output("again")), task.text))
        ).pipe(Effect.map((text) => new TaskOutput({ text })))
      )
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const ended = yield* runner.result(left.task.input.taskId)
        assert.strictEqual(ended.output?.text, "left behind")
        const said = yield* runner.past(left.task.input.taskId)
        const again = said.find(({ event }) => event._tag === "Output")
        assert.deepInclude(Option.getOrThrow(Option.fromUndefinedOr(again)), { step: "command", attempt: 2 })
      }).pipe(
        Effect.provide(
          TaskRunnerWorkflow.layer.pipe(Layer.provide(executor), Layer.provide(WorkflowEngine.layerMemory))
        )
      )
    }).pipe(Effect.provide(Stores))
  )
})
