/**
 * How requests are put to an agent that speaks A2A 0.3: other names of methods, other forms of parts. What it answers is
 * brought into the form of 1.0 by `agentAnswers`.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import type { Operation } from "../../services/a2a/A2AHttpApi.ts"
import type { Dialect } from "./agentBindings.ts"

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

/** 1.0 as it is. */
export const v10: Dialect = { method: (operation) => operation, params: (_, fields) => fields }

const methods: Readonly<Record<Exclude<Operation, "ListTasks">, string>> = {
  SendMessage: "message/send",
  SendStreamingMessage: "message/stream",
  GetTask: "tasks/get",
  CancelTask: "tasks/cancel",
  SubscribeToTask: "tasks/resubscribe",
  CreateTaskPushNotificationConfig: "tasks/pushNotificationConfig/set",
  GetTaskPushNotificationConfig: "tasks/pushNotificationConfig/get",
  ListTaskPushNotificationConfigs: "tasks/pushNotificationConfig/list",
  DeleteTaskPushNotificationConfig: "tasks/pushNotificationConfig/delete",
  GetExtendedAgentCard: "agent/getAuthenticatedExtendedCard"
}

const part = (value: unknown): unknown => {
  if (!isFields(value)) return value
  const { data, filename, mediaType, metadata, raw, text, url } = value
  const more = metadata === undefined ? undefined : { metadata }
  if (text !== undefined) return { kind: "text", text, ...more }
  if (data !== undefined) return { kind: "data", data: isFields(data) ? data : { value: data }, ...more }
  const about = {
    ...(mediaType !== undefined && { mimeType: mediaType }),
    ...(filename !== undefined && { name: filename })
  }
  return { kind: "file", file: raw === undefined ? { uri: url, ...about } : { bytes: raw, ...about }, ...more }
}

const message = (value: unknown): unknown =>
  isFields(value)
    ? {
        ...value,
        kind: "message",
        role: value["role"] === "ROLE_AGENT" ? "agent" : "user",
        parts: Array.isArray(value["parts"]) ? value["parts"].map(part) : []
      }
    : value

// One scheme in 1.0, a list of them in 0.3.
const pushConfig = (value: Fields): unknown => {
  const { authentication, taskId: _taskId, tenant: _tenant, ...rest } = value
  if (!isFields(authentication)) return rest
  const { credentials, scheme } = authentication
  return { ...rest, authentication: { schemes: [scheme], ...(credentials !== undefined && { credentials }) } }
}

const configuration = (value: unknown): unknown => {
  const { returnImmediately, taskPushNotificationConfig, ...rest } = isFields(value) ? value : {}
  return {
    ...rest,
    blocking: returnImmediately !== true,
    ...(isFields(taskPushNotificationConfig) && { pushNotificationConfig: pushConfig(taskPushNotificationConfig) })
  }
}

const params = (operation: Operation, given: Fields): unknown => {
  // 0.3 knows no tenants.
  const fields = Object.fromEntries(Object.entries(given).filter(([name]) => name !== "tenant"))
  switch (operation) {
    case "SendMessage":
    case "SendStreamingMessage":
      return { ...fields, message: message(fields["message"]), configuration: configuration(fields["configuration"]) }
    case "CreateTaskPushNotificationConfig":
      return { taskId: fields["taskId"], pushNotificationConfig: pushConfig(fields) }
    case "GetTaskPushNotificationConfig":
    case "DeleteTaskPushNotificationConfig":
      return { id: fields["taskId"], pushNotificationConfigId: fields["id"] }
    case "ListTaskPushNotificationConfigs":
      return { id: fields["taskId"] }
    default:
      return fields
  }
}

/** 0.3 in the words of 0.3. It knows no list of tasks: that is the name of 1.0, which the agent will refuse. */
export const v03: Dialect = {
  method: (operation) => (operation === "ListTasks" ? operation : methods[operation]),
  params
}

const schemes: Readonly<Record<string, string>> = {
  apiKey: "apiKeySecurityScheme",
  http: "httpAuthSecurityScheme",
  oauth2: "oauth2SecurityScheme",
  openIdConnect: "openIdConnectSecurityScheme",
  mutualTLS: "mtlsSecurityScheme"
}

const scheme = (value: unknown): unknown => {
  const { in: location, type, ...rest } = isFields(value) ? value : {}
  const name = Predicate.isString(type) ? schemes[type] : undefined
  return name === undefined ? value : { [name]: { ...rest, ...(location !== undefined && { location }) } }
}

const requirement = (value: unknown): unknown => ({
  schemes: Object.fromEntries(Object.entries(isFields(value) ? value : {}).map(([name, list]) => [name, { list }]))
})

const transport = (value: unknown) => value ?? "JSONRPC"

/** A card of 0.3 in the form of 1.0; one of 1.0 (or of both) as it is. */
export const cardOf03 = (card: Fields): unknown => {
  const {
    additionalInterfaces,
    capabilities,
    preferredTransport,
    protocolVersion,
    security,
    securitySchemes,
    supportsAuthenticatedExtendedCard: extended,
    url,
    ...rest
  } = card
  if ("supportedInterfaces" in rest || !Predicate.isString(url)) return card
  const version = Predicate.isString(protocolVersion) ? protocolVersion : "0.3"
  const at = (place: unknown, binding: unknown) => ({
    url: place,
    protocolBinding: transport(binding),
    protocolVersion: version.split(".").slice(0, 2).join(".")
  })
  const others = (Array.isArray(additionalInterfaces) ? additionalInterfaces : [])
    .filter(isFields)
    .filter((entry) => entry["url"] !== url || entry["transport"] !== transport(preferredTransport))
    .map((entry) => at(entry["url"], entry["transport"]))
  return {
    ...rest,
    capabilities: {
      ...(isFields(capabilities) && capabilities),
      ...(extended === true && { extendedAgentCard: true })
    },
    supportedInterfaces: [at(url, preferredTransport), ...others],
    ...(isFields(securitySchemes) && {
      securitySchemes: Object.fromEntries(Object.entries(securitySchemes).map(([name, one]) => [name, scheme(one)]))
    }),
    ...(Array.isArray(security) && { securityRequirements: security.map(requirement) })
  }
}
