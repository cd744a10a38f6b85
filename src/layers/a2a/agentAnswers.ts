/**
 * Answers of other agents, made fit for `AgentAnswer`: what serialisers drop (empty lists, zeros, default states) is put in
 * again, and the older and looser forms that are met in practice are brought into that of A2A 1.0.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Answer from "../../services/a2a/AgentAnswer.ts"
import * as Card from "../../services/a2a/AgentCard.ts"
import * as P from "../../services/a2a/A2AProtocol.ts"

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)
const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

// Without what is null: proto's JSON means "not set" by it.
const given = (fields: Fields): Fields => {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) if (fields[key] !== null && fields[key] !== undefined) kept[key] = fields[key]
  return kept
}

const part = (value: unknown): unknown => {
  if (Predicate.isString(value)) return { text: value }
  if (!isFields(value)) return { data: value }
  const { file, kind: _kind, root, type: _type, ...fields } = given(value)
  if (isFields(root)) return part(root)
  if (isFields(file)) {
    const { bytes, mimeType, name, uri } = given(file)
    return {
      ...fields,
      ...(bytes === undefined ? { url: uri ?? "" } : { raw: bytes }),
      ...(mimeType === undefined ? undefined : { mediaType: mimeType }),
      ...(name === undefined ? undefined : { filename: name })
    }
  }
  if (Predicate.isString(fields["text"]) || Predicate.isString(fields["raw"]) || Predicate.isString(fields["url"])) {
    return fields
  }
  // What is nothing that we know is not lost: somebody may read it.
  return "data" in value ? { ...fields, data: value["data"] } : { data: value }
}

const message = (value: unknown): unknown => {
  if (Predicate.isString(value)) return { messageId: "", role: "ROLE_AGENT", parts: [{ text: value }] }
  if (!isFields(value)) return value
  const { kind: _kind, ...fields } = given(value)
  const { messageId, parts, role } = fields
  return {
    ...fields,
    messageId: messageId ?? "",
    role: role === "ROLE_USER" || role === "user" ? "ROLE_USER" : "ROLE_AGENT",
    parts: list(parts).map(part)
  }
}

const artifact = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const fields = given(value)
  return { ...fields, artifactId: fields["artifactId"] ?? "", parts: list(fields["parts"]).map(part) }
}

const states = new Set<unknown>(Answer.AgentTaskState.literals)

// `input-required` as well as `TASK_STATE_INPUT_REQUIRED`.
const stateOf = (value: unknown) => {
  const name = Predicate.isString(value) ? value : ""
  const full = name.startsWith("TASK_STATE_") ? name : `TASK_STATE_${name.toUpperCase().replaceAll("-", "_")}`
  return states.has(full) ? full : "TASK_STATE_UNSPECIFIED"
}

const status = (value: unknown): unknown => {
  const { message: said, state, ...fields } = isFields(value) ? given(value) : {}
  return { ...fields, state: stateOf(state), ...(said === undefined ? undefined : { message: message(said) }) }
}

const task = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const { artifacts, history, kind: _kind, status: where, ...fields } = given(value)
  return {
    ...fields,
    status: status(where),
    ...(artifacts === undefined ? undefined : { artifacts: list(artifacts).map(artifact) }),
    ...(history === undefined ? undefined : { history: list(history).map(message) })
  }
}

const statusUpdate = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const { final: _final, kind: _kind, ...fields } = given(value)
  return { ...fields, contextId: fields["contextId"] ?? "", status: status(fields["status"]) }
}

const artifactUpdate = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const { kind: _kind, ...fields } = given(value)
  return { ...fields, contextId: fields["contextId"] ?? "", artifact: artifact(fields["artifact"]) }
}

// One of the four, wrapped in its name or bare.
const item = (value: unknown): unknown => {
  if (Predicate.isString(value)) return { message: message(value) }
  if (!isFields(value)) return value
  const fields = given(value)
  if (isFields(fields["statusUpdate"])) return { statusUpdate: statusUpdate(fields["statusUpdate"]) }
  if (isFields(fields["artifactUpdate"])) return { artifactUpdate: artifactUpdate(fields["artifactUpdate"]) }
  if (isFields(fields["task"])) return { task: task(fields["task"]) }
  if (isFields(fields["message"])) return { message: message(fields["message"]) }
  if (Array.isArray(fields["parts"])) return { message: message(fields) }
  if (fields["artifact"] !== undefined) return { artifactUpdate: artifactUpdate(fields) }
  if (fields["taskId"] !== undefined && fields["id"] === undefined) return { statusUpdate: statusUpdate(fields) }
  return { task: task(fields) }
}

const page = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const { nextPageToken, pageSize, tasks, totalSize } = given(value)
  const found = list(tasks).map(task)
  return {
    tasks: found,
    nextPageToken: nextPageToken ?? "",
    pageSize: pageSize ?? found.length,
    totalSize: totalSize ?? found.length
  }
}

// Flat in 1.0; in 0.3 the task's id stands beside the rest.
const config = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const { pushNotificationConfig: inner, ...fields } = given(value)
  const flat = withoutEmpty(given(isFields(inner) ? { ...inner, ...fields } : fields))
  const { authentication, ...rest } = flat
  if (!isFields(authentication)) return flat
  const { scheme, schemes, ...others } = given(authentication)
  return { ...rest, authentication: { ...withoutEmpty(others), scheme: scheme ?? list(schemes)[0] } }
}
const configs = (value: unknown): unknown => {
  if (Array.isArray(value)) return { configs: value.map(config), nextPageToken: "" }
  const fields = isFields(value) ? given(value) : {}
  return { configs: list(fields["configs"]).map(config), nextPageToken: fields["nextPageToken"] ?? "" }
}

// An empty `tenant` or `id` is one that is not set.
const withoutEmpty = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""))

const arrays = (fields: Fields, keys: ReadonlyArray<string>) =>
  Object.fromEntries(keys.map((key) => [key, list(fields[key])]))

const card = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const fields = given(value)
  return {
    ...fields,
    description: fields["description"] ?? "",
    version: fields["version"] ?? "",
    capabilities: fields["capabilities"] ?? {},
    ...arrays(fields, ["defaultInputModes", "defaultOutputModes"]),
    skills: list(fields["skills"]).map((skill) =>
      isFields(skill) ? { ...given(skill), description: skill["description"] ?? "", tags: list(skill["tags"]) } : skill
    ),
    supportedInterfaces: list(fields["supportedInterfaces"]).map((entry) =>
      isFields(entry) ? withoutEmpty(given(entry)) : entry
    )
  }
}

const decoder = <A, I>(schema: Schema.Codec<A, I>, prepare: (value: unknown) => unknown) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (value: unknown): Result.Result<A, Schema.SchemaError> => decode(prepare(value))
}

/** The answer to a message. */
export const sendAnswer = decoder(Answer.SendAnswer, item)
/** An item of a stream. */
export const streamItem = decoder(Answer.AgentStreamItem, item)
/** A task. */
export const agentTask = decoder(Answer.AgentTask, (value) =>
  isFields(value) && isFields(value["task"]) ? task(value["task"]) : task(value)
)
/** A page of tasks. */
export const taskPage = decoder(Answer.AgentTaskPage, page)
/** A push configuration. */
export const pushConfig = decoder(P.TaskPushNotificationConfig, config)
/** A page of push configurations. */
export const pushConfigs = decoder(P.ListPushConfigsResponse, configs)
/** An agent card of 1.0. */
export const agentCard = decoder(Card.AgentCard, card)
