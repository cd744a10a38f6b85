/**
 * Records as text in the journal's columns, and back.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { JournalRecord, type JournalRow } from "../../services/durable/Journal.ts"
import { TaskState } from "../../services/durable/TaskStore.ts"
import { isChecksum } from "./checksum.ts"

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

// The kinds that a task or a step costs, and those that may be large, hold nothing but texts, whole numbers and what codecs
// have made JSON already: they are written and read as they are. All others go by their schema, and so does one of these
// that has more in it.
const isText = Predicate.isString
const isJson = Predicate.isNotUndefined
const isAbsent = Predicate.isUndefined
const isState = Schema.is(TaskState)
const isPlainInput = (value: unknown) =>
  Predicate.isReadonlyObject(value) &&
  inputTexts.every((name) => isText(value[name])) &&
  Object.keys(value).length === inputTexts.length
const isAbsentOr = (fits: (value: unknown) => boolean) => (value: unknown) => value === undefined || fits(value)
const inputTexts = ["taskId", "contextId", "messageId", "caller", "text"] as const
type Fields = ReadonlyArray<readonly [name: string, fits: (value: unknown) => boolean]>
const plain = new Map<string, Fields>([
  [
    "TaskAccepted",
    [
      ["input", isPlainInput],
      ["messageKey", isText],
      ["digest", isText],
      ["version", Number.isSafeInteger],
      ["code", isText],
      ["restored", Predicate.isBoolean]
    ]
  ],
  [
    "TaskMoved",
    [
      ["sequence", Number.isSafeInteger],
      ["state", isState],
      ["output", isAbsent],
      ["error", isAbsent],
      ["message", isAbsent]
    ]
  ],
  [
    "CheckpointSaved",
    [
      ["workspaceId", isText],
      ["workflowId", isText],
      ["stepName", isText],
      ["stepIndex", Number.isSafeInteger],
      ["payload", isJson],
      ["known", isAbsentOr((known) => known === true)]
    ]
  ],
  [
    "ExecutionStarted",
    [
      ["workflow", isText],
      ["payload", isJson],
      ["parent", isAbsentOr(isText)]
    ]
  ],
  [
    "ActivityCompleted",
    [
      ["name", isText],
      ["attempt", Number.isSafeInteger],
      ["exit", isJson]
    ]
  ],
  [
    "DeferredCompleted",
    [
      ["name", isText],
      ["exit", isJson]
    ]
  ],
  ["ExecutionCompleted", [["exit", isJson]]],
  [
    "SegmentBegan",
    [
      ["segment", Number.isSafeInteger],
      ["steps", Predicate.isObject]
    ]
  ]
])

const isPlain = (parsed: unknown): parsed is JournalRecord =>
  Predicate.isObject(parsed) && plain.get(String(parsed["_tag"]))?.every(([name, fits]) => fits(parsed[name])) === true

/** The text of a record. Its `_tag` is in it, too: the column `kind` is for queries. */
export const encodeRecord = (record: JournalRecord): string =>
  isPlain(record) ? JSON.stringify(record) : encode(record)

// The schema is asked where it says more: what is wrong with a text, and all about the kinds that are not plain.
const decodeRecord = ({ data, kind }: StoredRow) => {
  if (!plain.has(kind)) return decode(data)
  const parsed = Result.try((): unknown => JSON.parse(data))
  return Result.isSuccess(parsed) && isPlain(parsed.success) ? Result.succeed(parsed.success) : decode(data)
}

/** What is wrong with a stored row, or the row. `previous` is the checksum of the one before it in its stream. */
export const decodeRow = (previous: string, stored: StoredRow): Result.Result<JournalRow, string> => {
  if (!isChecksum(stored.sum, previous, stored)) return Result.fail("its checksum does not match its content")
  return Result.match(decodeRecord(stored), {
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
