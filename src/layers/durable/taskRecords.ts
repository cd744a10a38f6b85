/**
 * What all task stores agree on: what makes two messages the same, and how a task moves on.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as DateTime from "effect/DateTime"
import type { TaskInput } from "../../services/durable/AgentTask.ts"
import {
  isTerminal,
  type TaskEvent,
  TaskRecord,
  type TaskState,
  type TaskStore,
  TaskStoreError
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

const rank = (state: TaskState) => (state === "submitted" ? 0 : isTerminal(state) ? 2 : 1)

/** The record after a change, or `None` where the change leads nowhere new: nothing goes back, and no end is left. */
export const advance = (task: TaskRecord, change: Change, now: DateTime.Utc): Option.Option<TaskRecord> =>
  rank(change.state) > rank(task.state)
    ? Option.some(new TaskRecord({ input: task.input, createdAt: task.createdAt, updatedAt: now, ...change }))
    : Option.none()

/**
 * The key of the event that tells of a new state. Its numbers are negative; what is said outside of a step counts from 1.
 */
export const stateEvent = (taskId: string, state: TaskState): Omit<TaskEvent, "sequence"> => ({
  taskId,
  step: "",
  attempt: 1,
  number: -rank(state),
  event: { _tag: "State", state }
})

/** The failure of an operation on a task that was never submitted here. */
export const unknownTask = (operation: string, taskId: string) =>
  new TaskStoreError({ operation, cause: `there is no task ${taskId}` })

/** The failure of appending an event whose number is one of ours. */
export const reservedNumber = (number: number) =>
  new TaskStoreError({ operation: "append", cause: `the number of an event counts from 1, this one has ${number}` })
