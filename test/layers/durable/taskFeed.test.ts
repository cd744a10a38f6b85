import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as TaskFeed from "../../../src/layers/durable/taskFeed.ts"
import * as TaskStoreMemory from "../../../src/layers/durable/TaskStoreMemory.ts"
import * as TaskStoreJournal from "../../../src/layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import * as TaskProjection from "../../../src/layers/journal/taskProjection.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { type Cursor, isGap } from "../../../src/services/durable/Cursor.ts"
import { output } from "../../../src/services/durable/Step.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"

const Memory = Layer.provide(TaskStoreMemory.layer, NodeCrypto.layerSecureRandom)
const journalAt = (filename: string) =>
  TaskStoreJournal.layer.pipe(
    Layer.provide(JournalSqlite.layerWith({ filename, projections: [TaskProjection.projection] })),
    Layer.provide(NodeCrypto.layerSecureRandom)
  )

const OnDisk = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return journalAt(`${yield* fs.makeTempDirectoryScoped({ prefix: "molecule-feed-" })}/tasks.db`)
  })
).pipe(Layer.provide(NodeServices.layer))

// A store of which old events can be taken away.
const trimmable = Effect.map(TaskStore, (store) => {
  let trimmed = 0
  const double = TaskStore.of({
    ...store,
    events: (taskId, after, limit) => Effect.suspend(() => store.events(taskId, Math.max(after, trimmed), limit)),
    firstKept: () => Effect.sync(() => trimmed + 1)
  })
  const trimTo = (first: number) =>
    Effect.sync(() => {
      trimmed = first - 1
    })
  return { double, trimTo }
})

// A task, and what it takes to let it say things; event number n says "n".
const task = Effect.gen(function* () {
  const store = yield* TaskStore
  const feed = yield* TaskFeed.make
  const submitted = yield* store.submit({ caller: "me", contextId: "", messageId: "m", text: "" }, 10)
  const { taskId } = submitted.task.input
  const say = (number: number) => feed.append({ taskId, step: "a", attempt: 1, number, event: output(`${number}`) })
  const sayUpTo = (from: number, to: number) =>
    Effect.forEach(
      Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index + 1),
      say,
      { discard: true }
    )
  const end = feed.setState(taskId, { state: "completed", output: new TaskOutput({ text: "" }) })
  const at = (sequence: number): Cursor => ({ epoch: store.epoch, sequence })
  const follow = (after: Cursor | "start" = "start") =>
    Stream.map(feed.events(taskId, after), (said) => (isGap(said) ? said : said.sequence))
  return { at, end, feed, follow, say, sayUpTo, store, taskId }
})

const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index + 1)

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))

describe("taskFeed", () => {
  it.effect.prop(
    "from any point: what was said before and what is said after, whole, once, in order",
    { said: Small, seen: Small, later: Small, turns: Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: 12 })) },
    ({ later, said, seen, turns }) =>
      Effect.gen(function* () {
        const { at, end, follow, sayUpTo } = yield* task
        yield* sayUpTo(0, said)
        const from = Math.min(seen, said)
        const following = yield* Effect.forkChild(Stream.runCollect(follow(from === 0 ? "start" : at(from))))
        const writing = yield* Effect.forkChild(Effect.andThen(sayUpTo(said, said + later), end))
        const whole = upTo(from, said + later + 1)
        assert.deepStrictEqual(yield* Fiber.join(following), whole)
        yield* Fiber.join(writing)
        assert.deepStrictEqual(yield* Stream.runCollect(follow(at(from))), whole)
      }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, turns), Effect.provide(Memory)),
    { arbitrary: { runs: 200 } }
  )

  it.effect.prop(
    "a reader that is cut off and comes again, however often, misses nothing and hears nothing twice",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))), Small],
    ([cuts, count]) =>
      Effect.gen(function* () {
        const { at, end, follow, sayUpTo } = yield* task
        const writing = yield* Effect.forkChild(Effect.andThen(sayUpTo(0, count), end))
        const heard: Array<unknown> = []
        for (const cut of [...cuts, Infinity]) {
          heard.push(...(yield* Stream.runCollect(Stream.take(follow(at(heard.length)), cut))))
        }
        yield* Fiber.join(writing)
        assert.deepStrictEqual(heard, upTo(0, count + 1))
      }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 5), Effect.provide(OnDisk)),
    { arbitrary: { runs: 50 } }
  )

  it.effect("a cursor of another epoch is a gap, and then comes everything that is kept", () =>
    Effect.gen(function* () {
      const { at, end, follow, sayUpTo } = yield* task
      yield* sayUpTo(0, 2)
      yield* end
      const from = { epoch: "another", sequence: 2 }
      assert.deepStrictEqual(yield* Stream.runCollect(follow(from)), [
        { _tag: "Gap", reason: "epoch", from, to: at(0) },
        1,
        2,
        3
      ])
      // Its number is not one of ours even where we have none yet.
      const start = { epoch: "another", sequence: 0 }
      assert.deepInclude((yield* Stream.runCollect(follow(start)))[0], { reason: "epoch", from: start })
    }).pipe(Effect.provide(Memory))
  )

  it.effect("a cursor beyond what was ever said is a gap", () =>
    Effect.gen(function* () {
      const { at, end, follow, sayUpTo } = yield* task
      const gap = (sequence: number) => ({ _tag: "Gap", reason: "unknown", from: at(sequence), to: at(0) })
      const early = yield* Effect.forkChild(Stream.runCollect(follow(at(1))))
      yield* Effect.yieldNow
      yield* sayUpTo(0, 2)
      yield* end
      assert.deepStrictEqual(yield* Fiber.join(early), [gap(1), 1, 2, 3])
      assert.deepStrictEqual(yield* Stream.runCollect(follow(at(4))), [gap(4), 1, 2, 3])
      assert.deepStrictEqual(yield* Stream.runCollect(follow(at(3))), [])
    }).pipe(Effect.provide(Memory))
  )

  it.effect("what was trimmed away is a gap, also while reading", () =>
    Effect.gen(function* () {
      const { double, trimTo } = yield* trimmable
      const { at, end, follow, sayUpTo, taskId } = yield* Effect.provideService(task, TaskStore, double)
      yield* sayUpTo(0, 6)
      yield* trimTo(5)
      const gap = (from: number, to: number) => ({ _tag: "Gap", reason: "trimmed", from: at(from), to: at(to) })
      const live = yield* Queue.unbounded<unknown>()
      const following = yield* Effect.forkChild(Stream.runForEach(follow(at(2)), (said) => Queue.offer(live, said)))
      assert.deepStrictEqual(
        [yield* Queue.take(live), yield* Queue.take(live), yield* Queue.take(live)],
        [gap(2, 4), 5, 6]
      )
      // Written past the feed, so that the reader sleeps through it.
      const store = yield* TaskStore
      for (const number of [7, 8, 9]) {
        yield* store.append({ taskId, step: "a", attempt: 1, number, event: output(`${number}`) })
      }
      yield* trimTo(9)
      yield* end
      yield* Fiber.join(following)
      assert.deepStrictEqual(yield* Queue.takeAll(live), [gap(6, 8), 9, 10])
      assert.deepStrictEqual(yield* Stream.runCollect(follow()), [gap(0, 8), 9, 10])
      assert.deepStrictEqual(yield* Stream.runCollect(follow(at(7))), [gap(7, 8), 9, 10])
      assert.deepStrictEqual(yield* Stream.runCollect(follow(at(8))), [9, 10])
      const epoch = yield* Stream.runCollect(follow({ epoch: "another", sequence: 7 }))
      assert.deepInclude(epoch[0], { reason: "epoch", to: at(8) })
      assert.deepStrictEqual(epoch.slice(1), [9, 10])
    }).pipe(Effect.provide(Memory))
  )

  it.effect("the end is the last thing for everybody, whatever comes too late", () =>
    Effect.gen(function* () {
      const { at, end, follow, sayUpTo } = yield* task
      yield* sayUpTo(0, 1)
      const live = yield* Effect.forkChild(Stream.runCollect(follow()))
      yield* end
      yield* sayUpTo(1, 2)
      assert.deepStrictEqual(yield* Fiber.join(live), [1, 2])
      assert.deepStrictEqual(yield* Stream.runCollect(follow()), [1, 2])
      assert.deepStrictEqual(yield* Stream.runCollect(follow(at(1))), [2])
      assert.deepStrictEqual(yield* Stream.runCollect(follow(at(2))), [])
    }).pipe(Effect.provide(Memory))
  )

  it.effect("an end that comes while the store is read is not missed", () =>
    Effect.gen(function* () {
      const { taskId } = yield* task
      const store = yield* TaskStore
      const read = yield* Deferred.make<void>()
      // What is read is what stood there before the end came.
      const slow = TaskStore.of({
        ...store,
        events: (id, after, limit) =>
          Effect.tap(store.events(id, after, limit), () =>
            Effect.andThen(
              Deferred.succeed(read, undefined),
              store.setState(id, { state: "completed", output: new TaskOutput({ text: "" }) })
            )
          )
      })
      const feed = yield* Effect.provideService(TaskFeed.make, TaskStore, slow)
      const following = yield* Effect.forkChild(Stream.runCollect(feed.events(taskId, "start")))
      yield* Deferred.await(read)
      yield* Effect.yieldNow
      yield* feed.notify(taskId)
      assert.deepStrictEqual((yield* Fiber.join(following)).length, 1)
    }).pipe(Effect.provide(Memory))
  )

  it.effect("a slow reader holds a page, not the task", () =>
    Effect.gen(function* () {
      const { end, follow, sayUpTo, taskId } = yield* task
      const pages: Array<number> = []
      const store = yield* TaskStore
      const counted = TaskStore.of({
        ...store,
        events: (taskId, after, limit) =>
          Effect.tap(store.events(taskId, after, limit), (events) => Effect.sync(() => pages.push(events.length)))
      })
      const feed = yield* Effect.provideService(TaskFeed.make, TaskStore, counted)
      yield* sayUpTo(0, 1000)
      yield* end
      const reading = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const slow = yield* Effect.forkChild(
        Stream.runForEach(feed.events(taskId, "start"), () =>
          Effect.andThen(Deferred.succeed(reading, undefined), Deferred.await(go))
        )
      )
      yield* Deferred.await(reading)
      assert.deepStrictEqual(yield* Stream.runCount(follow()), 1001)
      assert.deepStrictEqual(pages, [TaskFeed.pageSize])
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(slow)
      assert.deepStrictEqual(pages, [256, 256, 256, 233])
    }).pipe(Effect.provide(Memory))
  )

  it.effect("who leaves takes nobody else's news away", () =>
    Effect.gen(function* () {
      const { end, feed, follow, sayUpTo, store, taskId } = yield* task
      yield* sayUpTo(0, 1)
      const heard = yield* Queue.unbounded<unknown>()
      const staying = yield* Effect.forkChild(Stream.runForEach(follow(), (said) => Queue.offer(heard, said)))
      const leaving = yield* Effect.forkChild(Stream.runDrain(follow()), { startImmediately: true })
      assert.strictEqual(yield* Queue.take(heard), 1)
      yield* Fiber.interrupt(leaving)
      yield* sayUpTo(1, 2)
      assert.strictEqual(yield* Queue.take(heard), 2)
      // The end is in the store and not told of yet; another one finds it there and goes.
      yield* store.setState(taskId, { state: "completed", output: new TaskOutput({ text: "" }) })
      yield* feed.reached(taskId, () => false)
      yield* feed.notify(taskId)
      yield* Fiber.join(staying)
      assert.strictEqual(yield* Queue.take(heard), 3)
      yield* end
    }).pipe(Effect.provide(Memory))
  )
})
