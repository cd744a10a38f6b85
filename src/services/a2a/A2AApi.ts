/**
 * Whether an agent is well: the routes of its server beside A2A itself (which `A2AHttpApi` and `RpcEnvelope` declare).
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { PublicHealth } from "../workspace/Health.ts"

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
  HttpApiEndpoint.get("health", "/health", { success: PublicHealth, error: NotWell }),
  HttpApiEndpoint.get("ready", "/ready", { success: Readiness, error: NotReady })
) {}

/** How the agent is. */
export class A2AApi extends HttpApi.make("molecule-agent").add(Agent) {}
