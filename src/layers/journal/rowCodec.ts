/**
 * Records as text in the journal's columns, and back.
 *
 * @module
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { JournalRecord, type JournalRow } from "../../services/durable/Journal.ts"
import { checksum } from "./checksum.ts"

/** A row as its table has it. */
export interface StoredRow {
  readonly position: number
  readonly stream: string
  readonly sequence: number
  readonly kind: string
  readonly at: number
  readonly data: string
  readonly sum: string
}

// The commit is one synchronous piece of work, and a record that cannot be encoded is a bug.
// @effect-diagnostics-next-line schemaSync:off
const encode = Schema.encodeSync(Schema.fromJsonString(JournalRecord))
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(JournalRecord))

/** The text of a record. Its `_tag` is in it, too: the column `kind` is for queries. */
export const encodeRecord = (record: JournalRecord): string => encode(record)

/** What is wrong with a stored row, or the row. `previous` is the checksum of the one before it in its stream. */
export const decodeRow = (previous: string, stored: StoredRow): Result.Result<JournalRow, string> => {
  if (checksum(previous, stored) !== stored.sum) return Result.fail("its checksum does not match its content")
  return Result.match(decode(stored.data), {
    onFailure: (issue) => Result.fail(`its content cannot be read: ${issue.message}`),
    onSuccess: (record) =>
      Result.succeed({
        position: stored.position,
        stream: stored.stream,
        sequence: stored.sequence,
        at: stored.at,
        record
      })
  })
}
