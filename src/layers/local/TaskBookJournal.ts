/**
 * The tasks of a state directory, read from its journal and from what is derived from that.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { isSqlError } from "effect/sql/SqlError"
import * as SqlSchema from "effect/sql/SqlSchema"
import { executionId } from "../../services/durable/AgentTask.ts"
import { JournalDamaged, type JournalRow } from "../../services/durable/Journal.ts"
import { HoldReason, TaskState } from "../../services/durable/TaskStore.ts"
import { OpenWait } from "../../services/durable/Waits.ts"
import {
  BookUnreadable,
  type Selection,
  TaskAmbiguous,
  TaskBook,
  type TaskLine,
  type TaskStory,
  TaskUnknown,
  type Wait,
  type WaitChains
} from "../../services/local/TaskBook.ts"
import { failureOf } from "../journal/journalFile.ts"
import * as JournalReader from "../journal/journalReader.ts"
import * as TaskProjection from "../journal/taskProjection.ts"
import { errorText, momentOf, timeline } from "../journal/taskTimeline.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { chains } from "./waitChains.ts"

const Row = Schema.Struct({
  number: Schema.Int,
  task_id: Schema.String,
  state: TaskState,
  ended: Schema.NullOr(Schema.Int),
  version: Schema.Int,
  code: Schema.String,
  restored: Schema.BooleanFromBit,
  segment: Schema.Int,
  held: Schema.NullOr(HoldReason),
  held_detail: Schema.NullOr(Schema.String),
  boots: Schema.Int,
  created_at: Schema.DateTimeUtcFromMillis,
  updated_at: Schema.DateTimeUtcFromMillis
})
type Row = typeof Row.Type

/** How many ids an ambiguous one is told with. */
const maxCandidates = 10

/** The most characters of a message that the list shows. */
const maxHeadline = 200

const isDamaged = Schema.is(JournalDamaged)
const isUnreadable = Schema.is(BookUnreadable)

const damageOf = ({ detail, sequence, stream }: JournalDamaged) => `row ${sequence} of ${stream}: ${detail}`

const unreadable = (file: string) => (cause: unknown) => {
  if (isDamaged(cause)) return new BookUnreadable({ file, detail: damageOf(cause), remedy: cause.remedy })
  // What the driver says stands behind Effect's own error, together with SQLite's number.
  const inner = isSqlError(cause) ? cause.reason.cause : cause
  const { detail, remedy } = failureOf(file, inner)
  return new BookUnreadable({ file, detail, remedy })
}

const headlineOf = (text: string) => {
  const line = text.trim().split("\n", 1)[0] ?? ""
  return line.length > maxHeadline ? `${line.slice(0, maxHeadline - 1)}…` : line
}

// The open waits of a task that has ended are gone; of a wait, what is due depends on when one looks.
const waitOf = (open: OpenWait, now: number): Wait => ({
  wait: open.wait,
  kind: open.kind,
  reason: open.reason,
  from: open.from,
  since: momentOf(open.since),
  deadline: momentOf(open.deadline),
  overdue: Math.max(0, now - open.deadline),
  retries: open.retries
})

const heldOf = ({ ended, held, held_detail: detail }: Row) =>
  held === null || ended !== null ? undefined : { held: { reason: held, detail: detail ?? "" } }

const lastStepOf = (last: JournalRow | undefined) => {
  if (last?.record._tag !== "StepBegan") return undefined
  const { attempt, step } = last.record
  return { lastStep: { step, attempt, began: momentOf(last.at) } }
}

const makeQueries = Effect.gen(function* () {
  const sql = yield* SqlClient
  const columns = sql.literal(
    `number, task_id, state, ended, version, code, restored, segment, held, held_detail, boots, created_at, updated_at`
  )
  const conditions: Record<Exclude<Selection, TaskState>, string> = {
    unfinished: "ended IS NULL",
    held: "ended IS NULL AND held IS NOT NULL",
    waiting: "number IN (SELECT task FROM task_waits)"
  }
  const where = (only: Selection | undefined) => {
    if (only === undefined) return sql.literal("1")
    return only === "unfinished" || only === "held" || only === "waiting"
      ? sql.literal(conditions[only])
      : sql`state = ${only}`
  }
  const waitColumns = sql.literal('task_id AS "taskId", wait, kind, reason, source AS "from", since, deadline, retries')
  return {
    version: SqlSchema.findOneOption({
      Request: Schema.Void,
      Result: Schema.Struct({ value: Schema.String }),
      execute: () => sql`SELECT value FROM journal_meta WHERE name = ${`projection ${TaskProjection.projection.name}`}`
    }),
    find: SqlSchema.findAll({
      Request: Schema.String,
      Result: Schema.Struct({ task_id: Schema.String }),
      execute: (given) => sql`
        SELECT task_id FROM tasks WHERE substr(task_id, 1, length(${given})) = ${given}
        ORDER BY task_id = ${given} DESC, number DESC LIMIT ${maxCandidates}`
    }),
    byId: SqlSchema.findOneOption({
      Request: Schema.String,
      Result: Row,
      execute: (taskId) => sql`SELECT ${columns} FROM tasks WHERE task_id = ${taskId}`
    }),
    list: (only: Selection | undefined, limit: number) =>
      SqlSchema.findAll({
        Request: Schema.Void,
        Result: Row,
        execute: () => sql`SELECT ${columns} FROM tasks WHERE ${where(only)} ORDER BY number DESC LIMIT ${limit}`
      })(),
    count: (only: Selection | undefined) =>
      SqlSchema.findOne({
        Request: Schema.Void,
        Result: Schema.Struct({ total: Schema.Int }),
        execute: () => sql`SELECT COUNT(*) AS total FROM tasks WHERE ${where(only)}`
      })(),
    pruned: SqlSchema.findOne({
      Request: Schema.Void,
      Result: Schema.Struct({ pruned: Schema.Int }),
      execute: () => sql`SELECT COUNT(*) AS pruned FROM task_tombstones`
    }),
    waits: SqlSchema.findAll({
      Request: Schema.Void,
      Result: OpenWait,
      execute: () => sql`SELECT ${waitColumns} FROM task_waits ORDER BY deadline, task, wait`
    }),
    lastStep: SqlSchema.findOneOption({
      Request: Schema.Int,
      Result: Schema.Struct({ sequence: Schema.Int }),
      execute: (number) => sql`
        SELECT sequence FROM journal WHERE id BETWEEN ${number} << 32 AND ${number} << 32 | 4294967295
        AND kind = 'StepBegan' ORDER BY id DESC LIMIT 1`
    })
  }
})

const make = Effect.fnUntraced(function* (file: string) {
  const sql = yield* SqlClient
  const queries = yield* makeQueries
  const read = yield* JournalReader.make(file)
  const orUnreadable = Effect.mapError(unreadable(file))
  // One look at the file: what its owner writes meanwhile is not in it.
  const atOnce = sql.withTransaction

  const known = yield* orUnreadable(queries.version())
  const version = Option.getOrElse(known, () => ({ value: "none" })).value
  if (version !== String(TaskProjection.projection.version)) {
    return yield* new BookUnreadable({
      file,
      detail: `its tables have version ${version}, this program reads version ${TaskProjection.projection.version}`,
      remedy: "start the workspace with this version of molecule-effect, or run molecule journal rebuild"
    })
  }

  const rowOf = (stream: string, sequence: number) => Effect.map(read(stream, sequence - 1, 1), ([row]) => row)

  const openWaits = Effect.gen(function* () {
    const { epochMilliseconds: now } = yield* DateTime.now
    const open = yield* queries.waits()
    return open.map((wait) => ({ id: wait.taskId, wait: waitOf(wait, now) }))
  })
  type Open = Effect.Success<typeof openWaits>

  const fromRows = Effect.fnUntraced(function* ({ ended, number, task_id: id }: Row) {
    const accepted = (yield* rowOf(id, 1))?.record
    const input = accepted?._tag === "TaskAccepted" ? accepted.input : undefined
    const last = yield* queries.lastStep(number)
    const lastRow = Option.isNone(last) ? undefined : yield* rowOf(id, last.value.sequence)
    const end = ended === null ? undefined : (yield* rowOf(id, ended))?.record
    const error = end?._tag === "TaskMoved" ? end.error : undefined
    return {
      ...lastStepOf(lastRow),
      ...(error === undefined ? undefined : { error: errorText(error) }),
      caller: input?.caller ?? "",
      headline: headlineOf(input?.text ?? "")
    }
  })

  const lineOf = (row: Row, open: Open, content: Effect.Success<ReturnType<typeof fromRows>>): TaskLine => ({
    id: row.task_id,
    state: row.state,
    ...heldOf(row),
    waits: open.flatMap((one) => (one.id === row.task_id ? [one.wait] : [])),
    created: row.created_at,
    updated: row.updated_at,
    ...content
  })

  // One damaged task does not hide the others.
  const listed = (row: Row, open: Open) =>
    fromRows(row).pipe(
      Effect.map((content) => lineOf(row, open, content)),
      Effect.catchTag("JournalDamaged", (error) =>
        Effect.succeed<TaskLine>({ ...lineOf(row, open, { caller: "", headline: "" }), damaged: damageOf(error) })
      )
    )

  const show = Effect.fnUntraced(function* (taskId: string) {
    const row = Option.getOrUndefined(yield* queries.byId(taskId))
    if (row === undefined) return yield* new TaskUnknown({ given: taskId })
    const line = lineOf(row, yield* openWaits, yield* fromRows(row))
    const streams = Array.from({ length: row.segment + 1 }, (_, segment) => executionId(taskId, segment))
    const own = yield* read(taskId)
    const rows = [...own, ...(yield* Effect.forEach(streams, (stream) => read(stream))).flat()]
    const accepted = own[0]?.record
    const input = accepted?._tag === "TaskAccepted" ? accepted.input : undefined
    const end = own.findLast(({ sequence }) => sequence === row.ended)?.record
    const { error, output } = end?._tag === "TaskMoved" ? end : {}
    return {
      ...line,
      contextId: input?.contextId ?? "",
      messageId: input?.messageId ?? "",
      text: input?.text ?? "",
      ...(output === undefined ? undefined : { output: output.text }),
      ...(error?.remedy === undefined ? undefined : { remedy: error.remedy }),
      version: row.version,
      code: row.code,
      segment: row.segment,
      boots: row.boots,
      restored: row.restored,
      timeline: timeline(rows)
    } satisfies TaskStory
  })

  return TaskBook.of({
    find: Effect.fn("TaskBook.find")(function* (given) {
      const [first, ...others] = yield* orUnreadable(queries.find(given))
      if (first === undefined) return yield* new TaskUnknown({ given })
      if (others.length > 0 && first.task_id !== given) {
        return yield* new TaskAmbiguous({ given, ids: [first, ...others].map(({ task_id: id }) => id) })
      }
      return first.task_id
    }),

    list: Effect.fn("TaskBook.list")(
      function* ({ limit, only }) {
        const open = yield* openWaits
        const { total } = yield* queries.count(only)
        const rows = yield* queries.list(only, limit)
        const { pruned } = yield* queries.pruned()
        return { tasks: yield* Effect.forEach(rows, (row) => listed(row, open)), total, pruned }
      },
      atOnce,
      orUnreadable
    ),

    show: Effect.fn("TaskBook.show")((taskId) =>
      Effect.mapError(atOnce(show(taskId)), (error) =>
        Predicate.isTagged(error, "TaskUnknown") ? error : unreadable(file)(error)
      )
    ),

    waits: Effect.gen(function* () {
      const open = yield* openWaits
      const total = yield* queries.count("unfinished")
      const unfinished = yield* queries.list("unfinished", total.total)
      const tasks = new Map(unfinished.map((row) => [row.task_id, { state: row.state, ...heldOf(row) }]))
      // What is awaited may have ended without a word to who waits for it.
      for (const { wait } of open) {
        const row = tasks.has(wait.from) ? Option.none() : yield* queries.byId(wait.from)
        if (Option.isSome(row)) tasks.set(wait.from, { state: row.value.state })
      }
      const held = unfinished.flatMap((row) => {
        const why = heldOf(row)
        return why === undefined ? [] : [{ id: row.task_id, ...why.held }]
      })
      return {
        waits: chains(open, tasks),
        held,
        oldestDue: Math.max(0, ...open.map(({ wait }) => wait.overdue))
      } satisfies WaitChains
    }).pipe(atOnce, orUnreadable, Effect.withSpan("TaskBook.waits"))
  })
})

/**
 * The book of the journal in `file`, which is opened read-only. Fails with `BookUnreadable` where it is not a journal that this
 * version can read.
 *
 * **Example**
 *
 * ```ts
 * const Book = TaskBookJournal.layerWith({ file: "/var/lib/molecule/workspace.db" })
 * ```
 */
export const layerWith = ({ file }: { readonly file: string }) =>
  Layer.effect(TaskBook, make(file)).pipe(
    Layer.provide(SqliteClient.layer({ filename: file, readonly: true })),
    Layer.catch((error) => Layer.effect(TaskBook, Effect.fail(isUnreadable(error) ? error : unreadable(file)(error))))
  )
