/**
 * The objects and parameters of A2A 0.3 (specification sections 6 and 7), with the names that 0.2 shares. Unknown fields
 * are ignored. Inside, everything is in the words of 1.0 (`A2AProtocol`); `translation03` translates.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { TaskState } from "../durable/TaskStore.ts"

const Metadata = Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))

/** A part that is text. */
export const TextPart = Schema.Struct({ kind: Schema.Literal("text"), text: Schema.String, metadata: Metadata })

const named = { name: Schema.optionalKey(Schema.String), mimeType: Schema.optionalKey(Schema.String) }

/** A part that is a file, by its bytes (base64) or its address. */
export const FilePart = Schema.Struct({
  kind: Schema.Literal("file"),
  file: Schema.Union(
    [
      Schema.Struct({ ...named, bytes: Schema.String.check(Schema.isBase64()) }),
      Schema.Struct({ ...named, uri: Schema.NonEmptyString })
    ],
    { mode: "oneOf" }
  ),
  metadata: Metadata
})

/** A part that is structured data. */
export const DataPart = Schema.Struct({
  kind: Schema.Literal("data"),
  data: Schema.Record(Schema.String, Schema.Json),
  metadata: Metadata
})

/** Text without `kind`, perhaps with `type`: how the original platform and its agents write it. Read, never written. */
const LegacyTextPart = Schema.Struct({
  kind: Schema.optionalKey(Schema.Never),
  text: Schema.String,
  metadata: Metadata
}).pipe(
  Schema.decodeTo(Schema.toType(TextPart), {
    decode: SchemaGetter.transform(({ kind: _kind, ...same }) => ({ kind: "text" as const, ...same })),
    encode: SchemaGetter.transform(({ kind: _kind, ...same }) => same)
  })
)

/** A piece of a message or an artifact. */
export const Part = Schema.Union([TextPart, FilePart, DataPart, LegacyTextPart])
/** The type of {@link Part}. */
export type Part = typeof Part.Type

const identifier = Schema.NonEmptyString.check(Schema.isMaxLength(255))

/** A message, by its sender's role. `kind` may be missing in what others send. */
export const Message = Schema.Struct({
  kind: Schema.optionalKey(Schema.Literal("message")),
  messageId: identifier,
  role: Schema.Literals(["user", "agent"]),
  parts: Schema.NonEmptyArray(Part),
  contextId: Schema.optionalKey(identifier),
  taskId: Schema.optionalKey(identifier),
  referenceTaskIds: Schema.optionalKey(Schema.Array(Schema.String)),
  extensions: Schema.optionalKey(Schema.Array(Schema.String)),
  metadata: Metadata
})
/** The type of {@link Message}. */
export type Message = typeof Message.Type

/** All states of 0.3, with the one that our tasks never have but a peer's may. */
export const WireTaskState = Schema.Literals([...TaskState.literals, "unknown"])

/** Where a task stands, since when, and what there is to say about it. */
export const TaskStatus = Schema.Struct({
  state: WireTaskState,
  timestamp: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Message)
})

/** A piece of the answer that belongs together. */
export const Artifact = Schema.Struct({
  artifactId: Schema.NonEmptyString,
  name: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  parts: Schema.Array(Part),
  extensions: Schema.optionalKey(Schema.Array(Schema.String)),
  metadata: Metadata
})
/** The type of {@link Artifact}. */
export type Artifact = typeof Artifact.Type

/** A task with what it has produced so far. */
export const Task = Schema.Struct({
  kind: Schema.Literal("task"),
  id: Schema.String,
  contextId: Schema.String,
  status: TaskStatus,
  artifacts: Schema.optionalKey(Schema.Array(Artifact)),
  history: Schema.optionalKey(Schema.Array(Message)),
  metadata: Metadata
})
/** The type of {@link Task}. */
export type Task = typeof Task.Type

/** Streamed: the task's state changed, or it has something to say. `final` ends the stream. */
export const StatusUpdate = Schema.Struct({
  kind: Schema.Literal("status-update"),
  taskId: Schema.String,
  contextId: Schema.String,
  status: TaskStatus,
  final: Schema.Boolean,
  metadata: Metadata
})

/** Streamed: a piece of an artifact; `append: false` starts it (again). */
export const ArtifactUpdate = Schema.Struct({
  kind: Schema.Literal("artifact-update"),
  taskId: Schema.String,
  contextId: Schema.String,
  artifact: Artifact,
  append: Schema.optionalKey(Schema.Boolean),
  lastChunk: Schema.optionalKey(Schema.Boolean),
  metadata: Metadata
})

/** The result of `message/send`. A task is told from a message by `kind`, which others may leave out on messages only. */
export const SendResult = Schema.Union([Task, Message])
/** The type of {@link SendResult}. */
export type SendResult = typeof SendResult.Type

/** One result of `message/stream`. */
export const StreamResult = Schema.Union([Task, StatusUpdate, ArtifactUpdate, Message])
/** The type of {@link StreamResult}. */
export type StreamResult = typeof StreamResult.Type

/** Where a task's events are pushed to. The schemes are names of HTTP authentication; the first is used. */
export const PushNotificationConfig = Schema.Struct({
  id: Schema.optionalKey(identifier),
  url: Schema.NonEmptyString,
  token: Schema.optionalKey(Schema.String),
  authentication: Schema.optionalKey(
    Schema.Struct({ schemes: Schema.Array(Schema.String), credentials: Schema.optionalKey(Schema.String) })
  )
})
/** The type of {@link PushNotificationConfig}. */
export type PushNotificationConfig = typeof PushNotificationConfig.Type

/** Parameters of `message/send` and `message/stream`. `blocking: false` answers at once with the task. */
export const SendParams = Schema.Struct({
  message: Message,
  configuration: Schema.optionalKey(
    Schema.Struct({
      blocking: Schema.optionalKey(Schema.Boolean),
      historyLength: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
      pushNotificationConfig: Schema.optionalKey(PushNotificationConfig),
      acceptedOutputModes: Schema.optionalKey(Schema.Array(Schema.String))
    })
  ),
  metadata: Metadata
})

/** Parameters of `tasks/get`. */
export const TaskQueryParams = Schema.Struct({
  id: identifier,
  historyLength: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  metadata: Metadata
})

/** Parameters of `tasks/cancel` and `tasks/resubscribe`. */
export const TaskIdParams = Schema.Struct({ id: identifier, metadata: Metadata })

/** A push configuration and the task that it is for: what `set` takes, and `set`, `get` and `list` give. */
export const TaskPushNotificationConfig = Schema.Struct({
  taskId: identifier,
  pushNotificationConfig: PushNotificationConfig
})
/** The type of {@link TaskPushNotificationConfig}. */
export type TaskPushNotificationConfig = typeof TaskPushNotificationConfig.Type

/** Parameters of `get` (0.2 knows no id of a configuration: then it is the task's first) and `delete`. */
export const PushConfigParams = Schema.Struct({
  id: identifier,
  pushNotificationConfigId: Schema.optionalKey(identifier),
  metadata: Metadata
})

/** The methods of this server, by name, with the schema of their parameters. */
export const methods = {
  "message/send": SendParams,
  "message/stream": SendParams,
  "tasks/get": TaskQueryParams,
  "tasks/cancel": TaskIdParams,
  "tasks/resubscribe": TaskIdParams
} as const

/**
 * Our names in `metadata`. `cursor`, in the parameters of `message/stream` and `tasks/resubscribe`: the id of the last
 * event that was received, for clients that cannot set the header `Last-Event-ID`. `gap`, in a status update: events are
 * missing, `{"reason": "epoch" | "trimmed" | "unknown", "from": <cursor>, "to": <cursor>}`.
 */
export const metadataKey = { cursor: "molecule/cursor", gap: "molecule/gap" } as const
