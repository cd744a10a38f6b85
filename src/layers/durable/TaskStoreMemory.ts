/**
 * The task store in memory: for tests, and for an embedded agent whose tasks may end with the process.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SecureRandom from "effect/crypto/SecureRandom"
import {
  type History,
  isTerminal,
  MessageConflict,
  type NewTaskEvent,
  type Standing,
  type TaskEvent,
  type TaskRecord,
  TaskStore,
  TooManyTasks
} from "../../services/durable/TaskStore.ts"
import type { OpenWait } from "../../services/durable/Waits.ts"
import * as TaskRecords from "./taskRecords.ts"

interface Entry {
  task: TaskRecord
  readonly events: Array<TaskEvent>
  readonly attempts: Map<string, number>
  readonly waits: Map<string, OpenWait>
  standing: Standing
  steps: History["steps"]
}

const make = Effect.fnUntraced(function* (options: TaskRecords.Options) {
  const random = yield* SecureRandom.SecureRandom
  const epoch = (yield* random.uuidV4()).replaceAll("-", "").slice(0, 12)
  // Between reading and changing these nothing is waited for, so that no other fiber sees half of a change.
  const entries = new Map<string, Entry>()
  const taskIds = new Map<string, string>()

  const entry = (operation: string, taskId: string) =>
    Effect.suspend(() => {
      const found = entries.get(taskId)
      return found === undefined ? Effect.fail(TaskRecords.unknownTask(operation, taskId)) : Effect.succeed(found)
    })

  const push = ({ events }: Entry, event: NewTaskEvent, at: DateTime.Utc) => {
    const isRepeat = events.some(
      (known) => known.step === event.step && known.attempt === event.attempt && known.number === event.number
    )
    if (isRepeat) return Option.none<TaskEvent>()
    const fresh: TaskEvent = { ...event, sequence: events.length + 1, at }
    events.push(fresh)
    return Option.some(fresh)
  }

  const unended = () => Array.from(entries.values()).filter(({ task }) => !isTerminal(task.state))
  const unfinished = () => unended().map(({ task }) => task)
  const openWaits = () =>
    unended()
      .flatMap(({ waits }) => Array.from(waits.values()))
      .toSorted((a, b) => a.deadline - b.deadline)

  return TaskStore.of({
    epoch,

    submit: Effect.fn("TaskStore.submit")(function* (input, limit, origin = TaskRecords.noOrigin) {
      const now = yield* DateTime.now
      const taskId = yield* random.uuidV4()
      const key = yield* TaskRecords.messageKey(input)
      // From here on nothing is waited for.
      const known = entries.get(taskIds.get(key) ?? "")?.task
      if (known !== undefined) {
        return TaskRecords.digestOf(known.input) === TaskRecords.digestOf(input)
          ? { task: known, created: false }
          : yield* new MessageConflict({ messageId: input.messageId, taskId: known.input.taskId })
      }
      if (unfinished().length >= limit) {
        return yield* new TooManyTasks({ limit, retryAfter: options.retryAfterSeconds })
      }
      const task: TaskRecord = {
        input: { ...input, taskId },
        state: "submitted",
        createdAt: now,
        updatedAt: now
      }
      entries.set(taskId, {
        task,
        events: [],
        attempts: new Map(),
        waits: new Map(),
        standing: TaskRecords.fresh(origin),
        steps: {}
      })
      taskIds.set(key, taskId)
      return { task, created: true }
    }),

    get: Effect.fn("TaskStore.get")((taskId) => Effect.sync(() => Option.fromNullishOr(entries.get(taskId)?.task))),

    begin: Effect.fn("TaskStore.begin")(function* (taskId, step) {
      const { attempts } = yield* entry("begin", taskId)
      const attempt = (attempts.get(step) ?? 0) + 1
      attempts.set(step, attempt)
      return attempt
    }),

    append: Effect.fn("TaskStore.append")(function* (event, written) {
      if (event.number < 1) return yield* TaskRecords.reservedNumber(event.number)
      const now = yield* DateTime.now
      const said = push(yield* entry("append", event.taskId), event, now)
      if (Option.isSome(said)) written?.()
      return said
    }),

    // The number of an event is one more than its place in the list.
    events: Effect.fn("TaskStore.events")((taskId, after, limit = Infinity) =>
      Effect.sync(() => (entries.get(taskId)?.events ?? []).slice(after, after + limit))
    ),

    firstKept: Effect.fn("TaskStore.firstKept")(() => Effect.succeed(1)),

    setState: Effect.fn("TaskStore.setState")(function* (taskId, change, written) {
      const now = yield* DateTime.now
      const known = yield* entry("setState", taskId)
      const next = TaskRecords.advance(known.task, change, now)
      if (Option.isNone(next)) return { task: known.task, event: Option.none<TaskEvent>() }
      known.task = next.value
      const event = push(known, TaskRecords.stateEvent(taskId, known.events.length + 1, change), now)
      written?.()
      return { task: next.value, event }
    }),

    unfinished: Effect.sync(unfinished),

    list: Effect.fn("TaskStore.list")((query) =>
      Effect.sync(() =>
        TaskRecords.pageOf(
          Array.from(entries.values(), ({ task }) => task),
          query
        )
      )
    ),

    begun: Effect.fn("TaskStore.begun")(function* (taskId, step) {
      const { attempts } = yield* entry("begun", taskId)
      return attempts.get(step) ?? 0
    }),

    standing: Effect.fn("TaskStore.standing")((taskId) =>
      Effect.map(entry("standing", taskId), ({ standing }) => standing)
    ),

    history: Effect.fn("TaskStore.history")((taskId) =>
      Effect.map(entry("history", taskId), ({ steps, waits }) => ({
        steps,
        completed: [],
        waits: Array.from(waits.values()),
        missed: {}
      }))
    ),

    note: Effect.fn("TaskStore.note")(function* (taskId, note) {
      const now = DateTime.toEpochMillis(yield* DateTime.now)
      const known = yield* entry("note", taskId)
      known.standing = TaskRecords.standingAfter(known.standing, note)
      if (note._tag === "SegmentBegan") known.steps = note.steps
      TaskRecords.noteWait(known.waits, taskId, note, now)
    }),

    refusal: Effect.never,

    waits: Effect.sync(openWaits),

    due: Effect.fn("TaskStore.due")((before) =>
      Effect.sync(() => openWaits().filter(({ deadline }) => deadline < before))
    ),

    withoutWait: Effect.sync(() =>
      unended()
        .filter(({ standing, waits }) => standing.held !== undefined || waits.size === 0)
        .map(({ standing, task }) => ({ taskId: task.input.taskId, held: standing.held }))
    )
  })
})

/** The store; what it holds is gone with the layer. */
export const layerWith = (options: Partial<TaskRecords.Options> = {}) =>
  Layer.effect(TaskStore, make({ ...TaskRecords.defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
