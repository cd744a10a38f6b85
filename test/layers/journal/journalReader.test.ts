import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import * as JournalReader from "../../../src/layers/journal/journalReader.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { journalAt, temporaryFile } from "../../support/journal.ts"

const read = (file: string, ...args: [stream: string, after?: number, limit?: number]) =>
  Effect.flatMap(JournalReader.make(file), (reader) => reader(...args)).pipe(
    Effect.provide(SqliteClient.layer({ filename: file, readonly: true }))
  )

const tenRows = Effect.gen(function* () {
  const journal = yield* Journal
  for (let index = 0; index < 10; index++) {
    yield* journal.append([
      { stream: "a", record: { _tag: "TaskHeld", reason: "code", detail: `row ${index}` } },
      { stream: "b", record: { _tag: "TaskReleased" } }
    ])
  }
  return journal
})

describe("journalReader", () => {
  it.live("gives the rows that the journal gives, beside it and after it", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const asked = [[], [0, 3], [4], [4, 2], [9], [10], [10, 5], [0, 0]] as const
      const whole = yield* Effect.gen(function* () {
        const journal = yield* tenRows
        for (const [after, limit] of asked) {
          assert.deepStrictEqual(yield* read(file, "a", after, limit), yield* journal.read("a", after, limit))
        }
        assert.deepStrictEqual(yield* read(file, "nobody"), [])
        return yield* journal.read("a")
      }).pipe(Effect.provide(journalAt(file)))
      assert.deepStrictEqual(yield* read(file, "a"), whole)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("names the row that is not what was written", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* Effect.provide(tenRows, journalAt(file))
      const tamper = (statement: string) =>
        Effect.sync(() => {
          const database = new DatabaseSync(file)
          database.exec(statement)
          database.close()
        })
      yield* tamper("UPDATE journal SET data = replace(data, 'row 4', 'row 5') WHERE kind = 'TaskHeld'")
      for (const [after, limit] of [[], [4], [4, 1]] as const) {
        const error = yield* Effect.flip(read(file, "a", after, limit))
        assert.deepInclude(error, { _tag: "JournalDamaged", stream: "a", sequence: 5, file })
      }
      assert.strictEqual((yield* read(file, "a", 0, 4)).length, 4)
      assert.strictEqual((yield* read(file, "a", 5)).length, 5)
      assert.strictEqual((yield* read(file, "b")).length, 10)
      yield* tamper("DELETE FROM journal WHERE sequence = 8")
      for (const after of [5, 7, 8]) {
        assert.deepInclude(yield* Effect.flip(read(file, "a", after)), { sequence: 8 })
      }
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
