import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as TaskRunnerConfirmed from "../../../src/layers/durable/TaskRunnerConfirmed.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { type Message, textOf, textPart } from "../../../src/services/durable/Content.ts"
import { Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore, type TaskStoreError } from "../../../src/services/durable/TaskStore.ts"
import { temporaryFile } from "../../support/journal.ts"
import { type Execute, message } from "../../support/runner.ts"
import { flush, journalAt, newPlatform, type Platform, shared } from "./checkpointFixtures.ts"
import { workspaceAt } from "./workspaceAt.ts"

const echo: Execute = (input) => Effect.succeed(new TaskOutput({ text: input.text }))

const remoteOf = (platform: Platform) => Effect.map(shared(platform), (built) => Layer.succeed(Checkpoint, built))

const confirmed = Effect.fnUntraced(function* (platform: Platform) {
  const workspace = workspaceAt(yield* temporaryFile, yield* remoteOf(platform), echo)
  return TaskRunnerConfirmed.layerWith({ timeout: "30 seconds" }).pipe(Layer.provide(workspace))
})

describe("the runner and the platform", () => {
  it.effect("answers a message when the platform has confirmed its task, and not before (ack: platform)", () =>
    Effect.gen(function* () {
      const platform = newPlatform(() => "away")
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const sending = yield* Effect.forkChild(runner.submit(message("m-1")))
        yield* TestClock.adjust("20 seconds")
        assert.isUndefined(sending.pollUnsafe())
        assert.strictEqual((yield* runner.activity).queued, 0)
        platform.answer = () => "take"
        yield* TestClock.adjust("5 seconds")
        const { input } = yield* Fiber.join(sending)
        assert.include(platform.arrived, `${input.taskId}/task_receive`)
        assert.strictEqual((yield* runner.result(input.taskId)).state, "completed")
      }).pipe(Effect.provide(yield* confirmed(platform)))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("says so when the platform does not confirm in time; the same message again is the same task", () =>
    Effect.gen(function* () {
      // Whatever becomes of the task, its acceptance has not arrived.
      const gate = yield* Deferred.make<void>()
      const platform = newPlatform(() => "away")
      const execute: Execute = (input) => Effect.andThen(Deferred.await(gate), echo(input))
      const workspace = workspaceAt(yield* temporaryFile, yield* remoteOf(platform), execute)
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const first = yield* Effect.forkChild(Effect.flip(runner.submit(message("m-1"))))
        yield* TestClock.adjust("31 seconds")
        const error = yield* Fiber.join(first)
        assert.strictEqual(error._tag, "NotConfirmed")
        assert.match(error.message, /has not confirmed it \(it has not answered in time\): send the same message again/)
        const again = yield* Effect.forkChild(runner.submit(message("m-1")))
        platform.answer = () => "take"
        yield* TestClock.adjust("5 seconds")
        const task = yield* Fiber.join(again)
        assert.include(error.message, task.input.taskId)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual((yield* runner.result(task.input.taskId)).state, "completed")
      }).pipe(Effect.provide(Layer.provide(TaskRunnerConfirmed.layer, workspace)))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("says why when the platform refuses the task's acceptance", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const platform = newPlatform((step) => (step.endsWith("task_receive") ? "refuse" : "take"))
      const execute: Execute = (input) => Effect.andThen(Deferred.await(gate), echo(input))
      const workspace = workspaceAt(yield* temporaryFile, yield* remoteOf(platform), execute)
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const sending = yield* Effect.forkChild(Effect.flip(runner.submit(message("m-1"))))
        yield* TestClock.adjust("2 seconds")
        const error = yield* Fiber.join(sending)
        assert.match(error.message, /no such workspace/)
        yield* Deferred.succeed(gate, undefined)
      }).pipe(Effect.provide(Layer.provide(TaskRunnerConfirmed.layer, workspace)))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("writes the end of a task, its last checkpoints and its place in the index side by side", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const platform = newPlatform()
      const taskId = yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { input } = yield* runner.submit(message("m-1"))
        yield* runner.result(input.taskId)
        yield* flush
        return input.taskId
      }).pipe(Effect.provide(workspaceAt(filename, yield* remoteOf(platform), echo)))
      const rows = yield* Effect.gen(function* () {
        const journal = yield* Journal
        return [...(yield* journal.read(taskId)), ...(yield* journal.read("~checkpoints"))]
      }).pipe(Effect.provide(journalAt(filename)))
      const described = rows
        .toSorted((a, b) => a.position - b.position)
        .map(({ position, record }) => [position, record._tag === "CheckpointSaved" ? record.stepName : record._tag])
      const [begin, end] = [
        described.findIndex(([, what]) => what === "TaskAccepted"),
        described.findIndex(([, what]) => what === "llm_call")
      ]
      const between = (from: number, names: Array<string>) => {
        const found = described.slice(from, from + names.length)
        assert.deepStrictEqual(
          found.map(([, what]) => what),
          names
        )
        const [first] = found
        assert.deepStrictEqual(
          found.map(([position]) => position),
          names.map((_, index) => Number(first?.[0]) + index)
        )
      }
      between(begin, ["TaskAccepted", "slot-000", "task_receive"])
      between(end, ["llm_call", "slot-000", "task_complete", "TaskMoved"])
      // The newest checkpoint of the workspace is its task's.
      assert.strictEqual(platform.arrived.at(-1), `${taskId}/task_complete`)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("goes on after a lost disk with what the platform has, and runs no step again that it has", () =>
    Effect.gen(function* () {
      const platform = newPlatform()
      const remote = yield* remoteOf(platform)
      const runs = yield* Ref.make<ReadonlyArray<string>>([])
      const gate = yield* Deferred.make<void>()
      const execute: Execute = Effect.fnUntraced(function* (input) {
        const { step } = yield* Step
        const run = (name: string, wait: Effect.Effect<unknown>) =>
          step(
            name,
            Schema.String,
            Effect.andThen(
              Ref.update(runs, (all) => [...all, name]),
              Effect.as(wait, name)
            )
          )
        const one = yield* run("one", Effect.void)
        const two = yield* run("two", Deferred.await(gate))
        return new TaskOutput({ text: `${input.text} ${one} ${two}` })
      })
      const taskId = yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { input } = yield* runner.submit(message("m-1"))
        while ((yield* Ref.get(runs)).length < 2) yield* Effect.yieldNow
        yield* flush
        return input.taskId
      }).pipe(Effect.provide(workspaceAt(yield* temporaryFile, remote, execute)))
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { output, state } = yield* runner.result(taskId)
        assert.deepStrictEqual([state, output?.text], ["completed", "hello one two"])
        assert.deepStrictEqual(yield* Ref.get(runs), ["one", "two", "two"])
        // The message is known there, too.
        assert.strictEqual((yield* runner.submit(message("m-1"))).input.taskId, taskId)
        yield* flush
      }).pipe(Effect.provide(workspaceAt(yield* temporaryFile, remote, execute)))
      // A third disk finds nothing in flight any more.
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        assert.strictEqual((yield* Effect.flip(runner.get(taskId)))._tag, "TaskNotFound")
      }).pipe(Effect.provide(workspaceAt(yield* temporaryFile, remote, execute)))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("asks nobody again after a lost disk, and waits for nothing that has come", () =>
    Effect.gen(function* () {
      const platform = newPlatform()
      const remote = yield* remoteOf(platform)
      const gate = yield* Deferred.make<void>()
      const log: Array<string> = []
      const execute: Execute = Effect.fnUntraced(function* () {
        const { ask, sleep, step, wait } = yield* Step
        const colour = yield* ask({ name: "colour", parts: [textPart("Which colour?")] })
        const word = yield* wait({ name: "word", reason: "w", from: "x", within: 60_000, schema: Schema.String })
        const late = yield* Effect.result(
          wait({ name: "late", reason: "w", from: "x", within: 1000, schema: Schema.String })
        )
        yield* sleep("an hour", 3_600_000)
        yield* step(
          "paint",
          Schema.Void,
          Effect.andThen(
            Effect.sync(() => log.push("paint")),
            Deferred.await(gate)
          )
        )
        const size = yield* ask({ name: "size", parts: [textPart("Which size?")] })
        return new TaskOutput({ text: [textOf(colour.parts), word, late._tag, textOf(size.parts)].join(" ") })
      })
      const say = (messageId: string, text: string): Message => ({
        messageId,
        role: "ROLE_USER",
        parts: [textPart(text)]
      })
      const until = (look: Effect.Effect<boolean, TaskStoreError, TaskStore>) =>
        Effect.gen(function* () {
          while (!(yield* look)) yield* TestClock.adjust("10 seconds")
        })
      const waitsFor = (name: string) =>
        until(
          Effect.flatMap(TaskStore, ({ waits }) => Effect.map(waits, (all) => all.some(({ wait }) => wait === name)))
        )
      const taskId = yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        const { input } = yield* runner.submit(message("m-1"))
        yield* waitsFor("ask/colour")
        yield* runner.receive(input.taskId, say("m-2", "blue"))
        yield* waitsFor("word")
        yield* runner.provide(input.taskId, "word", "please")
        yield* until(Effect.sync(() => log.length === 1))
        yield* flush
        return input.taskId
      }).pipe(Effect.provide(workspaceAt(yield* temporaryFile, remote, execute)))
      yield* Deferred.succeed(gate, undefined)
      const before = yield* DateTime.now
      yield* Effect.gen(function* () {
        const runner = yield* TaskRunner
        while ((yield* (yield* TaskStore).waits).length === 0) yield* Effect.yieldNow
        // No hour has passed.
        assert.deepStrictEqual(yield* DateTime.now, before)
        const [open] = yield* (yield* TaskStore).waits
        assert.strictEqual(open?.wait, "ask/size")
        yield* runner.receive(taskId, say("m-3", "large"))
        const { output, state } = yield* runner.result(taskId)
        assert.deepStrictEqual([state, output?.text], ["completed", "blue please Failure large"])
        const received = (yield* runner.past(taskId)).flatMap(({ event, number }) =>
          event._tag === "Received" ? [[number, event.message.messageId]] : []
        )
        assert.deepStrictEqual(received, [
          [1, "m-2"],
          [2, "m-3"]
        ])
      }).pipe(Effect.provide(workspaceAt(yield* temporaryFile, remote, execute)))
      assert.deepStrictEqual(log, ["paint", "paint"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
