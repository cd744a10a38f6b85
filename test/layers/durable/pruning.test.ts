import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { DatabaseSync } from "node:sqlite"
import * as Pruning from "../../../src/layers/durable/pruning.ts"
import * as JournalCare from "../../../src/layers/journal/journalCare.ts"
import * as TaskBookJournal from "../../../src/layers/local/TaskBookJournal.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { output, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { TaskBook } from "../../../src/services/local/TaskBook.ts"
import { WorkspaceSettings } from "../../../src/services/workspace/WorkspaceSettings.ts"
import { settings } from "../../support/agent.ts"
import { projections, temporaryFile } from "../../support/journal.ts"
import { type Execute, message } from "../../support/runner.ts"
import { flush, newPlatform, type Platform, shared } from "./checkpointFixtures.ts"
import { workspaceAt } from "./workspaceAt.ts"

/** Does so many steps, or waits. */
const execute: Execute = Effect.fnUntraced(function* ({ text }) {
  const { emit, step, wait } = yield* Step
  if (text === "wait") {
    yield* wait({ name: "word", reason: "a word", from: "me", within: 1e12, schema: Schema.String })
  }
  for (let index = 0; index < Number(text); index++) yield* step(`s${index}`, Schema.Int, Effect.succeed(index))
  yield* emit(output("said"))
  return new TaskOutput({ text: "done" })
})

/** Shorter than in production, since the clock ticks for all that looks around every few seconds. */
const times = { keepFor: Duration.minutes(30), rememberFor: Duration.hours(1) }
const submit = Effect.fnUntraced(function* (messageId: string, text: string) {
  const runner = yield* TaskRunner
  return (yield* runner.submit(message(messageId, text))).input.taskId
})
const done = Effect.fnUntraced(function* (messageId: string, text: string) {
  const id = yield* submit(messageId, text)
  yield* Effect.flatMap(TaskRunner, (runner) => runner.result(id))
  return id
})

/** What is in the file, read beside its owner. */
const look = (file: string, query: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file, { readOnly: true })
    const rows = database.prepare(query).all()
    database.close()
    return rows.map((row) => Object.values(row).map(String).join(" "))
  })
const streams = (file: string) => look(file, "SELECT name FROM streams ORDER BY number")
const ofTask = (file: string, id: string) =>
  Effect.map(streams(file), (names) => names.filter((name) => name === id || name.startsWith(`${id}/`)))
const derived = (file: string) =>
  Effect.forEach(
    projections.flatMap(({ tables }) => tables),
    (table) => look(file, `SELECT * FROM ${table}`)
  )

/** What was derived step by step is what the rows give, now and after it was derived again. */
const isSound = Effect.fnUntraced(function* (file: string) {
  assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, [])
})

const onFile = <A, E, R>(
  use: (file: string, platform: Platform, remote: Checkpoint["Service"]) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const platform = newPlatform()
    return yield* use(yield* temporaryFile, platform, yield* shared(platform))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const start = (file: string, remote: Checkpoint["Service"], options: Partial<Pruning.Options> = {}) =>
  workspaceAt(file, Layer.succeed(Checkpoint, remote), execute, { ...times, ...options }, { maxOwnRows: 40 })

/** Lets the pruning do all that it can: a round begins each minute, and pauses. In small steps, since each does real work. */
const rounds = Effect.repeat(TestClock.adjust("1 second"), { times: 180 })

describe("pruning", () => {
  it.effect("a task goes a stated time after its end, its message is recognised for another, and then is new", () =>
    onFile((file, platform, remote) =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const runner = yield* TaskRunner
          const old = yield* done("old", "3")
          const open = yield* submit("open", "wait")
          yield* flush
          yield* TestClock.adjust("25 minutes")
          const young = yield* done("young", "1")
          yield* flush
          yield* rounds
          assert.strictEqual((yield* runner.get(old)).state, "completed")
          yield* TestClock.adjust("5 minutes")
          yield* rounds
          // Nobody finds it, and nothing of it is left but its tombstone.
          for (const effect of [runner.get(old), runner.cancel(old), runner.past(old), runner.retry(old)]) {
            assert.strictEqual((yield* Effect.flip<unknown, { _tag: string }, never>(effect))._tag, "TaskNotFound")
          }
          const cursor = { epoch: runner.epoch, sequence: 2 }
          const resumed = yield* Effect.flip(Stream.runDrain(runner.events(old, cursor)))
          assert.strictEqual(resumed._tag, "TaskNotFound")
          assert.deepStrictEqual(yield* ofTask(file, old), [])
          assert.deepStrictEqual(yield* look(file, "SELECT * FROM leaving_streams"), [])
          assert.strictEqual((yield* runner.get(young)).state, "completed")
          assert.strictEqual((yield* runner.get(open)).state, "working")
          yield* isSound(file)

          // The list counts it, and shows nothing of it.
          const list = Effect.flatMap(TaskBook, (book) => book.list({ limit: 50, only: undefined }))
          const { pruned, tasks } = yield* Effect.provide(list, TaskBookJournal.layerWith({ file }))
          assert.deepStrictEqual([pruned, ...tasks.map((line) => line.id)], [1, young, open])

          const again = yield* Effect.flip(runner.submit(message("old", "3")))
          assert.strictEqual(again._tag, "MessageForgotten")
          assert.match(again.message, /completed; what it answered is no longer kept: use a new messageId/)
          const other = yield* Effect.flip(runner.submit(message("old", "something else")))
          assert.strictEqual(other._tag, "MessageConflict")

          // The platform forgets it, too, after all that it was told of it.
          yield* TestClock.adjust("1 minute")
          yield* flush
          const told = platform.arrived.filter((step) => step.includes(old))
          assert.deepStrictEqual(told.slice(-2), [`clear ${old}`, `clear ${old}/llm_call`])
          assert.isTrue(platform.arrived.some((step) => step.includes(young)))
          assert.isFalse(platform.arrived.includes(`clear ${open}`))

          yield* TestClock.adjust("61 minutes")
          yield* rounds
          assert.isFalse((yield* streams(file)).includes(`~forgotten/${old}`))
          yield* isSound(file)
          assert.notStrictEqual(yield* done("old", "something else"), old)
        }).pipe(Effect.provide(start(file, remote)))
        yield* isSound(file)
        const before = yield* derived(file)
        yield* JournalCare.rebuild(file, projections)
        assert.deepStrictEqual(yield* derived(file), before)
        // Row numbers of what is pruned are not missed: the journal has not lost its end.
        const epoch = yield* look(file, "SELECT value FROM journal_meta WHERE name = 'epoch'")
        yield* Effect.void.pipe(Effect.provide(start(file, remote)))
        assert.deepStrictEqual(yield* look(file, "SELECT value FROM journal_meta WHERE name = 'epoch'"), epoch)
      })
    )
  )

  it.effect("keeps what the settings say: seven days and 10,000 tasks, and messages for thirty days more", () =>
    Effect.gen(function* () {
      const { keepTasks, keepTasksFor, rememberTasksFor } = yield* WorkspaceSettings
      assert.deepStrictEqual([keepTasksFor, keepTasks, rememberTasksFor], [Duration.days(7), 10_000, Duration.days(30)])
      const { keepFor, keepTasks: most, rememberFor } = Pruning.defaults
      assert.deepStrictEqual([keepFor, most, rememberFor], [keepTasksFor, keepTasks, rememberTasksFor])
    }).pipe(Effect.provide(settings()))
  )

  it.effect("above the stated count those that were accepted first go sooner, but not at once", () =>
    onFile((file, _platform, remote) =>
      Effect.gen(function* () {
        const ids = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6], (index) => done(`m${index}`, "0"))
        yield* flush
        const kept = look(file, "SELECT task_id FROM tasks ORDER BY number")
        assert.deepStrictEqual(yield* kept, ids)
        yield* rounds
        assert.deepStrictEqual(yield* kept, ids.slice(-3))
        yield* isSound(file)
      }).pipe(Effect.provide(start(file, remote, { keepTasks: 3, tasks: 2 })))
    )
  )

  it.effect("an end in the middle of it loses nothing, and the next start completes it", () =>
    onFile((file, _platform, remote) =>
      Effect.gen(function* () {
        // More than one execution.
        const id = yield* Effect.gen(function* () {
          const id = yield* done("long", "600")
          yield* flush
          return id
        }).pipe(Effect.provide(start(file, remote)))
        yield* TestClock.adjust("31 minutes")
        const count = Effect.map(look(file, "SELECT COUNT(*) FROM journal"), ([rows]) => Number(rows))
        const all = yield* count
        const options = { rows: 50, every: Duration.days(99), pause: Duration.seconds(1) }
        let left = all
        // Each of these processes ends after some commits.
        for (let process = 0; process < 100 && (yield* ofTask(file, id)).length > 0; process++) {
          yield* Effect.gen(function* () {
            for (let seconds = 0; seconds < 4; seconds++) {
              const before = yield* count
              yield* TestClock.adjust("1 second")
              assert.isAtMost(before - (yield* count), 2 * options.rows)
            }
            assert.strictEqual(
              (yield* Effect.flip(Effect.flatMap(TaskRunner, (runner) => runner.get(id))))._tag,
              "TaskNotFound"
            )
            assert.deepStrictEqual(yield* Effect.flatMap(TaskStore, (store) => store.unfinished), [])
          }).pipe(Effect.provide(start(file, remote, options)))
          yield* isSound(file)
          left = yield* count
          // Derived again in the middle, it is the same, and nothing that is half gone comes back.
          if (process === 1) yield* JournalCare.rebuild(file, projections)
          assert.deepStrictEqual(yield* look(file, "SELECT * FROM tasks"), [])
          yield* isSound(file)
        }
        assert.deepStrictEqual(yield* ofTask(file, id), [])
        assert.isAbove(all, 1800)
        assert.isBelow(left, 100)
      })
    )
  )

  it.effect("what the platform has not been told yet stays, and goes once it has been told", () =>
    onFile((file, platform, remote) =>
      Effect.gen(function* () {
        const ids = yield* Effect.gen(function* () {
          const told = yield* done("told", "1")
          yield* flush
          platform.answer = () => "away"
          const untold = yield* done("untold", "1")
          yield* TestClock.adjust("31 minutes")
          yield* rounds
          assert.deepStrictEqual(yield* ofTask(file, told), [])
          assert.notStrictEqual((yield* ofTask(file, untold)).length, 0)
          const { pending } = yield* CheckpointOutbox
          assert.isAbove(yield* pending, 0)
          yield* isSound(file)
          return { told, untold }
        }).pipe(Effect.provide(start(file, remote)))
        yield* Effect.gen(function* () {
          yield* rounds
          assert.notStrictEqual((yield* ofTask(file, ids.untold)).length, 0)
          platform.answer = () => "take"
          yield* flush
          yield* rounds
          yield* rounds
          assert.deepStrictEqual(yield* ofTask(file, ids.untold), [])
          yield* flush
          // In order: nothing is told of a task after its clear.
          const last = platform.arrived.findLastIndex((step) => step === `${ids.untold}/task_complete`)
          assert.isAbove(platform.arrived.indexOf(`clear ${ids.untold}`), last)
          yield* isSound(file)
        }).pipe(Effect.provide(start(file, remote)))
      })
    )
  )

  it.effect("nothing goes while the alarm of the outbox stands", () =>
    onFile((file, platform, remote) =>
      Effect.gen(function* () {
        const told = yield* done("told", "1")
        yield* flush
        platform.answer = () => "away"
        for (let task = 0; task < 5; task++) yield* done(`m${task}`, "0")
        const { alarm } = yield* CheckpointOutbox
        yield* TestClock.adjust("31 minutes")
        yield* rounds
        assert.isTrue(Option.isSome(yield* alarm))
        assert.notStrictEqual((yield* ofTask(file, told)).length, 0)
        platform.answer = () => "take"
        yield* flush
        yield* rounds
        assert.isTrue(Option.isNone(yield* alarm))
        assert.deepStrictEqual(yield* ofTask(file, told), [])
        yield* isSound(file)
      }).pipe(Effect.provide(workspaceAt(file, Layer.succeed(Checkpoint, remote), execute, times, { maxEntries: 8 })))
    )
  )

  it.effect("a reader that is overtaken by it is told so, and does not take what it has for all", () =>
    onFile((file, _platform, remote) =>
      Effect.gen(function* () {
        const runner = yield* TaskRunner
        const id = yield* done("m", "600")
        yield* flush
        let seen = 0
        const exit = yield* runner.events(id, "start").pipe(
          Stream.rechunk(1),
          Stream.tap(() =>
            Effect.gen(function* () {
              if (++seen > 1) return
              yield* TestClock.adjust("31 minutes")
              yield* rounds
              assert.deepStrictEqual(yield* ofTask(file, id), [])
            })
          ),
          Stream.flatMap((event) => Stream.fromEffect(Effect.as(runner.past(id), event))),
          Stream.runDrain,
          Effect.exit
        )
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isFailure(exit)) assert.match(Cause.pretty(exit.cause), /TaskNotFound|there is no task/)
      }).pipe(Effect.provide(start(file, remote)))
    )
  )

  it.effect("what is noted for all tasks begins anew now and then, with what still counts of it", () =>
    onFile((file, _platform, remote) =>
      Effect.gen(function* () {
        const own = look(file, "SELECT name FROM streams WHERE name LIKE '~checkpoints%'")
        const length = Effect.map(
          look(
            file,
            "SELECT COUNT(*) FROM journal WHERE stream = (SELECT number FROM streams WHERE name = '~checkpoints')"
          ),
          ([rows]) => Number(rows)
        )
        const index = () =>
          look(file, "SELECT step_name, step_index, workflow_id FROM checkpoints WHERE step_name LIKE 'slot%'")
        const open = yield* Effect.gen(function* () {
          const open = yield* submit("open", "wait")
          for (let task = 0; task < 60; task++) yield* done(`m${task}`, "0")
          yield* flush
          assert.isAbove(yield* length, 100)
          const before = yield* index()
          yield* rounds
          assert.isBelow(yield* length, 20)
          assert.deepStrictEqual(yield* own, ["~checkpoints"])
          assert.deepStrictEqual(yield* index(), before)
          yield* isSound(file)
          yield* done("later", "1")
          return open
        }).pipe(Effect.provide(start(file, remote)))
        const before = yield* derived(file)
        yield* JournalCare.rebuild(file, projections)
        assert.deepStrictEqual(yield* derived(file), before)
        yield* Effect.gen(function* () {
          assert.strictEqual((yield* Effect.flatMap(TaskRunner, (runner) => runner.get(open))).state, "working")
          yield* done("last", "1")
          yield* flush
          yield* isSound(file)
        }).pipe(Effect.provide(start(file, remote)))
      })
    )
  )

  it.effect(
    "the room that was given back is used again: the file does not grow with the tasks that went",
    () =>
      onFile((file, _platform, remote) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const sizes: Array<number> = []
          for (let round = 0; round < 4; round++) {
            yield* Effect.gen(function* () {
              yield* Effect.forEach(
                Array.from({ length: 40 }, (_, index) => index),
                (index) => done(`${round}/${index}`, "10"),
                { discard: true }
              )
              yield* flush
              yield* TestClock.adjust("31 minutes")
              yield* rounds
              yield* rounds
            }).pipe(Effect.provide(start(file, remote)))
            sizes.push(Number((yield* fs.stat(file)).size))
          }
          const [first = 0] = sizes
          // Without: the fourth would be four times the first.
          assert.isBelow(sizes.at(-1) ?? Infinity, 1.5 * first, sizes.join(" "))
        })
      ),
    120_000
  )
})
