/**
 * The operations of A2A, whatever they are asked over: JSON-RPC or HTTP+JSON, in the words of 1.0 or of 0.3.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { A2AError } from "./A2AError.ts"
import type * as P from "./A2AProtocol.ts"

/** Who asks, and with which service parameters. */
export interface Call {
  /** The workspace that calls, or `admin`. What a task belongs to. */
  readonly caller: string
  /** The protocol in whose words the caller asks, and is pushed to. */
  readonly version: "1.0" | "0.3"
  /** URIs of the extensions that the caller activates (`A2A-Extensions`). */
  readonly extensions: ReadonlyArray<string>
  /**
   * The cursor of the last event that the caller has seen, from `Last-Event-ID` or the request's metadata: what follows
   * it is wanted. Text that is no cursor is an `INVALID_PARAMS`.
   */
  readonly lastEventId?: string
}

/** An item of a stream. `cursor` is where to take the stream up again after it; a message has none. */
export interface Streamed {
  readonly cursor?: string
  readonly item: P.StreamResponse
}

/** A stream whose failures, once it is open, are its last word: an error in the binding's form, and the end. */
export type Events = Stream.Stream<Streamed, A2AError>

/**
 * The operations, each as section 3.1 of A2A 1.0 has it.
 *
 * **Details**
 *
 * - `sendMessage` waits until the task ends or needs something, unless `returnImmediately`. The same message again (by
 *   caller, context and `messageId`) is the same task and the same answer.
 * - `streamMessage` and `subscribe` begin with the task (or are one message); with a `lastEventId` they are what came after
 *   it, a gap in between as a status update with `gap` in its metadata (`streamResumption`). They end with the task, or when
 *   it needs something.
 * - Another caller's task is not there.
 */
export class A2AOperations extends Context.Service<
  A2AOperations,
  {
    readonly sendMessage: (call: Call, request: P.SendMessageRequest) => Effect.Effect<P.SendMessageResponse, A2AError>
    readonly streamMessage: (call: Call, request: P.SendMessageRequest) => Effect.Effect<Events, A2AError>
    readonly getTask: (call: Call, request: P.GetTaskRequest) => Effect.Effect<P.Task, A2AError>
    readonly listTasks: (call: Call, request: P.ListTasksRequest) => Effect.Effect<P.ListTasksResponse, A2AError>
    readonly cancelTask: (call: Call, request: P.CancelTaskRequest) => Effect.Effect<P.Task, A2AError>
    readonly subscribe: (call: Call, request: P.SubscribeToTaskRequest) => Effect.Effect<Events, A2AError>
    readonly createPushConfig: (
      call: Call,
      config: P.TaskPushNotificationConfig
    ) => Effect.Effect<P.TaskPushNotificationConfig, A2AError>
    readonly getPushConfig: (
      call: Call,
      request: P.PushConfigRequest
    ) => Effect.Effect<P.TaskPushNotificationConfig, A2AError>
    readonly listPushConfigs: (
      call: Call,
      request: P.ListPushConfigsRequest
    ) => Effect.Effect<P.ListPushConfigsResponse, A2AError>
    readonly deletePushConfig: (call: Call, request: P.PushConfigRequest) => Effect.Effect<void, A2AError>
  }
>()("molecule-effect/services/a2a/A2AOperations") {}

/** The extension by which streams can be taken up again: SSE `id:`, `Last-Event-ID`, and these keys of metadata. */
export const streamResumption = {
  uri: "https://molecule.ai/a2a/extensions/stream-resumption/v1",
  /** In a request's metadata: the id of the last event that was seen, for clients that cannot set headers. */
  cursor: "molecule/cursor",
  /** In a status update: events are missing, `{"reason": "epoch" | "trimmed" | "unknown", "from": …, "to": …}`. */
  gap: "molecule/gap"
} as const
