/**
 * The agent card of A2A 0.3 (its specification, section 5.5).
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { Metadata } from "../durable/Content.ts"

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
