/**
 * The agent card in the form of 0.3, made from that of 1.0.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import type { AgentCard, SecurityRequirement, SecurityScheme } from "../../services/a2a/AgentCard.ts"
import type { AgentCard03 } from "../../services/a2a/AgentCard03.ts"

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
