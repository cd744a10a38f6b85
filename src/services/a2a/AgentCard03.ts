/**
 * The agent card of A2A 0.3 (its specification, section 5.5), and how one of 1.0 reads in that form.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Metadata } from "../durable/Content.ts"
import type { AgentCard, SecurityRequirement, SecurityScheme } from "./AgentCard.ts"

const strings = Schema.Array(Schema.String)
const optional = Schema.optionalKey
const Security = Schema.Array(Schema.Record(Schema.String, strings))

/** Where else, and over what, the agent is reached. */
export const AgentInterface03 = Schema.Struct({ url: Schema.String, transport: Schema.String })

/** The card. */
export const AgentCard03 = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  version: Schema.String,
  protocolVersion: optional(Schema.String),
  url: Schema.String,
  preferredTransport: optional(Schema.String),
  additionalInterfaces: optional(Schema.Array(AgentInterface03)),
  capabilities: Schema.Struct({
    streaming: optional(Schema.Boolean),
    pushNotifications: optional(Schema.Boolean),
    stateTransitionHistory: optional(Schema.Boolean),
    extensions: optional(
      Schema.Array(
        Schema.Struct({
          uri: Schema.String,
          description: optional(Schema.String),
          required: optional(Schema.Boolean),
          params: optional(Metadata)
        })
      )
    )
  }),
  defaultInputModes: strings,
  defaultOutputModes: strings,
  skills: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      description: Schema.String,
      tags: strings,
      examples: optional(strings),
      inputModes: optional(strings),
      outputModes: optional(strings),
      security: optional(Security)
    })
  ),
  provider: optional(Schema.Struct({ organization: Schema.String, url: Schema.String })),
  documentationUrl: optional(Schema.String),
  iconUrl: optional(Schema.String),
  securitySchemes: optional(Schema.Record(Schema.String, Schema.Json)),
  security: optional(Security),
  supportsAuthenticatedExtendedCard: optional(Schema.Boolean)
})
/** The type of {@link AgentCard03}. */
export type AgentCard03 = typeof AgentCard03.Type

const present = <A, B extends object>(value: A | undefined, f: (value: A) => B): B | undefined =>
  value === undefined ? undefined : f(value)

// 1.0 names a scheme by the field that it stands in, 0.3 by its `type`.
const types = {
  apiKeySecurityScheme: "apiKey",
  httpAuthSecurityScheme: "http",
  oauth2SecurityScheme: "oauth2",
  openIdConnectSecurityScheme: "openIdConnect",
  mtlsSecurityScheme: "mutualTLS"
} as const

const schemeTo03 = (scheme: typeof SecurityScheme.Type): Schema.Json => {
  for (const [field, type] of Object.entries(types)) {
    const value = scheme[field]
    if (!Predicate.isReadonlyObject(value)) continue
    const fields = Object.entries(value).map(([key, one]) => [key === "location" ? "in" : key, one])
    return { type, ...Object.fromEntries(fields) }
  }
  return scheme
}

const requirementTo03 = ({ schemes }: typeof SecurityRequirement.Type) =>
  Object.fromEntries(Object.entries(schemes).map(([name, { list = [] }]) => [name, list]))

/** The card in 0.3's form: its address is that of the JSON-RPC interface of 0.3, or else the first one. */
export const cardTo03 = (card: AgentCard): AgentCard03 => {
  const [first] = card.supportedInterfaces
  const own = card.supportedInterfaces.filter(({ protocolVersion }) => protocolVersion.startsWith("0.3"))
  const main = own.find(({ protocolBinding }) => protocolBinding === "JSONRPC") ?? own[0] ?? first
  const { extendedAgentCard, ...capabilities } = card.capabilities
  return {
    name: card.name,
    description: card.description,
    version: card.version,
    protocolVersion: "0.3.0",
    url: main.url,
    preferredTransport: main.protocolBinding,
    additionalInterfaces: own.map(({ protocolBinding, url }) => ({ url, transport: protocolBinding })),
    capabilities,
    defaultInputModes: card.defaultInputModes,
    defaultOutputModes: card.defaultOutputModes,
    skills: card.skills.map(({ securityRequirements, ...skill }) => ({
      ...skill,
      ...present(securityRequirements, (all) => ({ security: all.map(requirementTo03) }))
    })),
    ...present(card.provider, (provider) => ({ provider })),
    ...present(card.documentationUrl, (documentationUrl) => ({ documentationUrl })),
    ...present(card.iconUrl, (iconUrl) => ({ iconUrl })),
    ...present(card.securitySchemes, (schemes) => ({
      securitySchemes: Object.fromEntries(Object.entries(schemes).map(([name, one]) => [name, schemeTo03(one)]))
    })),
    ...present(card.securityRequirements, (all) => ({ security: all.map(requirementTo03) })),
    ...(extendedAgentCard === true ? { supportsAuthenticatedExtendedCard: true } : undefined)
  }
}
