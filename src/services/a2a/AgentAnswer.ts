/**
 * What other agents answer, in the shape of A2A 1.0 but less strict than what we send ourselves: what an agent leaves out
 * although it should not is put in where it comes in, and the state that it does not tell is a state of its own.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { ListTasksResponse, TaskState } from "./A2AProtocol.ts"
import { DataPart, Metadata, Role, TextPart } from "../durable/Content.ts"

const optional = Schema.optionalKey

/** A task's state. `TASK_STATE_UNSPECIFIED` is neither an end nor a question. */
export const AgentTaskState = Schema.Literals([...TaskState.literals, "TASK_STATE_UNSPECIFIED"])
/** The type of {@link AgentTaskState}. */
export type AgentTaskState = typeof AgentTaskState.Type

const { text: _text, ...described } = TextPart.fields

/** A piece of a message or an artifact: exactly one of `text`, `raw` (base64), `url` and `data`. */
export const AgentPart = Schema.Union(
  [
    TextPart,
    Schema.Struct({ raw: Schema.String, ...described }),
    Schema.Struct({ url: Schema.String, ...described }),
    DataPart
  ],
  { mode: "oneOf" }
)
/** The type of {@link AgentPart}. */
export type AgentPart = typeof AgentPart.Type

/** One turn of a conversation. */
export const AgentMessage = Schema.Struct({
  messageId: Schema.String,
  role: Role,
  parts: Schema.Array(AgentPart),
  contextId: optional(Schema.String),
  taskId: optional(Schema.String),
  metadata: optional(Metadata),
  extensions: optional(Schema.Array(Schema.String)),
  referenceTaskIds: optional(Schema.Array(Schema.String))
})
/** The type of {@link AgentMessage}. */
export type AgentMessage = typeof AgentMessage.Type

/** Something that a task has produced. */
export const AgentArtifact = Schema.Struct({
  artifactId: Schema.String,
  name: optional(Schema.String),
  description: optional(Schema.String),
  parts: Schema.Array(AgentPart),
  metadata: optional(Metadata),
  extensions: optional(Schema.Array(Schema.String))
})
/** The type of {@link AgentArtifact}. */
export type AgentArtifact = typeof AgentArtifact.Type

/** Where a task stands. */
export const AgentTaskStatus = Schema.Struct({
  state: AgentTaskState,
  timestamp: optional(Schema.String),
  message: optional(AgentMessage)
})

/** A task with what it has produced so far. */
export const AgentTask = Schema.Struct({
  id: Schema.String,
  contextId: optional(Schema.String),
  status: AgentTaskStatus,
  artifacts: optional(Schema.Array(AgentArtifact)),
  history: optional(Schema.Array(AgentMessage)),
  metadata: optional(Metadata)
})
/** The type of {@link AgentTask}. */
export type AgentTask = typeof AgentTask.Type

/** The answer to a message: exactly one of the two. */
export const SendAnswer = Schema.Union([Schema.Struct({ task: AgentTask }), Schema.Struct({ message: AgentMessage })], {
  mode: "oneOf"
})
/** The type of {@link SendAnswer}. */
export type SendAnswer = typeof SendAnswer.Type

/** One item of a stream: exactly one of the four. */
export const AgentStreamItem = Schema.Union(
  [
    Schema.Struct({
      statusUpdate: Schema.Struct({
        taskId: Schema.String,
        contextId: Schema.String,
        status: AgentTaskStatus,
        metadata: optional(Metadata)
      })
    }),
    Schema.Struct({
      artifactUpdate: Schema.Struct({
        taskId: Schema.String,
        contextId: Schema.String,
        artifact: AgentArtifact,
        append: optional(Schema.Boolean),
        lastChunk: optional(Schema.Boolean),
        metadata: optional(Metadata)
      })
    }),
    Schema.Struct({ task: AgentTask }),
    Schema.Struct({ message: AgentMessage })
  ],
  { mode: "oneOf" }
)
/** The type of {@link AgentStreamItem}. */
export type AgentStreamItem = typeof AgentStreamItem.Type

/** A page of tasks. `nextPageToken` is empty on the last. */
export const AgentTaskPage = Schema.Struct({ ...ListTasksResponse.fields, tasks: Schema.Array(AgentTask) })
/** The type of {@link AgentTaskPage}. */
export type AgentTaskPage = typeof AgentTaskPage.Type

/** The task has ended. */
export const isTerminal = (state: AgentTaskState): boolean =>
  state === "TASK_STATE_COMPLETED" ||
  state === "TASK_STATE_FAILED" ||
  state === "TASK_STATE_CANCELED" ||
  state === "TASK_STATE_REJECTED"

/** The task waits for the caller. */
export const isInterrupted = (state: AgentTaskState): boolean =>
  state === "TASK_STATE_INPUT_REQUIRED" || state === "TASK_STATE_AUTH_REQUIRED"
