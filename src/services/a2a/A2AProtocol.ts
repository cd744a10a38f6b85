/**
 * The objects of A2A 1.0 that the operations take and give (specification sections 3.2 and 4). They are our model, too:
 * A2A 0.3 is translated at the border (see `Protocol03`). Unknown fields are ignored.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { Artifact, Identifier, Message, Metadata } from "../durable/Content.ts"

/** A task's state. */
export const TaskState = Schema.Literals([
  "TASK_STATE_SUBMITTED",
  "TASK_STATE_WORKING",
  "TASK_STATE_COMPLETED",
  "TASK_STATE_FAILED",
  "TASK_STATE_CANCELED",
  "TASK_STATE_INPUT_REQUIRED",
  "TASK_STATE_REJECTED",
  "TASK_STATE_AUTH_REQUIRED"
])
/** The type of {@link TaskState}. */
export type TaskState = typeof TaskState.Type

/** ISO 8601, UTC, with milliseconds where they are known. */
export const Timestamp = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/, {
    expected: "a time in UTC such as 2025-10-28T10:30:00.000Z"
  })
)

/** Where a task stands, since when, and what there is to say about it. */
export const TaskStatus = Schema.Struct({
  state: TaskState,
  timestamp: Schema.optionalKey(Timestamp),
  message: Schema.optionalKey(Message)
})
/** The type of {@link TaskStatus}. */
export type TaskStatus = typeof TaskStatus.Type

/** A task with what it has produced so far. */
export const Task = Schema.Struct({
  id: Schema.String,
  contextId: Schema.optionalKey(Schema.String),
  status: TaskStatus,
  artifacts: Schema.optionalKey(Schema.Array(Artifact)),
  history: Schema.optionalKey(Schema.Array(Message)),
  metadata: Schema.optionalKey(Metadata)
})
/** The type of {@link Task}. */
export type Task = typeof Task.Type

/** The task's state changed, or it has something to say. */
export const TaskStatusUpdateEvent = Schema.Struct({
  taskId: Schema.String,
  contextId: Schema.String,
  status: TaskStatus,
  metadata: Schema.optionalKey(Metadata)
})
/** The type of {@link TaskStatusUpdateEvent}. */
export type TaskStatusUpdateEvent = typeof TaskStatusUpdateEvent.Type

/** A piece of an artifact; without `append` it begins the artifact (again). */
export const TaskArtifactUpdateEvent = Schema.Struct({
  taskId: Schema.String,
  contextId: Schema.String,
  artifact: Artifact,
  append: Schema.optionalKey(Schema.Boolean),
  lastChunk: Schema.optionalKey(Schema.Boolean),
  metadata: Schema.optionalKey(Metadata)
})
/** The type of {@link TaskArtifactUpdateEvent}. */
export type TaskArtifactUpdateEvent = typeof TaskArtifactUpdateEvent.Type

/** The answer to a message: exactly one of the two. */
export const SendMessageResponse = Schema.Union([Schema.Struct({ task: Task }), Schema.Struct({ message: Message })], {
  mode: "oneOf"
})
/** The type of {@link SendMessageResponse}. */
export type SendMessageResponse = typeof SendMessageResponse.Type

/** One item of a stream, and the body of a push notification: exactly one of the four. */
export const StreamResponse = Schema.Union(
  [
    Schema.Struct({ statusUpdate: TaskStatusUpdateEvent }),
    Schema.Struct({ artifactUpdate: TaskArtifactUpdateEvent }),
    Schema.Struct({ task: Task }),
    Schema.Struct({ message: Message })
  ],
  { mode: "oneOf" }
)
/** The type of {@link StreamResponse}. */
export type StreamResponse = typeof StreamResponse.Type

/** How a push notification proves who it is from. */
export const AuthenticationInfo = Schema.Struct({
  /** A name from the IANA registry of HTTP authentication schemes: `Bearer`, `Basic`, … */
  scheme: Schema.NonEmptyString,
  credentials: Schema.optionalKey(Schema.String)
})

/** Where a task's events are sent to. */
export const TaskPushNotificationConfig = Schema.Struct({
  tenant: Schema.optionalKey(Schema.String),
  id: Schema.optionalKey(Identifier),
  taskId: Schema.optionalKey(Identifier),
  url: Schema.NonEmptyString,
  /** Handed back with each notification. */
  token: Schema.optionalKey(Schema.String),
  authentication: Schema.optionalKey(AuthenticationInfo)
})
/** The type of {@link TaskPushNotificationConfig}. */
export type TaskPushNotificationConfig = typeof TaskPushNotificationConfig.Type

const tenant = { tenant: Schema.optionalKey(Schema.String) }
const historyLength = Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
const pageSize = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))

/** What `SendMessage` and `SendStreamingMessage` take. */
export const SendMessageRequest = Schema.Struct({
  ...tenant,
  message: Message,
  configuration: Schema.optionalKey(
    Schema.Struct({
      acceptedOutputModes: Schema.optionalKey(Schema.Array(Schema.String)),
      taskPushNotificationConfig: Schema.optionalKey(TaskPushNotificationConfig),
      historyLength,
      returnImmediately: Schema.optionalKey(Schema.Boolean)
    })
  ),
  metadata: Schema.optionalKey(Metadata)
})
/** The type of {@link SendMessageRequest}. */
export type SendMessageRequest = typeof SendMessageRequest.Type

/** What `GetTask` takes. */
export const GetTaskRequest = Schema.Struct({ ...tenant, id: Identifier, historyLength })
/** The type of {@link GetTaskRequest}. */
export type GetTaskRequest = typeof GetTaskRequest.Type

/** What `ListTasks` takes. A page has 50 tasks unless said. */
export const ListTasksRequest = Schema.Struct({
  ...tenant,
  contextId: Schema.optionalKey(Schema.String),
  status: Schema.optionalKey(TaskState),
  pageSize,
  pageToken: Schema.optionalKey(Schema.String),
  historyLength,
  statusTimestampAfter: Schema.optionalKey(Timestamp),
  includeArtifacts: Schema.optionalKey(Schema.Boolean)
})
/** The type of {@link ListTasksRequest}. */
export type ListTasksRequest = typeof ListTasksRequest.Type

/** What `ListTasks` gives, newest status first. `nextPageToken` is empty on the last page. */
export const ListTasksResponse = Schema.Struct({
  tasks: Schema.Array(Task),
  nextPageToken: Schema.String,
  pageSize: Schema.Int,
  totalSize: Schema.Int
})
/** The type of {@link ListTasksResponse}. */
export type ListTasksResponse = typeof ListTasksResponse.Type

/** What `CancelTask` takes. */
export const CancelTaskRequest = Schema.Struct({ ...tenant, id: Identifier, metadata: Schema.optionalKey(Metadata) })
/** The type of {@link CancelTaskRequest}. */
export type CancelTaskRequest = typeof CancelTaskRequest.Type

/** What `SubscribeToTask` takes. */
export const SubscribeToTaskRequest = Schema.Struct({ ...tenant, id: Identifier })
/** The type of {@link SubscribeToTaskRequest}. */
export type SubscribeToTaskRequest = typeof SubscribeToTaskRequest.Type

/** What getting and deleting a push configuration takes. */
export const PushConfigRequest = Schema.Struct({ ...tenant, taskId: Identifier, id: Identifier })
/** The type of {@link PushConfigRequest}. */
export type PushConfigRequest = typeof PushConfigRequest.Type

/** What listing push configurations takes. */
export const ListPushConfigsRequest = Schema.Struct({
  ...tenant,
  taskId: Identifier,
  pageSize,
  pageToken: Schema.optionalKey(Schema.String)
})
/** The type of {@link ListPushConfigsRequest}. */
export type ListPushConfigsRequest = typeof ListPushConfigsRequest.Type

/** What listing push configurations gives. */
export const ListPushConfigsResponse = Schema.Struct({
  configs: Schema.Array(TaskPushNotificationConfig),
  nextPageToken: Schema.String
})
/** The type of {@link ListPushConfigsResponse}. */
export type ListPushConfigsResponse = typeof ListPushConfigsResponse.Type
