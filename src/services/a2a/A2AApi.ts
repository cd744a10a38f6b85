/**
 * The HTTP face of an agent: its card, its JSON-RPC endpoint, and whether it is well.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { PublicHealth } from "../workspace/Health.ts"

/** Something that the agent says it can do. */
export const AgentSkill = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  tags: Schema.Array(Schema.String)
})

/** The agent card of A2A 0.3 (specification section 5.5). */
export const AgentCard = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  version: Schema.String,
  protocolVersion: Schema.Literal("0.3.0"),
  url: Schema.String,
  preferredTransport: Schema.Literal("JSONRPC"),
  capabilities: Schema.Struct({ streaming: Schema.Boolean, pushNotifications: Schema.Boolean }),
  defaultInputModes: Schema.Array(Schema.String),
  defaultOutputModes: Schema.Array(Schema.String),
  skills: Schema.Array(AgentSkill),
  securitySchemes: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  security: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Array(Schema.String))))
})
/** The type of {@link AgentCard}. */
export type AgentCard = typeof AgentCard.Type

/** What `/ready` answers: the state, and how much work is in hand. */
export const Readiness = Schema.Struct({
  status: PublicHealth.fields.status,
  running: Schema.Int,
  queued: Schema.Int
})

/** 503 of `/ready`: the workspace is not registered yet, or is shutting down. */
export class NotReady extends Schema.Error<NotReady>("NotReady")(Readiness.fields, { httpApiStatus: 503 }) {
  readonly _tag = "NotReady" as const
}

/** 503 of `/health`: something is wrong. */
export class NotWell extends Schema.Error<NotWell>("NotWell")(PublicHealth.fields, { httpApiStatus: 503 }) {
  readonly _tag = "NotWell" as const
}

class Agent extends HttpApiGroup.make("agent").add(
  HttpApiEndpoint.get("card", "/.well-known/agent-card.json", { success: AgentCard }),
  HttpApiEndpoint.get("cardOfOldName", "/.well-known/agent.json", { success: AgentCard }),
  HttpApiEndpoint.post("rpc", "/", { payload: Schema.Json, success: Schema.Json }),
  HttpApiEndpoint.get("health", "/health", { success: PublicHealth, error: NotWell }),
  HttpApiEndpoint.get("ready", "/ready", { success: Readiness, error: NotReady })
) {}

/**
 * The agent's HTTP API. `POST /` is JSON-RPC: its body is read and answered by the rules of JSON-RPC (HTTP 200 with an
 * error object), not by those of the other routes.
 */
export class A2AApi extends HttpApi.make("molecule-agent").add(Agent) {}
