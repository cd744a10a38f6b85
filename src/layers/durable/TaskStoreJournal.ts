/**
 * The task store on the journal.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { executionId } from "../../services/durable/AgentTask.ts"
import { InFlight } from "../../services/durable/InFlight.ts"
import { Journal, type JournalEntry, Staging } from "../../services/durable/Journal.ts"
import {
  type History,
  type HoldReason,
  isTerminal,
  MessageConflict,
  MessageForgotten,
  type NewTaskEvent,
  type Origin,
  type Standing,
  type TaskEvent,
  type TaskRecord,
  TaskStore,
  TaskStoreError,
  TooManyTasks
} from "../../services/durable/TaskStore.ts"
import { isSuccess } from "../journal/exitCodec.ts"
import { fnIfTraced } from "../tracing/spanIfTraced.ts"
import * as EndedTasks from "./endedTasks.ts"
import * as LiveTask from "./liveTask.ts"
import * as TaskIds from "./taskIds.ts"
import * as TaskRecords from "./taskRecords.ts"
import * as TaskRows from "./taskRows.ts"

const failure =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.mapError(effect, (error) =>
      TaskRecords.isStoreError(error) ? error : new TaskStoreError({ operation, cause: error })
    )

const entry = (stream: string, record: JournalEntry["record"], at?: DateTime.Utc): ReadonlyArray<JournalEntry> => [
  at === undefined ? { stream, record } : { stream, record, at: DateTime.toEpochMillis(at) }
]

const heldOf = (reason: typeof HoldReason.Type | null, detail: string | null): Standing["held"] =>
  reason === null ? undefined : { reason, detail: detail ?? "" }

/** How often somebody who waits for the disk looks whether it refuses. */
const lookEvery = "50 millis"

const make = Effect.fnUntraced(function* (options: TaskRecords.Options) {
  const journal = yield* Journal
  const newId = yield* TaskIds.make
  const rows = yield* TaskRows.make
  const inFlight = yield* InFlight
  const clock = yield* Clock.Clock
  const live = new Map<string, LiveTask.LiveTask>()
  const ended = EndedTasks.make()
  const atHand = (taskId: string) => live.get(taskId) ?? ended.get(taskId, clock.currentTimeMillisUnsafe())
  // Messages that are being looked up or accepted: the same message meanwhile waits for the outcome.
  const arriving = new Map<string, Deferred.Deferred<void>>()
  const begunBefore = yield* rows.unfinished()
  let unfinished = begunBefore.length
  yield* journal.stage(inFlight.stale(new Set(begunBefore.map((row) => row.task_id))))

  const load = Effect.fnUntraced(function* (operation: string, taskId: string) {
    const known = live.get(taskId)
    if (known !== undefined) return known
    ended.forget(taskId)
    const record = yield* rows.recordOf(yield* rowOf(operation, taskId))
    const last = yield* rows.lastEvent(taskId)
    const meanwhile = live.get(taskId)
    if (meanwhile !== undefined) return meanwhile
    const task = LiveTask.make(record, Option.getOrElse(last, () => ({ sequence: 0 })).sequence, false)
    if (!isTerminal(record.state)) live.set(taskId, task)
    return task
  })

  // A task may have thousands of steps: what is known of one is looked up when it is asked for.
  const begun = Effect.fnUntraced(function* (task: LiveTask.LiveTask, taskId: string, step: string) {
    const known = task.attempts.get(step)
    if (known !== undefined || task.fresh) return known ?? 0
    const stored = Option.getOrElse(yield* rows.attempts({ taskId, step }), () => ({ attempts: 0 })).attempts
    // Another fiber may have counted on meanwhile.
    const count = Math.max(stored, task.attempts.get(step) ?? 0)
    task.attempts.set(step, count)
    return count
  })

  const get = Effect.fnUntraced(function* (taskId: string) {
    const known = atHand(taskId)
    if (known !== undefined) return Option.some(known.record)
    const row = yield* rows.byId(taskId)
    return Option.isNone(row) ? Option.none<TaskRecord>() : Option.some(yield* rows.recordOf(row.value))
  })

  const accept = Effect.fnUntraced(function* (
    input: TaskRecords.Submission,
    messageKey: string,
    digest: string,
    limit: number,
    origin: Origin
  ) {
    if (unfinished >= limit) return yield* new TooManyTasks({ limit, retryAfter: options.retryAfterSeconds })
    const now = yield* DateTime.now
    const task = { ...input, taskId: yield* newId }
    const record = { _tag: "TaskAccepted", input: task, messageKey, digest, restored: false, ...origin } as const
    // Counted before it is kept, so that those who come meanwhile do not exceed the limit.
    unfinished++
    const indexed = inFlight.accepted(record, DateTime.toEpochMillis(now))
    yield* Effect.onError(journal.accept([...entry(task.taskId, record, now), ...indexed]), () =>
      Effect.sync(() => {
        inFlight.withdrawn(task.taskId)
        unfinished--
      })
    )
    const fresh: TaskRecord = { input: task, state: "submitted", createdAt: now, updatedAt: now }
    live.set(task.taskId, LiveTask.make(fresh, 0, true))
    return fresh
  })

  const submit = Effect.fnUntraced(function* (input: TaskRecords.Submission, limit: number, origin: Origin) {
    const key = yield* TaskRecords.messageKey(input)
    const digest = TaskRecords.digestOf(input)
    const conflict = (taskId: string) => new MessageConflict({ messageId: input.messageId, taskId })
    while (true) {
      const other = arriving.get(key)
      if (other === undefined) break
      yield* Deferred.await(other)
    }
    const done = Deferred.makeUnsafe<void>()
    arriving.set(key, done)
    const look = Effect.gen(function* () {
      if (!(yield* rows.isKnown(key))) return { task: yield* accept(input, key, digest, limit, origin), created: true }
      const row = yield* rows.byKey(key)
      if (Option.isSome(row)) {
        if (row.value.digest !== digest) return yield* conflict(row.value.task_id)
        return { task: atHand(row.value.task_id)?.record ?? (yield* rows.recordOf(row.value)), created: false }
      }
      const gone = yield* rows.tombstone(key)
      const { epochMilliseconds: now } = yield* DateTime.now
      if (Option.isSome(gone) && gone.value.until > now) {
        if (gone.value.digest !== digest) return yield* conflict(gone.value.task_id)
        const { state, task_id: taskId } = gone.value
        return yield* new MessageForgotten({ messageId: input.messageId, taskId, state })
      }
      return { task: yield* accept(input, key, digest, limit, origin), created: true }
    })
    return yield* Effect.ensuring(
      look,
      Effect.suspend(() => {
        arriving.delete(key)
        return Deferred.succeed(done, undefined)
      })
    )
  }, Effect.uninterruptible)

  const rowOf = Effect.fnUntraced(function* (operation: string, taskId: string) {
    const found = yield* rows.byId(taskId)
    return Option.isSome(found) ? found.value : yield* TaskRecords.unknownTask(operation, taskId)
  })

  const standing = Effect.fnUntraced(function* (taskId: string) {
    const { boots, code, held, held_detail: detail, restored, segment, version } = yield* rowOf("standing", taskId)
    return {
      version,
      code,
      segment,
      boots,
      restored,
      held: heldOf(held, detail)
    } satisfies Standing
  })

  const history = Effect.fnUntraced(function* (taskId: string) {
    const row = yield* rowOf("history", taskId)
    const steps = yield* rows.snapshot(row)
    const waits = yield* rows.waits(taskId)
    const execution = yield* journal.read(executionId(taskId, row.segment))
    const before = row.segment === 0 ? [] : yield* journal.read(executionId(taskId, row.segment - 1))
    const results = new Map<string, Schema.Json>()
    for (const { record } of execution) {
      if (record._tag === "ActivityCompleted" && isSuccess(record.exit)) results.set(record.name, record.exit)
    }
    return {
      steps,
      results,
      completed: execution.flatMap(({ record }) => (record._tag === "ActivityCompleted" ? [record.name] : [])),
      waits,
      missed: Object.fromEntries(
        before.flatMap(({ record }) => (record._tag === "DeferredCompleted" ? [[record.name, record.exit]] : []))
      )
    } satisfies History
  })

  // In one go, so that nobody reads of a state that the record does not have yet.
  const reach = (task: LiveTask.LiveTask, record: TaskRecord, event: TaskEvent) => {
    const { taskId } = record.input
    task.record = record
    LiveTask.keep(task, event)
    if (!isTerminal(record.state) || live.get(taskId) !== task) return
    live.delete(taskId)
    ended.keep(task)
    unfinished--
  }

  return TaskStore.of({
    epoch: journal.epoch,

    submit: fnIfTraced("TaskStore.submit")(
      (input: TaskRecords.Submission, limit: number, origin: Origin = TaskRecords.noOrigin) =>
        Effect.mapError(submit(input, limit, origin), (error) =>
          TaskRecords.isExpected(error) ? error : new TaskStoreError({ operation: "submit", cause: error })
        )
    ),

    get: fnIfTraced("TaskStore.get")((taskId: string) => failure("get")(get(taskId))),

    begin: Effect.fn("TaskStore.begin")(function* (taskId, step, effect) {
      const task = yield* load("begin", taskId)
      yield* begun(task, taskId, step)
      const attempt = yield* Effect.sync(() => {
        const attempt = (task.attempts.get(step) ?? 0) + 1
        const intent = effect === undefined ? undefined : { effect }
        journal.stageUnsafe(entry(taskId, { _tag: "StepBegan", step, attempt, ...intent }))
        task.attempts.set(step, attempt)
        LiveTask.rememberRun(task, attempt, step, [])
        return attempt
      })
      if (effect !== undefined) yield* journal.settled
      return attempt
    }, failure("begin")),

    begun: Effect.fn("TaskStore.begun")(function* (taskId, step) {
      return yield* begun(yield* load("begun", taskId), taskId, step)
    }, failure("begun")),

    append: fnIfTraced("TaskStore.append")(
      Effect.fnUntraced(function* (event: NewTaskEvent, written?: () => void) {
        const { attempt, event: said, number, step, taskId } = event
        if (number < 1) return yield* TaskRecords.reservedNumber(number)
        if (said._tag === "State") return yield* TaskRecords.stateOutside()
        const task = yield* load("append", taskId)
        if (!LiveTask.knowsRun(task, attempt, step)) {
          LiveTask.rememberRun(task, attempt, step, yield* rows.said({ taskId, step, attempt }))
        }
        const at = yield* DateTime.now
        // Number and place in the journal are given in one go.
        const fresh = yield* Effect.sync(() => {
          if (!LiveTask.firstTime(task, event)) return undefined
          const sequence = task.sequence + 1
          const kept = { ...event, sequence, at }
          const record = { _tag: "TaskSaid", sequence, step, attempt, number, event: said } as const
          journal.stageUnsafe(entry(taskId, record, at), () => {
            LiveTask.keep(task, kept)
            written?.()
          })
          task.sequence = sequence
          return kept
        })
        if (fresh === undefined) return Option.none<TaskEvent>()
        if (written === undefined) yield* journal.settled
        return Option.some(fresh)
      }, failure("append"))
    ),

    events: fnIfTraced("TaskStore.events")(
      Effect.fnUntraced(function* (taskId, after, limit = -1) {
        const task = atHand(taskId)
        const recent = task === undefined ? undefined : LiveTask.recentAfter(task, after)
        if (recent !== undefined) return limit < 0 ? recent : recent.slice(0, limit)
        return yield* rows.events(taskId, after, Math.trunc(Math.min(limit, Number.MAX_SAFE_INTEGER)))
      }, failure("events"))
    ),

    firstKept: Effect.fn("TaskStore.firstKept")((taskId) =>
      failure("firstKept")(
        Effect.map(rows.firstEvent(taskId), (oldest) => Option.getOrElse(oldest, () => ({ sequence: 1 })).sequence)
      )
    ),

    setState: fnIfTraced("TaskStore.setState")(
      Effect.fnUntraced(function* (taskId: string, change: TaskRecords.Change, written?: () => void) {
        const task = yield* load("setState", taskId)
        const now = yield* DateTime.now
        const together = (yield* Staging) ?? []
        const event = yield* Effect.sync(() => {
          const next = TaskRecords.advance(task.staged, change, now)
          if (Option.isNone(next)) return undefined
          const sequence = task.sequence + 1
          const said = { ...TaskRecords.stateEvent(taskId, sequence, change), sequence, at: now }
          const row = entry(taskId, { _tag: "TaskMoved", sequence, ...change }, now)
          const freed = isTerminal(change.state) ? inFlight.ended(taskId) : []
          // Freed before the last checkpoint, so that the newest one of a workspace is its task's and not this.
          journal.stageUnsafe([...together.slice(0, -1), ...freed, ...together.slice(-1), ...row], () => {
            reach(task, next.value, said)
            written?.()
          })
          task.staged = next.value
          task.sequence = sequence
          return said
        })
        const { staged } = task
        // Whoever is told of a state that is still on its way waits for it to arrive, too.
        if (written === undefined) yield* journal.settled
        return { task: staged, event: Option.fromUndefinedOr(event) }
      }, failure("setState"))
    ),

    unfinished: Effect.suspend(() => rows.unfinished()).pipe(
      Effect.flatMap(Effect.forEach((row) => rows.recordOf(row))),
      failure("unfinished"),
      Effect.withSpan("TaskStore.unfinished")
    ),

    list: Effect.fn("TaskStore.list")(function* (query) {
      const found = yield* rows.page(query)
      const [counted] = yield* rows.count(query)
      return { tasks: yield* Effect.forEach(found, (row) => rows.recordOf(row)), total: counted?.total ?? 0 }
    }, failure("list")),

    standing: Effect.fn("TaskStore.standing")((taskId) => failure("standing")(standing(taskId))),

    history: Effect.fn("TaskStore.history")((taskId) => failure("history")(history(taskId))),

    note: Effect.fn("TaskStore.note")(function* (taskId, note) {
      yield* load("note", taskId)
      const together = (yield* Staging)?.splice(0) ?? []
      yield* journal.append([...together, ...entry(taskId, note)])
    }, failure("note")),

    refusal: Effect.flatMap(journal.state, ({ refused }) =>
      refused === undefined ? Effect.void : Effect.fail(refused)
    ).pipe(Effect.andThen(Effect.sleep(lookEvery)), Effect.forever),

    waits: Effect.suspend(() => rows.allWaits()).pipe(failure("waits"), Effect.withSpan("TaskStore.waits")),

    due: Effect.fn("TaskStore.due")((before) => failure("due")(rows.due(before))),

    withoutWait: Effect.suspend(() => rows.withoutWait()).pipe(
      Effect.map((found) =>
        found.map(({ held, held_detail: detail, task_id: taskId }) => ({ taskId, held: heldOf(held, detail) }))
      ),
      failure("withoutWait"),
      Effect.withSpan("TaskStore.withoutWait")
    )
  })
})

/**
 * The store on the journal in context, whose projections must include `taskProjection`.
 *
 * **Details**
 *
 * What it answers is on disk. What a task was asked, said and answered is read from the journal's own rows, behind their
 * checksums: a damaged one is an error and never another answer.
 */
export const layerWith = (options: Partial<TaskRecords.Options> = {}) =>
  Layer.effect(TaskStore, make({ ...TaskRecords.defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
