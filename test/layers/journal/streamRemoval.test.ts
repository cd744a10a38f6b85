import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import * as JournalCare from "../../../src/layers/journal/journalCare.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Journal, type JournalEntry } from "../../../src/services/durable/Journal.ts"
import { journalAt, projections, temporaryFile } from "../../support/journal.ts"

const onFile = <A, E, R>(use: (file: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const look = (file: string, query: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file, { readOnly: true })
    const rows = database.prepare(query).all()
    database.close()
    return rows.map((row) => Object.values(row).map(String).join(" "))
  })

const taskRows = (task: string, steps: number, detail = ""): ReadonlyArray<JournalEntry> => [
  {
    stream: task,
    record: {
      _tag: "TaskAccepted",
      input: { taskId: task, contextId: "", messageId: task, caller: "me", text: "" },
      messageKey: task,
      digest: "d",
      version: 1,
      code: "",
      restored: false
    }
  },
  ...Array.from({ length: steps }, (_, step): ReadonlyArray<JournalEntry> => [
    { stream: task, record: { _tag: "StepBegan", step: `s${step}`, attempt: 1 } },
    { stream: `${task}/0`, record: { _tag: "DeferredCompleted", name: `d${step}`, exit: detail } }
  ]).flat(),
  { stream: task, record: { _tag: "TaskMoved", sequence: 1, state: "completed", output: new TaskOutput({ text: "" }) } }
]

const forgotten = (task: string): JournalEntry => ({
  stream: `~forgotten/${task}`,
  record: {
    _tag: "TaskForgotten",
    taskId: task,
    streams: [task, `${task}/0`, "nobody"],
    messageKey: task,
    digest: "d",
    state: "completed",
    until: 1
  }
})

const sound = Effect.fnUntraced(function* (file: string) {
  assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, [])
})

describe("Journal.remove", () => {
  it.effect("removes so many rows at most, and in between the file is as if all of them were gone", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.append([...taskRows("a", 20), ...taskRows("b", 5)])
        assert.strictEqual(yield* journal.remove([], 10), 0)
        yield* journal.append([forgotten("a")])
        assert.deepStrictEqual(yield* look(file, "SELECT task_id FROM tasks"), ["b"])
        const rows = look(
          file,
          "SELECT (SELECT COUNT(*) FROM journal) + (SELECT COUNT(*) FROM task_attempts) + (SELECT COUNT(*) FROM task_events)"
        )
        const counts = [Number((yield* rows)[0])]
        for (let removed = -1; removed !== 0;) {
          removed = yield* journal.remove([], 7)
          const count = Number((yield* rows)[0])
          assert.isAtMost((counts.at(-1) ?? 0) - count, 7)
          counts.push(count)
          yield* sound(file)
        }
        assert.isAbove(counts.length, 8)
        assert.deepStrictEqual(yield* look(file, "SELECT name FROM streams ORDER BY number"), [
          "b",
          "b/0",
          "~forgotten/a"
        ])
        assert.deepStrictEqual(yield* journal.read("a"), [])
        // Its tombstone goes with its stream.
        assert.deepStrictEqual(yield* look(file, "SELECT message_key FROM task_tombstones"), ["a"])
        yield* journal.remove(["~forgotten/a"], 10)
        assert.deepStrictEqual(yield* look(file, "SELECT message_key FROM task_tombstones"), [])
        yield* sound(file)
        // What is left, and a stream of the old name, are as ever.
        yield* journal.append(taskRows("a", 1))
        assert.deepStrictEqual(
          (yield* journal.read("a")).map(({ sequence }) => sequence),
          [1, 2, 3]
        )
        assert.strictEqual((yield* journal.read("b")).length, 7)
        yield* sound(file)
      }).pipe(Effect.provide(journalAt(file)))
    )
  )

  it.effect("rows that are large are removed fewer at a time", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.append([...taskRows("a", 8, "x".repeat(300_000)), forgotten("a")])
        const size = look(file, "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM journal")
        let before = Number((yield* size)[0])
        for (let removed = -1; removed !== 0;) {
          removed = yield* journal.remove([], 1000)
          const after = Number((yield* size)[0])
          assert.isAtMost(before - after, 600_000 + 1000)
          before = after
        }
        assert.deepStrictEqual(yield* look(file, "SELECT name FROM streams"), ["~forgotten/a"])
      }).pipe(Effect.provide(journalAt(file)))
    )
  )

  it.effect("damage in what stays is found while something is on its way out", () =>
    onFile((file) =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          yield* journal.append([...taskRows("a", 20), ...taskRows("b", 5), forgotten("a")])
          yield* journal.remove([], 10)
        }).pipe(Effect.provide(journalAt(file)))
        const database = new DatabaseSync(file)
        database.exec("UPDATE journal SET at = at + 1 WHERE stream = (SELECT number FROM streams WHERE name = 'b')")
        database.close()
        assert.strictEqual((yield* Effect.flip(JournalCare.check(file, projections)))._tag, "JournalDamaged")
      })
    )
  )
})
