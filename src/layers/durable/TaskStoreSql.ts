/**
 * The task store in SQL. What it has answered for is committed.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { SqlClient } from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as SqlSchema from "effect/sql/SqlSchema"
import { TaskInput, TaskOutput } from "../../services/durable/AgentTask.ts"
import { ExecutorError } from "../../services/durable/Step.ts"
import {
  MessageConflict,
  TaskEvent,
  TaskRecord,
  TaskState,
  TaskStore,
  TaskStoreError,
  TooManyTasks
} from "../../services/durable/TaskStore.ts"
import { migrate } from "../sql/migrate.ts"
import * as TaskRecords from "./taskRecords.ts"

const migrations = {
  "1_create": Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* sql`CREATE TABLE tasks (
      position INTEGER PRIMARY KEY,
      task_id TEXT NOT NULL UNIQUE,
      message_key TEXT NOT NULL UNIQUE,
      input TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('submitted', 'working', 'completed', 'failed', 'canceled')),
      output TEXT,
      error TEXT,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL
    ) STRICT`
    yield* sql`CREATE INDEX tasks_unfinished ON tasks (position) WHERE state IN ('submitted', 'working')`
    yield* sql`CREATE TABLE task_attempts (
      task_id TEXT NOT NULL REFERENCES tasks (task_id),
      step TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      PRIMARY KEY (task_id, step)
    ) STRICT, WITHOUT ROWID`
    yield* sql`CREATE TABLE task_events (
      task_id TEXT NOT NULL REFERENCES tasks (task_id),
      sequence INTEGER NOT NULL,
      step TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      number INTEGER NOT NULL,
      event TEXT NOT NULL,
      PRIMARY KEY (task_id, sequence),
      UNIQUE (task_id, step, attempt, number)
    ) STRICT`
  })
}

const Event = Schema.fromJsonString(TaskEvent.fields.event)
const encodeInput = Schema.encodeEffect(Schema.fromJsonString(TaskInput))
const encodeOutput = Schema.encodeEffect(Schema.fromJsonString(TaskOutput))
const encodeError = Schema.encodeEffect(Schema.fromJsonString(ExecutorError))

const TaskRow = Schema.Struct({
  input: Schema.fromJsonString(TaskInput),
  state: TaskState,
  output: Schema.NullOr(Schema.fromJsonString(TaskOutput)),
  error: Schema.NullOr(Schema.fromJsonString(ExecutorError)),
  created_at: Schema.DateTimeUtcFromMillis,
  updated_at: Schema.DateTimeUtcFromMillis
})

const EventRow = Schema.Struct({
  task_id: Schema.String,
  sequence: Schema.Int,
  step: Schema.String,
  attempt: Schema.Int,
  number: Schema.Int,
  event: Event
})

const toRecord = (row: typeof TaskRow.Type) =>
  new TaskRecord({
    input: row.input,
    state: row.state,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.output === null ? undefined : { output: row.output }),
    ...(row.error === null ? undefined : { error: row.error })
  })

const toEvent = ({ task_id: taskId, ...row }: typeof EventRow.Type) => new TaskEvent({ ...row, taskId })

type LowError = SqlError | Schema.SchemaError

const isLow = <E>(error: E): error is E & LowError => isSqlError(error) || Schema.isSchemaError(error)

const failure =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.catchIf(effect, isLow<E>, (cause) => Effect.fail(new TaskStoreError({ operation, cause })))

const make = Effect.fnUntraced(function* (options: TaskRecords.Options) {
  const sql = yield* SqlClient
  const random = yield* SecureRandom.SecureRandom
  yield* migrate("task_migrations", migrations)

  const columns = sql.literal("input, state, output, error, created_at, updated_at")
  const isUnfinished = sql.literal("state IN ('submitted', 'working')")

  const byId = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: TaskRow,
    execute: (taskId) => sql`SELECT ${columns} FROM tasks WHERE task_id = ${taskId}`
  })
  const byKey = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: TaskRow,
    execute: (key) => sql`SELECT ${columns} FROM tasks WHERE message_key = ${key}`
  })
  const allUnfinished = SqlSchema.findAll({
    Request: Schema.Void,
    Result: TaskRow,
    execute: () => sql`SELECT ${columns} FROM tasks WHERE ${isUnfinished} ORDER BY position`
  })
  const countUnfinished = SqlSchema.findOneOption({
    Request: Schema.Void,
    Result: Schema.Struct({ count: Schema.Int }),
    execute: () => sql`SELECT COUNT(*) AS count FROM tasks WHERE ${isUnfinished}`
  })
  const countAttempt = SqlSchema.findOneOption({
    Request: Schema.Struct({ taskId: Schema.String, step: Schema.String }),
    Result: Schema.Struct({ attempts: Schema.Int }),
    execute: ({ step, taskId }) => sql`
      INSERT INTO task_attempts (task_id, step, attempts)
      SELECT task_id, ${step}, 1 FROM tasks WHERE task_id = ${taskId}
      ON CONFLICT (task_id, step) DO UPDATE SET attempts = attempts + 1
      RETURNING attempts`
  })
  // One statement: numbering, the check for a repeat and the insertion cannot come apart.
  const insertEvent = SqlSchema.findOneOption({
    Request: Schema.Struct({
      taskId: Schema.String,
      step: Schema.String,
      attempt: Schema.Int,
      number: Schema.Int,
      event: Event
    }),
    Result: EventRow,
    execute: ({ attempt, event, number, step, taskId }) => sql`
      INSERT INTO task_events (task_id, sequence, step, attempt, number, event)
      SELECT
        task_id,
        (SELECT COALESCE(MAX(sequence), 0) + 1 FROM task_events WHERE task_id = tasks.task_id),
        ${step}, ${attempt}, ${number}, ${event}
      FROM tasks WHERE task_id = ${taskId}
      ON CONFLICT (task_id, step, attempt, number) DO NOTHING
      RETURNING task_id, sequence, step, attempt, number, event`
  })
  const eventsAfter = SqlSchema.findAll({
    Request: Schema.Struct({ taskId: Schema.String, after: Schema.Finite }),
    Result: EventRow,
    execute: ({ after, taskId }) => sql`
      SELECT task_id, sequence, step, attempt, number, event FROM task_events
      WHERE task_id = ${taskId} AND sequence > ${after} ORDER BY sequence`
  })

  const submitNew = Effect.fnUntraced(function* (input: TaskRecords.Submission, key: string, limit: number) {
    const unfinished = yield* countUnfinished()
    if (Option.getOrThrow(unfinished).count >= limit) {
      return yield* new TooManyTasks({ limit, retryAfter: options.retryAfterSeconds })
    }
    const now = yield* DateTime.now
    const millis = DateTime.toEpochMillis(now)
    const task = new TaskInput({ ...input, taskId: yield* random.uuidV4() })
    yield* sql`INSERT INTO tasks ${sql.insert({
      task_id: task.taskId,
      message_key: key,
      input: yield* encodeInput(task),
      state: "submitted",
      created_at: millis,
      updated_at: millis
    })}`
    return new TaskRecord({ input: task, state: "submitted", createdAt: now, updatedAt: now })
  })

  const write = Effect.fnUntraced(function* (task: TaskRecord) {
    yield* sql`UPDATE tasks SET ${sql.update({
      state: task.state,
      output: task.output === undefined ? null : yield* encodeOutput(task.output),
      error: task.error === undefined ? null : yield* encodeError(task.error),
      updated_at: DateTime.toEpochMillis(task.updatedAt)
    })} WHERE task_id = ${task.input.taskId}`
  })

  const get = (taskId: string) => Effect.map(byId(taskId), Option.map(toRecord))

  return TaskStore.of({
    submit: Effect.fn("TaskStore.submit")(
      function* (input, limit) {
        const key = yield* TaskRecords.messageKey(input)
        const known = Option.map(yield* byKey(key), toRecord)
        if (Option.isNone(known)) return { task: yield* submitNew(input, key, limit), created: true }
        const task = known.value
        return task.input.text === input.text
          ? { task, created: false }
          : yield* new MessageConflict({ messageId: input.messageId, taskId: task.input.taskId })
      },
      (effect) => failure("submit")(sql.withTransaction(effect))
    ),

    get: Effect.fn("TaskStore.get")((taskId) => failure("get")(get(taskId))),

    begin: Effect.fn("TaskStore.begin")(function* (taskId, step) {
      const counted = yield* failure("begin")(countAttempt({ taskId, step }))
      return Option.isSome(counted) ? counted.value.attempts : yield* TaskRecords.unknownTask("begin", taskId)
    }),

    append: Effect.fn("TaskStore.append")(function* (event) {
      if (event.number < 1) return yield* TaskRecords.reservedNumber(event.number)
      const inserted = yield* insertEvent(event)
      if (Option.isNone(inserted) && Option.isNone(yield* byId(event.taskId))) {
        return yield* TaskRecords.unknownTask("append", event.taskId)
      }
      return Option.map(inserted, toEvent)
    }, failure("append")),

    events: Effect.fn("TaskStore.events")((taskId, after) =>
      failure("events")(Effect.map(eventsAfter({ taskId, after }), (rows) => rows.map(toEvent)))
    ),

    setState: Effect.fn("TaskStore.setState")(
      function* (taskId, change) {
        const known = yield* get(taskId)
        if (Option.isNone(known)) return yield* TaskRecords.unknownTask("setState", taskId)
        const next = TaskRecords.advance(known.value, change, yield* DateTime.now)
        if (Option.isNone(next)) return { task: known.value, event: Option.none<TaskEvent>() }
        yield* write(next.value)
        const event = yield* insertEvent(TaskRecords.stateEvent(taskId, change.state))
        return { task: next.value, event: Option.map(event, toEvent) }
      },
      (effect) => failure("setState")(sql.withTransaction(effect))
    ),

    unfinished: Effect.suspend(() => allUnfinished()).pipe(
      Effect.map((rows) => rows.map(toRecord)),
      failure("unfinished"),
      Effect.withSpan("TaskStore.unfinished")
    )
  })
})

/**
 * The store in tables of its own (`tasks`, `task_attempts`, `task_events`) of the database at hand, which it makes and
 * migrates.
 *
 * **Details**
 *
 * Each operation is one transaction, and durable when it answers if the database's commits are (`synchronous=FULL`, as
 * `layers/sql/SqliteClient` sets it).
 */
export const layerWith = (options: Partial<TaskRecords.Options> = {}) =>
  Layer.effect(TaskStore, make({ ...TaskRecords.defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
