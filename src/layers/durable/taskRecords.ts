/**
 * What all task stores agree on: what makes two messages the same, and how a task moves on.
 *
 * @module
 */
import { hash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as DateTime from "effect/DateTime"
import type { OpenWait } from "../../services/durable/Waits.ts"
import { JournalUnavailable } from "../../services/durable/Journal.ts"
import type { TaskInput } from "../../services/durable/AgentTask.ts"
import { Message } from "../../services/durable/Content.ts"
import {
  type History,
  MessageConflict,
  MessageForgotten,
  type NewTaskEvent,
  type Origin,
  rank,
  type StateEvent,
  type Standing,
  type TaskNote,
  type TaskPage,
  type TaskQuery,
  type TaskRecord,
  type TaskState,
  type TaskStore,
  TaskStoreError,
  TooManyTasks
} from "../../services/durable/TaskStore.ts"

/** What a task store may be told. */
export interface Options {
  /** Seconds that a sender is told to wait where there are too many tasks. */
  readonly retryAfterSeconds: number
}

/** Five seconds. */
export const defaults: Options = { retryAfterSeconds: 5 }

/** What a sender submits. */
export type Submission = Omit<TaskInput, "taskId">

/** How a task is moved on. */
export type Change = Parameters<TaskStore["Service"]["setState"]>[1]

const Key = Schema.fromJsonString(Schema.Tuple([Schema.String, Schema.String, Schema.String]))
const encodeKey = Schema.encodeEffect(Key)

/** The one text by which a message is known again: caller, context and `messageId`, none of which can run into another. */
export const messageKey = ({ caller, contextId, messageId }: Submission): Effect.Effect<string> =>
  // Three strings are always JSON: a failure would be a bug.
  Effect.orDie(encodeKey([caller, contextId, messageId]))

/** The message of a task, to be sent as one of its own: the same each time. */
export const again = ({ caller, contextId, message, taskId, text }: TaskInput): Submission => {
  const messageId = `${taskId}/retry`
  return {
    caller,
    contextId,
    text,
    messageId,
    ...(message === undefined ? undefined : { message: { ...message, messageId } })
  }
}

const leadsOn = (from: TaskState, to: TaskState) =>
  rank(to) > rank(from) || (rank(to) === 1 && rank(from) === 1 && to !== from)

/** The record after a change, or `None` where the change leads nowhere new: nothing goes back, and no end is left. */
export const advance = (task: TaskRecord, change: Change, now: DateTime.Utc): Option.Option<TaskRecord> => {
  if (!leadsOn(task.state, change.state)) return Option.none()
  const { createdAt, input } = task
  const result =
    change.state === "completed"
      ? { output: change.output }
      : change.state === "failed" || change.state === "rejected"
        ? { error: change.error }
        : undefined
  return Option.some({ input, createdAt, updatedAt: now, state: change.state, ...result })
}

/**
 * The event with this number that tells of a new state. Its key's number is negative: what is said outside of a step
 * counts from 1.
 */
export const stateEvent = (
  taskId: string,
  sequence: number,
  { message, state }: { readonly state: TaskState; readonly message?: (typeof StateEvent.Type)["message"] }
): NewTaskEvent => ({
  taskId,
  step: "",
  attempt: 1,
  number: -sequence,
  event: { _tag: "State", state, ...(message === undefined ? undefined : { message }) }
})

/** The step of further messages to a task, which are numbered from 1. */
export const receivedStep = "~received"

/** The failure of an operation on a task that was never submitted here. */
export const unknownTask = (operation: string, taskId: string) =>
  new TaskStoreError({ operation, cause: `there is no task ${taskId}` })

/** The failure of appending an event whose number is one of ours. */
export const reservedNumber = (number: number) =>
  new TaskStoreError({ operation: "append", cause: `the number of an event counts from 1, this one has ${number}` })

/** The failure of appending a state as if an agent had said it: states are set. */
export const stateOutside = () => new TaskStoreError({ operation: "append", cause: "a state is set, not appended" })

/** Where nobody says what a task is begun with. */
export const noOrigin: Origin = { version: 1, code: "" }

// What was decoded by the schema can be encoded by it.
// @effect-diagnostics-next-line schemaSync:off
const encodeContent = Schema.encodeSync(Schema.fromJsonString(Schema.Struct({ message: Message })))

/** A digest of a message's content, by which the same key with another content is noticed. */
export const digestOf = ({ message, text }: Submission): string =>
  hash("sha256", message === undefined ? text : encodeContent({ message }), "base64url")

/** Errors of `submit` that a store tells of as they are; every other is a `TaskStoreError`. */
export const isExpected = Schema.is(
  Schema.Union([MessageConflict, MessageForgotten, TooManyTasks, JournalUnavailable, TaskStoreError])
)

/** Is it a `TaskStoreError` already? */
export const isStoreError = Schema.is(TaskStoreError)

/** Where a task stands that has just been accepted. */
export const fresh = (origin: Origin): Standing => ({
  ...origin,
  segment: 0,
  held: undefined,
  boots: 0,
  restored: false
})

/** What a task has done that has just been accepted. */
export const noHistory: History = { steps: {}, completed: [], waits: [], missed: {} }

/** Where a task stands after a note. */
export const standingAfter = (standing: Standing, note: TaskNote): Standing => {
  switch (note._tag) {
    case "SegmentBegan":
      return { ...standing, segment: note.segment, boots: 0 }
    case "TaskResumed":
      return { ...standing, boots: standing.boots + 1 }
    case "TaskHeld":
      return { ...standing, held: { reason: note.reason, detail: note.detail } }
    case "TaskReleased":
      return { ...standing, held: undefined, boots: 0 }
    default:
      return standing
  }
}

/** Changes the open waits of a task by a note; `now` in milliseconds. */
export const noteWait = (waits: Map<string, OpenWait>, taskId: string, note: TaskNote, now: number) => {
  if (note._tag === "WaitBegan" && !waits.has(note.wait)) {
    const { deadline, from, kind, reason, wait } = note
    waits.set(wait, { taskId, wait, kind, reason, from, since: now, deadline, retries: 0 })
  } else if (note._tag === "WaitRetried") {
    const known = waits.get(note.wait)
    if (known !== undefined) waits.set(note.wait, { ...known, deadline: note.deadline, retries: known.retries + 1 })
  } else if (note._tag === "WaitEnded") {
    waits.delete(note.wait)
  }
}

/** The context that a task belongs to: one that its sender did not name is a context of its own. */
export const contextOf = ({ contextId, taskId }: TaskInput): string => (contextId === "" ? taskId : contextId)

/** Does the query ask for the task? */
export const matches = ({ input, state, updatedAt }: TaskRecord, query: TaskQuery): boolean =>
  (query.caller === undefined || query.caller === input.caller) &&
  (query.contextId === undefined || query.contextId === contextOf(input)) &&
  (query.state === undefined || query.state === state) &&
  (query.since === undefined || query.since <= DateTime.toEpochMillis(updatedAt))

/** The order of a list. */
export const latestFirst = (a: TaskRecord, b: TaskRecord): number =>
  DateTime.toEpochMillis(b.updatedAt) - DateTime.toEpochMillis(a.updatedAt) ||
  (a.input.taskId < b.input.taskId ? 1 : -1)

/** Does the task come after the one that the query names? */
export const isBehind = ({ input, updatedAt }: TaskRecord, { after }: TaskQuery): boolean => {
  if (after === undefined) return true
  const at = DateTime.toEpochMillis(updatedAt)
  return at < after.updatedAt || (at === after.updatedAt && input.taskId < after.taskId)
}

/** The page of these tasks that the query asks for, and how many there are on all pages. */
export const pageOf = (records: ReadonlyArray<TaskRecord>, query: TaskQuery): TaskPage => {
  const all = records.filter((one) => matches(one, query))
  const behind = all.toSorted(latestFirst).filter((one) => isBehind(one, query))
  return { tasks: behind.slice(0, query.limit), total: all.length }
}
