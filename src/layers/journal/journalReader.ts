/**
 * Reading a journal beside its writer, or when there is none.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { JournalDamaged, type JournalRow } from "../../services/durable/Journal.ts"
import { genesis } from "./checksum.ts"
import { damageRemedy } from "./journalFile.ts"
import { decodeRow } from "./rowCodec.ts"

const Stored = Schema.Struct({
  position: Schema.Int,
  stream: Schema.String,
  sequence: Schema.Int,
  kind: Schema.String,
  at: Schema.Int,
  data: Schema.String,
  sum: Schema.String
})

/**
 * Makes a reader of the journal in the `SqlClient` at hand, which may be opened read-only. `file` is for messages.
 *
 * **Details**
 *
 * It gives a stream's rows after a sequence number (0 for all), at most `limit` of them, each checked against the one before
 * it; the first row that is missing or not what was written is a `JournalDamaged`.
 */
export const make = Effect.fnUntraced(function* (file: string) {
  const sql = yield* SqlClient
  const find = SqlSchema.findAll({
    Request: Schema.Struct({ stream: Schema.String, from: Schema.Int, limit: Schema.Int }),
    Result: Stored,
    execute: ({ from, limit, stream }) => sql`
      SELECT position, streams.name AS stream, sequence, kind, at, data, sum
      FROM streams JOIN journal ON id BETWEEN number << 32 | ${from} AND number << 32 | 4294967295
      WHERE streams.name = ${stream} ORDER BY id LIMIT ${limit}`
  })

  return Effect.fn("JournalReader.read")(function* (stream: string, after = 0, limit?: number) {
    // The row before the first that is asked for comes along: its checksum is part of the next one's.
    const stored = yield* find({ stream, from: after, limit: limit === undefined ? -1 : limit + (after > 0 ? 1 : 0) })
    const rows: Array<JournalRow> = []
    let previous = genesis
    let expected = after > 0 ? after : 1
    const damaged = (sequence: number, detail: string) =>
      new JournalDamaged({ file, stream, sequence, detail, remedy: damageRemedy })
    for (const row of stored) {
      if (row.sequence !== expected) return yield* damaged(expected, "the row is missing")
      if (row.sequence > after) {
        const read = decodeRow(previous, row)
        if (Result.isFailure(read)) return yield* damaged(row.sequence, read.failure)
        rows.push(read.success)
      }
      previous = row.sum
      expected++
    }
    return rows
  })
})
