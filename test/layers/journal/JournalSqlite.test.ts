import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { spawnSync } from "node:child_process"
import { DatabaseSync } from "node:sqlite"
import * as JournalCare from "../../../src/layers/journal/journalCare.ts"
import { encodeRecord } from "../../../src/layers/journal/rowCodec.ts"
import { Journal, type JournalEntry, JournalRecord } from "../../../src/services/durable/Journal.ts"
import { journalAt, projections, temporaryFile } from "../../support/journal.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

const released = (stream: string): JournalEntry => ({ stream, record: { _tag: "TaskReleased" } })
const held = (stream: string, detail: string): JournalEntry => ({
  stream,
  record: { _tag: "TaskHeld", reason: "code", detail }
})

const onFile = <A, E, R>(use: (file: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.provide(NodeServices.layer))

/** Does something to the file behind the journal's back. */
const tamper = (file: string, statement: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    database.exec(statement)
    database.close()
  })

const tenRows = (file: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    for (let index = 0; index < 10; index++) yield* journal.append([held("a", `row ${index}`)])
  }).pipe(Effect.provide(journalAt(file)))

describe("JournalSqlite", () => {
  it.effect("numbers rows within their streams, and has them again after a restart", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const epoch = yield* Effect.gen(function* () {
          const journal = yield* Journal
          yield* journal.append([released("a"), released("b")])
          yield* journal.append([held("a", "x")])
          return journal.epoch
        }).pipe(Effect.provide(journalAt(file)))
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          assert.strictEqual(journal.epoch, epoch)
          yield* journal.append([held("a", "y")])
          const rows = yield* journal.read("a")
          assert.deepStrictEqual(
            rows.map(({ record, sequence }) => [sequence, record._tag === "TaskHeld" ? record.detail : ""]),
            [
              [1, ""],
              [2, "x"],
              [3, "y"]
            ]
          )
          assert.isTrue(rows.every((row, index) => index === 0 || row.position > (rows[index - 1]?.position ?? 0)))
          assert.strictEqual((yield* journal.read("b")).length, 1)
          assert.deepStrictEqual(yield* journal.read("nobody"), [])
          assert.deepStrictEqual(
            (yield* journal.read("a", 1, 1)).map(({ sequence }) => sequence),
            [2]
          )
        }).pipe(Effect.provide(journalAt(file)))
      })
    )
  )

  it.effect("what somebody wants to hear of is committed soon, in order, though nobody waits for it", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const heard: Array<number> = []
        const stage = (index: number) => journal.stageUnsafe([held("a", `${index}`)], () => heard.push(index))
        for (const index of [1, 2, 3]) stage(index)
        assert.deepStrictEqual(heard, [])
        while (heard.length === 0) yield* Effect.yieldNow
        // All in one commit, and on disk by then.
        assert.deepStrictEqual(heard, [1, 2, 3])
        assert.strictEqual((yield* journal.read("a")).length, 3)
        stage(4)
        yield* journal.append([released("a")])
        assert.deepStrictEqual(heard, [1, 2, 3, 4])
      }).pipe(Effect.provide(journalAt(file)))
    )
  )

  it.effect("many that wait at once share a commit, and what is staged together is written together", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const sql = yield* SqlClient
        const seen = Effect.map(sql`SELECT COUNT(*) AS count FROM journal`, (rows) => rows[0]?.["count"])
        yield* Effect.forEach(
          Array.from({ length: 100 }, (_, index) => index),
          (index) => journal.append([held(`s${index % 7}`, `${index}`), released(`s${index % 7}`)]),
          { concurrency: "unbounded", discard: true }
        )
        assert.strictEqual(yield* seen, 200)
        // Staged and not waited for: not there yet, and there once anybody waits.
        yield* journal.stage([released("later")])
        assert.strictEqual(yield* seen, 200)
        yield* journal.settled
        assert.strictEqual(yield* seen, 201)
      }).pipe(Effect.provide(journalAt(file)))
    )
  )

  it.effect.prop(
    "gives back every record as it was",
    [Schema.Array(JournalRecord)],
    ([records]) =>
      onFile((file) =>
        Effect.gen(function* () {
          const journal = yield* Journal
          // The derived tables have rules of their own; here it is the rows that matter.
          const plain = records.filter(
            (record) =>
              !/^(Execution|Task|Wait|Segment|Step|CheckpointsRestated)/.test(record._tag) && keysAreRead(record)
          )
          yield* journal.append(plain.map((record) => ({ stream: "s", record })))
          // As text: JSON has one zero, and -0 comes back as 0.
          assert.deepStrictEqual(
            (yield* journal.read("s")).map(({ record }) => encodeRecord(record)),
            plain.map(encodeRecord)
          )
        }).pipe(Effect.provide(journalAt(file)))
      ),
    { arbitrary: { runs: 30 } }
  )

  it.effect(
    "a record that cannot be written is a defect of whoever stages it, and comes between nobody and the disk",
    () =>
      onFile((file) =>
        Effect.gen(function* () {
          const journal = yield* Journal
          // What untyped code may bring along: values that no record has.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no types have seen
          const wrong = (value: unknown): never => value as never
          const bad: ReadonlyArray<JournalEntry> = [
            {
              stream: "a",
              record: { _tag: "TaskMoved", sequence: 1, state: "completed", output: wrong({ text: "plain" }) }
            },
            { stream: "a", record: { _tag: "TaskHeld", reason: wrong("whim"), detail: "" } },
            { stream: "a", record: { _tag: "ClockScheduled", name: "c", deadline: Number.POSITIVE_INFINITY } }
          ]
          yield* journal.stage([held("a", "before")])
          for (const entry of bad) {
            for (const stage of [journal.stage, journal.append, journal.accept]) {
              const exit = yield* Effect.exit(stage([held("a", "beside"), entry]))
              assert.isTrue(Exit.hasDies(exit), entry.record._tag)
            }
          }
          yield* journal.append([held("b", "after")])
          yield* journal.accept([held("b", "accepted")])
          assert.deepStrictEqual(
            [...(yield* journal.read("a")), ...(yield* journal.read("b"))].map(({ record }) =>
              record._tag === "TaskHeld" ? record.detail : record._tag
            ),
            ["before", "after", "accepted"]
          )
          assert.isUndefined((yield* journal.state).refused)
        }).pipe(Effect.provide(journalAt(file)))
      )
  )

  it.effect("a row has the time when it was staged, whenever it is written", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* TestClock.setTime(1_000)
        yield* journal.stage([released("a")])
        yield* TestClock.setTime(61_000)
        yield* journal.stage([released("a"), { ...released("a"), at: 30_000.7 }])
        yield* journal.settled
        assert.deepStrictEqual(
          (yield* journal.read("a")).map(({ at }) => at),
          [1_000, 61_000, 30_000]
        )
      }).pipe(Effect.provide(journalAt(file)))
    )
  )

  it.effect("a changed, missing or exchanged row is an error that names file, row and remedy", () =>
    Effect.forEach(
      [
        "UPDATE journal SET data = replace(data, 'row 4', 'row 5') WHERE sequence = 5",
        "UPDATE journal SET sum = 'AAAAAAAAAAAAAAAA' WHERE sequence = 5",
        "UPDATE journal SET at = at + 1 WHERE sequence = 5",
        "DELETE FROM journal WHERE sequence = 5",
        "UPDATE journal SET data = (SELECT data FROM journal AS other WHERE other.sequence = 4) WHERE sequence = 5",
        "UPDATE journal SET data = '{' WHERE sequence = 5"
      ],
      (statement) =>
        onFile((file) =>
          Effect.gen(function* () {
            yield* tenRows(file)
            yield* tamper(file, statement)
            const error = yield* Effect.flatMap(Journal, (journal) => Effect.flip(journal.read("a"))).pipe(
              Effect.provide(journalAt(file))
            )
            assert.strictEqual(error._tag, "JournalDamaged", statement)
            assert.include(error.message, file)
            assert.match(error.message, /row 5 of a/)
            assert.match(error.message, /backup/)
            const found = yield* Effect.flip(JournalCare.check(file, projections))
            assert.strictEqual(found._tag, "JournalDamaged")
          })
        ),
      { discard: true }
    )
  )

  it.effect("a file that an earlier version made is taken over with all its rows, once", () =>
    onFile((file) =>
      Effect.gen(function* () {
        yield* tenRows(file)
        yield* Effect.flatMap(Journal, (journal) => journal.append([held("b", "x")])).pipe(
          Effect.provide(journalAt(file))
        )
        yield* tamper(
          file,
          `DROP VIEW executions; ALTER TABLE journal RENAME TO j; ALTER TABLE streams RENAME TO s;
          CREATE TABLE streams (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
          CREATE TABLE journal (
            stream INTEGER NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL,
            at INTEGER NOT NULL, data TEXT NOT NULL, sum TEXT NOT NULL, PRIMARY KEY (stream, sequence)
          ) STRICT, WITHOUT ROWID;
          INSERT INTO streams SELECT number, name FROM s;
          INSERT INTO journal SELECT stream, sequence, position, kind, at, data, sum FROM j;
          DROP TABLE j; DROP TABLE s`
        )
        for (const start of [1, 2]) {
          yield* Effect.gen(function* () {
            const journal = yield* Journal
            assert.strictEqual((yield* journal.read("a")).length, 9 + start)
            yield* journal.append([held("a", `start ${start}`), held(`new ${start}`, "x")])
            assert.strictEqual((yield* journal.read("b")).length, 1)
            assert.strictEqual((yield* journal.read(`new ${start}`)).length, 1)
          }).pipe(Effect.provide(journalAt(file)))
          const { differing, rows, streams } = yield* JournalCare.check(file, projections)
          assert.deepStrictEqual(
            { differing, rows, streams },
            { differing: [], rows: 11 + 2 * start, streams: 2 + start }
          )
        }
      })
    )
  )

  it.effect("rows before the damage, and other streams, can still be read", () =>
    onFile((file) =>
      Effect.gen(function* () {
        yield* tenRows(file)
        yield* tamper(file, "UPDATE journal SET at = 1 WHERE sequence = 9")
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          assert.strictEqual((yield* journal.read("a", 0, 8)).length, 8)
          yield* journal.append([released("b")])
          assert.strictEqual((yield* journal.read("b")).length, 1)
        }).pipe(Effect.provide(journalAt(file)))
      })
    )
  )

  it.live("a log that was cut anywhere loses the last commits at most, and never half of one", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        // Copied while it is open: what a crash would leave. Closing would empty the log.
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          for (let index = 0; index < 40; index++) yield* journal.append([held("a", `${index}`), held("b", `${index}`)])
          yield* fs.copyFile(file, `${file}.copy`)
          yield* fs.copyFile(`${file}-wal`, `${file}.copy-wal`)
        }).pipe(Effect.provide(journalAt(file)))
        const log = yield* fs.readFile(`${file}.copy-wal`)
        const lengths: Array<number> = []
        for (let round = 0; round <= 20; round++) {
          const cut = `${file}.${round}`
          yield* fs.copyFile(`${file}.copy`, cut)
          yield* fs.writeFile(`${cut}-wal`, log.slice(0, Math.floor((log.length * round) / 20)))
          yield* Effect.gen(function* () {
            const journal = yield* Journal
            const a = yield* journal.read("a")
            const b = yield* journal.read("b")
            assert.strictEqual(a.length, b.length)
            lengths.push(a.length)
            yield* journal.append([held("a", "after")])
          }).pipe(Effect.provide(journalAt(cut)))
          assert.deepStrictEqual((yield* JournalCare.check(cut, projections)).differing, [])
        }
        assert.deepStrictEqual(
          lengths,
          lengths.toSorted((x, y) => x - y)
        )
        assert.strictEqual(lengths.at(-1), 40)
      })
    )
  )

  it.live("bytes that were turned over anywhere are an error or change nothing, never another answer", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* tenRows(file)
        const good = yield* fs.readFile(file)
        let noticed = 0
        for (let round = 0; round < 60; round++) {
          const bad = good.slice()
          const place = Math.floor((good.length * (round + 0.5)) / 60)
          bad[place] = (bad[place] ?? 0) ^ 0x5a
          const copy = `${file}.${round}`
          yield* fs.writeFile(copy, bad)
          const exit = yield* Effect.exit(
            Effect.flatMap(Journal, (journal) => journal.read("a")).pipe(Effect.provide(journalAt(copy)))
          )
          if (Exit.isFailure(exit)) {
            noticed++
            continue
          }
          const details = exit.value.map(({ record }) => (record._tag === "TaskHeld" ? record.detail : ""))
          assert.deepStrictEqual(
            details,
            Array.from({ length: details.length }, (_, index) => `row ${index}`)
          )
          assert.include([0, 10], details.length)
        }
        assert.isAbove(noticed, 0)
      })
    )
  )

  it.live(
    "a full disk refuses what may be refused, keeps the rest waiting, and goes on when there is room",
    (context) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const disk = yield* fs.makeTempDirectoryScoped({ prefix: "molecule-full-" })
        // A real small disk, where we may have one.
        const mounted = yield* Effect.sync(
          () => spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]).status
        )
        if (mounted !== 0) return context.skip("mounting a small disk is not allowed here")
        yield* Effect.addFinalizer(() => Effect.sync(() => spawnSync("umount", ["-l", disk])))
        const file = `${disk}/workspace.db`
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          const big = "x".repeat(60_000)
          yield* journal.append([held("a", "first")])
          const { size } = yield* fs.stat(`${file}-wal`)
          yield* fs.writeFile(`${disk}/ballast`, new Uint8Array(1_000_000 - Number(size) - 100_000))
          const refused = yield* Effect.flip(Effect.forever(journal.accept([held("new", big)])))
          assert.strictEqual(refused.reason, "full")
          assert.match(refused.message, /make room/)
          const kept = yield* journal.read("new")
          assert.strictEqual((yield* Effect.flip(journal.accept([released("new")])))._tag, "JournalUnavailable")
          const waiting = yield* Effect.forkChild(journal.append([held("a", big)]))
          yield* Effect.sleep("50 millis")
          assert.isUndefined(waiting.pollUnsafe())
          assert.strictEqual((yield* journal.state).refused?.reason, "full")
          yield* fs.remove(`${disk}/ballast`)
          yield* Effect.timeout(journal.settled, "5 seconds")
          assert.strictEqual((yield* journal.read("a")).length, 2)
          assert.deepStrictEqual(yield* journal.read("new"), kept)
          yield* journal.accept([released("new")])
          assert.isUndefined((yield* journal.state).refused)
        }).pipe(Effect.provide(journalAt(file)))
      }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("what is derived can be made again from the rows, and is then the same", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const wait = { wait: "w", kind: "signal", reason: "r", from: "f", deadline: 1 } as const
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          yield* journal.append([
            { stream: "e", record: { _tag: "WaitBegan", ...wait } },
            { stream: "f", record: { _tag: "WaitBegan", ...wait } },
            { stream: "f", record: { _tag: "WaitEnded", wait: "w", how: "provided" } }
          ])
        }).pipe(Effect.provide(journalAt(file)))
        assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, [])
        yield* tamper(file, "DELETE FROM task_waits")
        assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, ["task_waits"])
        yield* JournalCare.rebuild(file, projections)
        assert.deepStrictEqual(yield* JournalCare.check(file, projections), { rows: 3, streams: 2, differing: [] })
      })
    )
  )
})
