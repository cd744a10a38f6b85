/**
 * Between A2A 0.3 and 1.0: the same things in other words.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { streamResumption } from "../../services/a2a/A2AOperations.ts"
import type * as P from "../../services/a2a/A2AProtocol.ts"
import type * as Old from "../../services/a2a/Protocol03.ts"
import type { Artifact, Message, Metadata, Part } from "../../services/durable/Content.ts"

/**
 * Where a part keeps what 0.3 has no field for, in its metadata: the name and the media type of text and data, and that
 * `data` is not an object (0.3 wraps it).
 */
export const partKey = "molecule/part"

const states = {
  TASK_STATE_SUBMITTED: "submitted",
  TASK_STATE_WORKING: "working",
  TASK_STATE_INPUT_REQUIRED: "input-required",
  TASK_STATE_AUTH_REQUIRED: "auth-required",
  TASK_STATE_COMPLETED: "completed",
  TASK_STATE_FAILED: "failed",
  TASK_STATE_CANCELED: "canceled",
  TASK_STATE_REJECTED: "rejected"
} as const satisfies Readonly<Record<P.TaskState, Old.Task["status"]["state"]>>

const statesBack = {
  submitted: "TASK_STATE_SUBMITTED",
  working: "TASK_STATE_WORKING",
  "input-required": "TASK_STATE_INPUT_REQUIRED",
  "auth-required": "TASK_STATE_AUTH_REQUIRED",
  completed: "TASK_STATE_COMPLETED",
  failed: "TASK_STATE_FAILED",
  canceled: "TASK_STATE_CANCELED",
  rejected: "TASK_STATE_REJECTED",
  // Nothing can be said of it but that it has not ended.
  unknown: "TASK_STATE_WORKING"
} as const satisfies Readonly<Record<Old.Task["status"]["state"], P.TaskState>>

/** States with which a stream ends: the task has, or it needs something. */
const isFinal = (state: P.TaskState) => state !== "TASK_STATE_SUBMITTED" && state !== "TASK_STATE_WORKING"

const kept = (metadata: Metadata | undefined, more: Readonly<Record<string, string | boolean>>) =>
  Object.keys(more).length === 0
    ? metadata === undefined
      ? undefined
      : { metadata }
    : { metadata: { ...metadata, [partKey]: more } }

const described = ({ filename, mediaType }: Part) => ({
  ...(filename === undefined ? undefined : { filename }),
  ...(mediaType === undefined ? undefined : { mediaType })
})

const isObject = Schema.is(Schema.Record(Schema.String, Schema.Json))

/** A part in 0.3's form. */
export const partTo03 = (part: Part): Old.Part => {
  if ("text" in part) return { kind: "text", text: part.text, ...kept(part.metadata, described(part)) }
  if ("data" in part) {
    return isObject(part.data)
      ? { kind: "data", data: part.data, ...kept(part.metadata, described(part)) }
      : { kind: "data", data: { value: part.data }, ...kept(part.metadata, { ...described(part), wrapped: true }) }
  }
  const named = {
    ...(part.filename === undefined ? undefined : { name: part.filename }),
    ...(part.mediaType === undefined ? undefined : { mimeType: part.mediaType })
  }
  const file = "raw" in part ? { ...named, bytes: part.raw } : { ...named, uri: part.url }
  return { kind: "file", file, ...kept(part.metadata, {}) }
}

const partNotes = (metadata: Metadata | undefined) => {
  const notes = metadata?.[partKey]
  if (metadata === undefined || !Predicate.isReadonlyObject(notes)) return { rest: metadata, notes: {} }
  const { [partKey]: _, ...rest } = metadata
  return { rest: Object.keys(rest).length === 0 ? undefined : rest, notes }
}

/** A part of 0.3 in our form. */
export const partFrom03 = (part: Old.Part): Part => {
  const { notes, rest } = partNotes(part.metadata)
  const common = {
    ...(rest === undefined ? undefined : { metadata: rest }),
    ...("filename" in notes && typeof notes.filename === "string" ? { filename: notes.filename } : undefined),
    ...("mediaType" in notes && typeof notes.mediaType === "string" ? { mediaType: notes.mediaType } : undefined)
  }
  if (part.kind === "text") return { text: part.text, ...common }
  if (part.kind === "data") {
    const wrapped = "wrapped" in notes && notes.wrapped === true
    return { data: wrapped ? (part.data["value"] ?? null) : part.data, ...common }
  }
  const { file } = part
  const described = {
    ...(rest === undefined ? undefined : { metadata: rest }),
    ...(file.name === undefined ? undefined : { filename: file.name }),
    ...(file.mimeType === undefined ? undefined : { mediaType: file.mimeType })
  }
  return "bytes" in file ? { raw: file.bytes, ...described } : { url: file.uri, ...described }
}

type Parts<A> = readonly [A, ...ReadonlyArray<A>]
const mapParts = <A, B>([first, ...others]: Parts<A>, f: (part: A) => B): readonly [B, ...Array<B>] => [
  f(first),
  ...others.map(f)
]

/** A message in 0.3's form. */
export const messageTo03 = ({ parts, role, ...same }: Message): Old.Message => ({
  kind: "message",
  ...same,
  role: role === "ROLE_USER" ? "user" : "agent",
  parts: mapParts(parts, partTo03)
})

/** A message of 0.3 in our form. */
export const messageFrom03 = ({ kind: _kind, parts, role, ...same }: Old.Message): Message => ({
  ...same,
  role: role === "user" ? "ROLE_USER" : "ROLE_AGENT",
  parts: mapParts(parts, partFrom03)
})

const artifactTo03 = ({ parts, ...same }: Artifact): Old.Artifact => ({ ...same, parts: parts.map(partTo03) })
const artifactFrom03 = ({ parts, ...same }: Old.Artifact): Artifact => ({ ...same, parts: parts.map(partFrom03) })

const statusTo03 = ({ message, state, timestamp }: P.TaskStatus): Old.Task["status"] => ({
  state: states[state],
  ...(timestamp === undefined ? undefined : { timestamp }),
  ...(message === undefined ? undefined : { message: messageTo03(message) })
})

// Others write their times as they like; ours are in UTC.
const timeFrom03 = (timestamp: string | undefined) => {
  const at = timestamp === undefined ? Option.none() : DateTime.make(timestamp)
  return Option.isNone(at) ? undefined : { timestamp: DateTime.formatIso(at.value) }
}

const statusFrom03 = ({ message, state, timestamp }: Old.Task["status"]): P.TaskStatus => ({
  state: statesBack[state],
  ...timeFrom03(timestamp),
  ...(message === undefined ? undefined : { message: messageFrom03(message) })
})

/** A task in 0.3's form. */
export const taskTo03 = ({ artifacts, contextId, history, id, metadata, status }: P.Task): Old.Task => ({
  kind: "task",
  id,
  contextId: contextId ?? id,
  status: statusTo03(status),
  ...(artifacts === undefined ? undefined : { artifacts: artifacts.map(artifactTo03) }),
  ...(history === undefined ? undefined : { history: history.map(messageTo03) }),
  ...(metadata === undefined ? undefined : { metadata })
})

/** A task of 0.3 in our form. */
export const taskFrom03 = ({ artifacts, contextId, history, id, metadata, status }: Old.Task): P.Task => ({
  id,
  contextId,
  status: statusFrom03(status),
  ...(artifacts === undefined ? undefined : { artifacts: artifacts.map(artifactFrom03) }),
  ...(history === undefined ? undefined : { history: history.map(messageFrom03) }),
  ...(metadata === undefined ? undefined : { metadata })
})

/** The answer to a message in 0.3's form. */
export const answerTo03 = (sent: P.SendMessageResponse): Old.SendResult =>
  "task" in sent ? taskTo03(sent.task) : messageTo03(sent.message)

/** An answer of 0.3 in our form. */
export const answerFrom03 = (sent: Old.SendResult): P.SendMessageResponse =>
  sent.kind === "task" ? { task: taskFrom03(sent) } : { message: messageFrom03(sent) }

/** An item of a stream in 0.3's form. `final` says what 1.0 says by ending. */
export const itemTo03 = (item: P.StreamResponse): Old.StreamResult => {
  if ("task" in item) return taskTo03(item.task)
  if ("message" in item) return messageTo03(item.message)
  if ("artifactUpdate" in item) {
    const { artifact, ...same } = item.artifactUpdate
    return { kind: "artifact-update", ...same, artifact: artifactTo03(artifact) }
  }
  const { status, ...same } = item.statusUpdate
  // What is told of a gap ends nothing.
  const isGap = same.metadata?.[streamResumption.gap] !== undefined
  return { kind: "status-update", ...same, status: statusTo03(status), final: isFinal(status.state) && !isGap }
}

/** An item of a stream of 0.3 in our form. */
export const itemFrom03 = (item: Old.StreamResult): P.StreamResponse => {
  switch (item.kind) {
    case "task":
      return { task: taskFrom03(item) }
    case "artifact-update": {
      const { artifact, kind: _, ...same } = item
      return { artifactUpdate: { ...same, artifact: artifactFrom03(artifact) } }
    }
    case "status-update": {
      const { final: __, kind: _, status, ...same } = item
      return { statusUpdate: { ...same, status: statusFrom03(status) } }
    }
    default:
      return { message: messageFrom03(item) }
  }
}

/** A push configuration of 0.3 in our form: of the schemes of authentication the first is used. */
export const pushFrom03 = (
  { authentication, ...same }: Old.PushNotificationConfig,
  taskId?: string
): P.TaskPushNotificationConfig => {
  const scheme = authentication?.schemes[0]
  const { credentials } = authentication ?? {}
  return {
    ...same,
    ...(taskId === undefined ? undefined : { taskId }),
    ...(scheme === undefined
      ? undefined
      : { authentication: { scheme, ...(credentials === undefined ? undefined : { credentials }) } })
  }
}

/** A push configuration in 0.3's form. */
export const pushTo03 = (config: P.TaskPushNotificationConfig): Old.TaskPushNotificationConfig => {
  const { authentication, id, taskId = "", token, url } = config
  const { credentials, scheme } = authentication ?? {}
  return {
    taskId,
    pushNotificationConfig: {
      url,
      ...(id === undefined ? undefined : { id }),
      ...(token === undefined ? undefined : { token }),
      ...(scheme === undefined
        ? undefined
        : { authentication: { schemes: [scheme], ...(credentials === undefined ? undefined : { credentials }) } })
    }
  }
}

/** What `message/send` and `message/stream` take, in our form. */
export const sendFrom03 = ({ configuration, message, metadata }: typeof Old.SendParams.Type): P.SendMessageRequest => {
  const { acceptedOutputModes, blocking, historyLength, pushNotificationConfig } = configuration ?? {}
  return {
    message: messageFrom03(message),
    ...(metadata === undefined ? undefined : { metadata }),
    configuration: {
      returnImmediately: blocking === false,
      ...(acceptedOutputModes === undefined ? undefined : { acceptedOutputModes }),
      ...(historyLength === undefined ? undefined : { historyLength }),
      ...(pushNotificationConfig === undefined
        ? undefined
        : { taskPushNotificationConfig: pushFrom03(pushNotificationConfig) })
    }
  }
}
