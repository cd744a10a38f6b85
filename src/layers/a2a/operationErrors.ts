/**
 * What goes wrong with tasks, as A2A says it.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import { A2AError, taskNotFound } from "../../services/a2a/A2AError.ts"
import type { PushTargetRefused } from "../../services/a2a/PushConfigs.ts"
import type {
  Draining,
  NotConfirmed,
  TaskNotCancelable,
  TaskNotFound,
  TaskTakesNoMessage
} from "../../services/durable/TaskRunner.ts"
import type { JournalUnavailable } from "../../services/durable/Journal.ts"
import type {
  MessageConflict,
  MessageForgotten,
  TaskStoreError,
  TooManyTasks
} from "../../services/durable/TaskStore.ts"

/** All of it. */
export type Failure =
  | A2AError
  | Draining
  | JournalUnavailable
  | MessageConflict
  | MessageForgotten
  | NotConfirmed
  | PushTargetRefused
  | TaskNotCancelable
  | TaskNotFound
  | TaskStoreError
  | TaskTakesNoMessage
  | TooManyTasks

/** A field of the request is wrong. */
export const invalid = (field: string, description: string): A2AError =>
  new A2AError({ reason: "INVALID_PARAMS", message: "Invalid parameters", fieldViolations: [{ field, description }] })

/** How long whoever meets a full or broken disk is told to wait, in seconds. */
const storeRetry = 5

const unavailableReasons = {
  full: "the disk is full",
  readonly: "the disk is read-only",
  failed: "the disk fails"
} as const

/** The failure in A2A's words. */
export const toA2A: (failure: Failure) => A2AError = Match.type<Failure>().pipe(
  Match.tagsExhaustive({
    A2AError: (error) => error,
    Draining: ({ message, retryAfter }) => new A2AError({ reason: "UNAVAILABLE", message, retryAfter }),
    NotConfirmed: ({ message, retryAfter, taskId }) =>
      new A2AError({ reason: "UNAVAILABLE", message, retryAfter, metadata: { taskId } }),
    TooManyTasks: ({ message, retryAfter }) => new A2AError({ reason: "BUSY", message, retryAfter }),
    MessageConflict: ({ message }) => invalid("message.messageId", message),
    // Not "task not found", after which a client would send the message again.
    MessageForgotten: ({ message }) => invalid("message.messageId", message),
    // The cause is in the log, with the file's path, which is nobody's business outside.
    JournalUnavailable: ({ reason, remedy }) =>
      new A2AError({
        reason: "UNAVAILABLE",
        message: `the message is not taken, since nothing can be kept now (${unavailableReasons[reason]}): ${remedy}`,
        retryAfter: storeRetry,
        metadata: { disk: reason }
      }),
    PushTargetRefused: ({ message }) => invalid("url", message),
    TaskNotFound: ({ taskId }) => taskNotFound(taskId),
    TaskNotCancelable: ({ message, taskId }) =>
      new A2AError({ reason: "TASK_NOT_CANCELABLE", message, metadata: { taskId } }),
    TaskTakesNoMessage: ({ message, taskId }) =>
      new A2AError({ reason: "UNSUPPORTED_OPERATION", message, metadata: { taskId } }),
    TaskStoreError: ({ message }) => new A2AError({ reason: "UNAVAILABLE", message, retryAfter: storeRetry })
  })
)

/** The operation with its failures in A2A's words; what only we can mend is logged, too. */
export const mapped = <A, R>(operation: Effect.Effect<A, Failure, R>): Effect.Effect<A, A2AError, R> =>
  Effect.catch(operation, (failure) =>
    Effect.andThen(
      failure._tag === "TaskStoreError" ? Effect.logError(failure.message) : Effect.void,
      Effect.fail(toA2A(failure))
    )
  )
