import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { DatabaseSync } from "node:sqlite"
import * as JournalCare from "../../../src/layers/journal/journalCare.ts"
import { Journal, type JournalEntry } from "../../../src/services/durable/Journal.ts"
import { journalAt, projections, temporaryFile } from "../../support/journal.ts"

const exit = { _tag: "Success", value: null }
const began = (stream: string): JournalEntry => ({
  stream,
  record: { _tag: "ExecutionStarted", workflow: "w", payload: {} }
})
const ended = (stream: string): JournalEntry => ({ stream, record: { _tag: "ExecutionCompleted", exit } })
const given = (stream: string): JournalEntry => ({ stream, record: { _tag: "DeferredCompleted", name: "d", exit } })
const short = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => [began(`${name}/${index}`), ended(`${name}/${index}`)]).flat()

const onFile = <A, E, R>(use: (file: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.provide(NodeServices.layer))

/** One boot that stages these entries, one commit for each list; answers what is open then. */
const boot = (file: string, ...commits: ReadonlyArray<ReadonlyArray<JournalEntry>>) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const sql = yield* SqlClient
    for (const entries of commits) yield* journal.append(entries)
    const open = yield* sql`SELECT execution_id, workflow FROM executions ORDER BY number`
    return open.map((row) => `${String(row["execution_id"])}: ${String(row["workflow"])}`)
  }).pipe(Effect.provide(journalAt(file)))

const inFile = (file: string, statement: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    const rows = database.prepare(statement).all()
    database.close()
    return rows.map((row) => Object.values(row)[0])
  })

const differing = (file: string) => Effect.map(JournalCare.check(file, projections), (report) => report.differing)

describe("openExecutions", () => {
  it.effect("are those that have begun and not ended, be they given something before or after", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const open = yield* boot(
          file,
          [began("a"), began("b"), given("c"), given("d")],
          [{ stream: "task", record: { _tag: "TaskReleased" } }],
          [ended("b"), given("a"), began("c")]
        )
        assert.deepStrictEqual(open, ["a: w", "c: w"])
        // The end is staged, and somebody gives a value before it is known.
        assert.deepStrictEqual(yield* boot(file, [ended("a"), given("a")]), ["c: w"])
      })
    )
  )

  it.effect("are still known when hundreds of others came and went, over restarts", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const first = yield* boot(file, [began("a"), began("b"), given("c")], short(300, "x"), short(300, "y"))
        assert.deepStrictEqual(first, ["a: w", "b: w"])
        // They cost a row each while they live, and the others none.
        assert.deepStrictEqual(yield* inFile(file, "SELECT number FROM open_executions"), [1, 2, 3])
        const second = yield* boot(file, [ended("a"), began("c")], short(300, "z"), [began("d")])
        assert.deepStrictEqual(second, ["b: w", "c: w", "d: w"])
        assert.deepStrictEqual(yield* inFile(file, "SELECT number FROM open_executions"), [2, 3])
        assert.deepStrictEqual(yield* boot(file), ["b: w", "c: w", "d: w"])
        assert.deepStrictEqual(yield* differing(file), [])
      })
    )
  )

  it.effect("a list of them that was damaged is found, and made again", () =>
    onFile((file) =>
      Effect.gen(function* () {
        yield* boot(file, [began("a")], short(300, "x"))
        yield* inFile(file, "DELETE FROM open_executions")
        assert.deepStrictEqual(yield* differing(file), ["open_executions"])
        yield* JournalCare.rebuild(file, projections)
        assert.deepStrictEqual(yield* differing(file), [])
        assert.deepStrictEqual(yield* boot(file), ["a: w"])
      })
    )
  )

  it.effect("none is found in a stream that is on its way out, and one with a number that was another's is found", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const remove = (streams: ReadonlyArray<string>, limit: number) =>
          Effect.flatMap(Journal, (journal) => journal.remove(streams, limit)).pipe(Effect.provide(journalAt(file)))
        const all = Array.from({ length: 300 }, (_, index) => `x/${index}`)
        yield* boot(file, [began("a")], short(300, "x"))
        // Its end goes first.
        yield* remove(all, 1)
        assert.deepStrictEqual(yield* boot(file), ["a: w"])
        while ((yield* remove([], 10_000)) > 0);
        assert.deepStrictEqual(yield* boot(file, [began("b")]), ["a: w", "b: w"])
        assert.deepStrictEqual(yield* inFile(file, "SELECT number FROM streams WHERE name = 'b'"), [2])
        assert.deepStrictEqual(yield* boot(file), ["a: w", "b: w"])
      })
    )
  )

  it.effect("the table that earlier versions kept gives way to what the rows say", () =>
    onFile((file) =>
      Effect.gen(function* () {
        yield* boot(file, [began("a"), began("b")], [ended("b")])
        yield* inFile(file, "DROP VIEW executions")
        yield* inFile(file, "DROP TABLE open_executions")
        yield* inFile(file, "DELETE FROM journal_meta WHERE name = 'executions looked through'")
        yield* inFile(file, "CREATE TABLE executions (number INTEGER PRIMARY KEY, execution_id TEXT, workflow TEXT)")
        assert.deepStrictEqual(yield* differing(file), [])
        assert.deepStrictEqual(yield* boot(file), ["a: w"])
      })
    )
  )
})
