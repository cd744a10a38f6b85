/**
 * Answers as text for people and pipes: one `Label: value` a line, and blocks that an empty line closes.
 *
 * @module
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AgentCard } from "../services/a2a/AgentCard.ts"
import type {
  AgentArtifact,
  AgentMessage,
  AgentPart,
  AgentStreamItem,
  AgentTask,
  AgentTaskState
} from "../services/a2a/AgentAnswer.ts"

const pretty = Schema.encodeUnknownOption(Schema.fromJsonString(Schema.Unknown, { space: 2 }))

// What an agent says must not steer the terminal.
const harmless = (text: string) =>
  // eslint-disable-next-line no-control-regex
  text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\uFFFD")

/** A field on one line. */
export const field = (label: string, value: string): string => `${label}: ${harmless(value).replace(/\s*\n\s*/g, " ")}`

/** A block: an empty line ends it, so that those within it get a space. */
export const block = (label: string, content: string): string =>
  `${label}:\n${harmless(content)
    .split("\n")
    .map((line) => (line === "" ? " " : line))
    .join("\n")}\n`

/** `COMPLETED` of `TASK_STATE_COMPLETED`. */
export const stateName = (state: AgentTaskState): string => state.slice("TASK_STATE_".length)

const size = (base64: string) => Math.floor((base64.replace(/=+$/, "").length * 3) / 4)

const fileField = ({ filename, mediaType }: AgentPart, what: string) =>
  field("File", `${filename ?? "(no name)"}, ${mediaType ?? "type unknown"}, ${what}`)

const partLines = (part: AgentPart, verbose: boolean): ReadonlyArray<string> => [
  ...(verbose && part.mediaType !== undefined ? [field("Media type", part.mediaType)] : []),
  ...(verbose && part.metadata !== undefined ? [block("Part metadata", jsonOf(part.metadata))] : []),
  "text" in part
    ? block("Text", part.text)
    : "data" in part
      ? block("Data", jsonOf(part.data))
      : "raw" in part
        ? fileField(part, `${size(part.raw)} bytes`)
        : fileField(part, `size unknown, at ${part.url}`)
]

/** JSON for people. */
export const jsonOf = (value: unknown): string => Option.getOrElse(pretty(value), () => "(not JSON)")

const artifactLines = (artifact: AgentArtifact, verbose: boolean) => [
  field("Artifact ID", artifact.artifactId),
  ...(artifact.name === undefined ? [] : [field("Artifact name", artifact.name)]),
  ...(artifact.description === undefined ? [] : [field("Artifact description", artifact.description)]),
  ...(verbose && artifact.metadata !== undefined ? [block("Artifact metadata", jsonOf(artifact.metadata))] : []),
  ...artifact.parts.flatMap((part) => partLines(part, verbose))
]

/** A message. */
export const message = (said: AgentMessage, verbose: boolean): ReadonlyArray<string> => [
  ...(said.contextId === undefined ? [] : [field("Context ID", said.contextId)]),
  ...(said.taskId === undefined ? [] : [field("Task ID", said.taskId)]),
  field("Message from", said.role === "ROLE_USER" ? "user" : "agent"),
  ...(verbose ? [field("Message ID", said.messageId)] : []),
  ...said.parts.flatMap((part) => partLines(part, verbose))
]

const ids = (taskId: string, contextId: string | undefined, state: AgentTaskState | undefined) => [
  field("Task ID", taskId),
  field("Context ID", contextId ?? ""),
  ...(state === undefined ? [] : [field("State", stateName(state))])
]

const statusLines = ({ message: said, timestamp }: AgentTask["status"], verbose: boolean) => [
  ...(verbose && timestamp !== undefined ? [field("Since", timestamp)] : []),
  ...(said === undefined
    ? []
    : [field("Message from", "agent"), ...said.parts.flatMap((part) => partLines(part, verbose))])
]

/** A task: where it stands, what was said, what it made; its history where it was asked for. */
export const task = (
  one: AgentTask,
  how: { readonly verbose: boolean; readonly history: boolean }
): ReadonlyArray<string> => [
  ...ids(one.id, one.contextId, one.status.state),
  ...statusLines(one.status, how.verbose),
  ...(one.artifacts ?? []).flatMap((artifact) => artifactLines(artifact, how.verbose)),
  ...(how.verbose && one.metadata !== undefined ? [block("Task metadata", jsonOf(one.metadata))] : []),
  ...(how.history || how.verbose ? (one.history ?? []).flatMap((said) => message(said, how.verbose)) : [])
]

/** An item of a stream, with the task's ids and its state as it is known by then. */
export const streamItem = (
  item: AgentStreamItem,
  state: AgentTaskState | undefined,
  verbose: boolean
): ReadonlyArray<string> => {
  if ("message" in item) return message(item.message, verbose)
  if ("task" in item) return task(item.task, { verbose, history: false })
  if ("statusUpdate" in item) {
    const { contextId, status, taskId } = item.statusUpdate
    return [...ids(taskId, contextId, status.state), ...statusLines(status, verbose)]
  }
  const { artifact, contextId, taskId } = item.artifactUpdate
  return [...ids(taskId, contextId, state), ...artifactLines(artifact, verbose)]
}

/** A card. */
export const card = (one: AgentCard): ReadonlyArray<string> => {
  const { capabilities, provider, securitySchemes = {}, skills, supportedInterfaces } = one
  const can = (name: string, on: boolean | undefined) => field(name, on === true ? "yes" : "no")
  return [
    field("Name", one.name),
    field("Description", one.description),
    field("Version", one.version),
    ...(provider === undefined ? [] : [field("Provider", `${provider.organization} ${provider.url}`)]),
    ...(one.documentationUrl === undefined ? [] : [field("Documentation", one.documentationUrl)]),
    can("Streaming", capabilities.streaming),
    can("Push notifications", capabilities.pushNotifications),
    can("Extended card", capabilities.extendedAgentCard),
    ...(capabilities.extensions ?? []).map(({ required, uri }) =>
      field("Extension", `${uri}${required === true ? " (required)" : ""}`)
    ),
    ...supportedInterfaces.map(({ protocolBinding, protocolVersion, tenant, url }) =>
      field(
        "Interface",
        `${protocolBinding} ${protocolVersion} ${url}${tenant === undefined ? "" : ` tenant ${tenant}`}`
      )
    ),
    ...Object.entries(securitySchemes).map(([name, scheme]) =>
      field("Security scheme", `${name}: ${Object.keys(scheme).join(", ")}`)
    ),
    field("Input modes", one.defaultInputModes.join(", ")),
    field("Output modes", one.defaultOutputModes.join(", ")),
    ...skills.map(({ description, id, name }) => field("Skill", `${id}: ${name}. ${description}`))
  ]
}
