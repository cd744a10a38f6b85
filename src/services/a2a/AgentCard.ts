/**
 * The agent card of A2A 1.0 (specification section 4.4), and what an agent tells about itself to have one.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { Metadata } from "../durable/Content.ts"

const strings = Schema.Array(Schema.String)
const optional = Schema.optionalKey

/** A combination of schemes that suffices, each with its scopes. */
export const SecurityRequirement = Schema.Struct({
  schemes: Schema.Record(Schema.String, Schema.Struct({ list: optional(strings) }))
})

/** A protocol binding, and where it is. */
export const AgentInterface = Schema.Struct({
  url: Schema.NonEmptyString,
  /** `JSONRPC`, `GRPC`, `HTTP+JSON`, or the URI of another. */
  protocolBinding: Schema.NonEmptyString,
  tenant: optional(Schema.String),
  /** As in `1.0`. */
  protocolVersion: Schema.NonEmptyString
})
/** The type of {@link AgentInterface}. */
export type AgentInterface = typeof AgentInterface.Type

/** An extension that the agent knows. */
export const AgentExtension = Schema.Struct({
  uri: Schema.NonEmptyString,
  description: optional(Schema.String),
  /** Whoever does not activate it is refused. */
  required: optional(Schema.Boolean),
  params: optional(Metadata)
})
/** The type of {@link AgentExtension}. */
export type AgentExtension = typeof AgentExtension.Type

/** What the agent can do besides answering. */
export const AgentCapabilities = Schema.Struct({
  streaming: optional(Schema.Boolean),
  pushNotifications: optional(Schema.Boolean),
  extensions: optional(Schema.Array(AgentExtension)),
  extendedAgentCard: optional(Schema.Boolean)
})

/** Something that the agent says it can do. */
export const AgentSkill = Schema.Struct({
  id: Schema.NonEmptyString,
  name: Schema.NonEmptyString,
  description: Schema.String,
  tags: strings,
  examples: optional(strings),
  inputModes: optional(strings),
  outputModes: optional(strings),
  securityRequirements: optional(Schema.Array(SecurityRequirement))
})
/** The type of {@link AgentSkill}. */
export type AgentSkill = typeof AgentSkill.Type

/** A scheme of authentication: one of the five of section 4.5, by the name of its field. */
export const SecurityScheme = Schema.Record(Schema.String, Schema.Json)

/** The card. */
export const AgentCard = Schema.Struct({
  name: Schema.NonEmptyString,
  description: Schema.String,
  supportedInterfaces: Schema.NonEmptyArray(AgentInterface),
  provider: optional(Schema.Struct({ url: Schema.String, organization: Schema.String })),
  version: Schema.String,
  documentationUrl: optional(Schema.String),
  capabilities: AgentCapabilities,
  securitySchemes: optional(Schema.Record(Schema.String, SecurityScheme)),
  securityRequirements: optional(Schema.Array(SecurityRequirement)),
  defaultInputModes: strings,
  defaultOutputModes: strings,
  skills: Schema.Array(AgentSkill),
  signatures: optional(
    Schema.Array(Schema.Struct({ protected: Schema.String, signature: Schema.String, header: optional(Metadata) }))
  ),
  iconUrl: optional(Schema.String)
})
/** The type of {@link AgentCard}. */
export type AgentCard = typeof AgentCard.Type

/**
 * This agent as others see it: its card with the addresses at which it really listens, and the card for those who have
 * authenticated, where there is another.
 */
export class AgentIdentity extends Context.Service<
  AgentIdentity,
  { readonly card: AgentCard; readonly extendedCard: AgentCard | undefined }
>()("molecule-effect/services/a2a/AgentCard/AgentIdentity") {}
