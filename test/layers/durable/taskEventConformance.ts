import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as Cursor from "../../../src/services/durable/Cursor.ts"
import { progress } from "../../../src/services/durable/Step.ts"
import { type TaskEvent, TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { changeTo, eventOf, interleaved, submitted, ticking, told } from "./taskStoreCalls.ts"

/** What every task store does with events; see `taskStoreConformance`. */
export const eventConformance = <E>(layer: Layer.Layer<TaskStore, E>) =>
  describe("append and events", () => {
    it.effect("numbers events from 1 and answers them in order", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        yield* TestClock.setTime(1_700_000_000_123)
        const first = yield* store.append(eventOf(taskId, "a", 1, 1, "one"))
        const second = yield* store.append({ ...eventOf(taskId, "a", 1, 2, ""), event: progress("two") })
        const events = yield* store.events(taskId, 0)
        assert.deepStrictEqual(events, [Option.getOrThrow(first), Option.getOrThrow(second)])
        assert.deepStrictEqual(events[0], {
          ...eventOf(taskId, "a", 1, 1, "one"),
          sequence: 1,
          at: DateTime.makeUnsafe(1_700_000_000_123)
        })
        assert.deepStrictEqual(told(yield* store.events(taskId, 1)), [[2, "two"]])
        assert.deepStrictEqual(yield* store.events(taskId, 2), [])
        assert.deepStrictEqual(yield* store.events("nobody", 0), [])
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives them page by page", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        for (const number of [1, 2, 3, 4, 5]) yield* store.append(eventOf(taskId, "a", 1, number, `${number}`))
        const sequences = (after: number, limit?: number) =>
          Effect.map(store.events(taskId, after, limit), (events) => events.map(({ sequence }) => sequence))
        assert.deepStrictEqual(yield* sequences(0, 2), [1, 2])
        assert.deepStrictEqual(yield* sequences(2, 2), [3, 4])
        assert.deepStrictEqual(yield* sequences(4, 2), [5])
        assert.deepStrictEqual(yield* sequences(5, 2), [])
        assert.deepStrictEqual(yield* sequences(9, 2), [])
        assert.deepStrictEqual(yield* sequences(1, 0), [])
        assert.deepStrictEqual(yield* sequences(1), [2, 3, 4, 5])
      }).pipe(Effect.provide(layer))
    )

    it.effect("shows them without a hole, while many write", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        const writing = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 60 }, (_, index) => eventOf(taskId, `${index % 4}`, 1, (index >> 2) + 1, "")),
            (event) => store.append(event),
            { concurrency: 8, discard: true }
          )
        )
        const seen: Array<TaskEvent> = []
        while (seen.length < 60) {
          const next = yield* store.events(taskId, seen.length, 7)
          seen.push(...next)
          assert.deepStrictEqual(
            seen.map(({ sequence }) => sequence),
            seen.map((_, index) => index + 1)
          )
          yield* Effect.yieldNow
        }
        yield* Fiber.join(writing)
        assert.deepStrictEqual(yield* store.events(taskId, 0), seen)
      }).pipe(interleaved, Effect.provide(layer))
    )

    it.effect(
      "pitfall stream 3: reads an event as it was answered, also when the task is over and time has gone on",
      () =>
        Effect.gen(function* () {
          const { store, taskId } = yield* submitted()
          const first = yield* store.append(eventOf(taskId, "a", 1, 1, "one"))
          const live = yield* store.events(taskId, 0)
          const { event: end } = yield* store.setState(taskId, changeTo("completed"))
          assert.deepStrictEqual(live, [Option.getOrThrow(first)])
          assert.deepStrictEqual(yield* store.events(taskId, 0), [Option.getOrThrow(first), Option.getOrThrow(end)])
          const task = Option.getOrThrow(yield* store.get(taskId))
          assert.deepStrictEqual(task.updatedAt, Option.getOrThrow(end).at)
        }).pipe(Effect.provide(layer), ticking)
    )

    it.effect("shows an end once the task has it", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        const other = yield* submitted("m-2")
        // Another one's write may be what brings the end to the disk.
        yield* Effect.forkChild(store.append(eventOf(other.taskId, "a", 1, 1, "")))
        const ending = yield* Effect.forkChild(store.setState(taskId, changeTo("failed")))
        while ((yield* store.events(taskId, 0)).length === 0) yield* Effect.yieldNow
        const task = Option.getOrThrow(yield* store.get(taskId))
        assert.strictEqual(task.state, "failed")
        assert.strictEqual(task.error?.detail, "why")
        yield* Fiber.join(ending)
      }).pipe(interleaved, Effect.provide(layer))
    )

    it.effect("keeps the first event of a task, and has an epoch that a cursor can carry", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        assert.strictEqual(yield* store.firstKept(taskId), 1)
        yield* store.append(eventOf(taskId, "a", 1, 1, "one"))
        yield* store.append(eventOf(taskId, "a", 1, 2, "two"))
        assert.strictEqual(yield* store.firstKept(taskId), 1)
        assert.strictEqual(yield* store.firstKept("nobody"), 1)
        const cursor = { epoch: store.epoch, sequence: 2 }
        assert.deepStrictEqual(yield* Cursor.parse("x", Cursor.format(cursor)), cursor)
      }).pipe(Effect.provide(layer))
    )

    it.effect("has another epoch when it is made anew", () =>
      Effect.gen(function* () {
        const epoch = Effect.provide(
          Effect.map(TaskStore, (store) => store.epoch),
          layer
        )
        assert.notStrictEqual(yield* epoch, yield* epoch)
      })
    )

    it.effect("keeps one event of each step, attempt and number: the first", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        yield* store.append(eventOf(taskId, "a", 1, 1, "one"))
        assert.deepStrictEqual(yield* store.append(eventOf(taskId, "a", 1, 1, "again")), Option.none())
        yield* store.append(eventOf(taskId, "a", 2, 1, "two"))
        yield* store.append(eventOf(taskId, "b", 1, 1, "three"))
        const other = yield* submitted("m-2")
        yield* store.append(eventOf(other.taskId, "a", 1, 1, "elsewhere"))
        assert.deepStrictEqual(told(yield* store.events(taskId, 0)), [
          [1, "one"],
          [2, "two"],
          [3, "three"]
        ])
        assert.deepStrictEqual(told(yield* store.events(other.taskId, 0)), [[1, "elsewhere"]])
      }).pipe(Effect.provide(layer))
    )

    it.effect("numbers without gap or repeat when many write at once", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        yield* Effect.forEach(
          Array.from({ length: 60 }, (_, index) => eventOf(taskId, "a", 1, (index % 30) + 1, `${index}`)),
          (event) => store.append(event),
          { concurrency: 20 }
        )
        const events = yield* store.events(taskId, 0)
        assert.deepStrictEqual(
          events.map(({ sequence }) => sequence),
          Array.from({ length: 30 }, (_, index) => index + 1)
        )
        assert.strictEqual(new Set(events.map(({ number }) => number)).size, 30)
      }).pipe(interleaved, Effect.provide(layer))
    )

    it.effect("refuses a number that is not counted from 1", () =>
      Effect.gen(function* () {
        const { store, taskId } = yield* submitted()
        const error = yield* Effect.flip(store.append(eventOf(taskId, "", 1, 0, "x")))
        assert.strictEqual(error._tag, "TaskStoreError")
        assert.strictEqual(error.operation, "append")
      }).pipe(Effect.provide(layer))
    )
  })
