/**
 * Whether an agent is well: the routes of its server beside A2A itself (which `A2AHttpApi` and `RpcEnvelope` declare).
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"

/** What `/health` and `/ready` answer: the state, and how much work is in hand. */
export const Health = Schema.Struct({
  status: Schema.Literals(["ok", "starting", "draining"]),
  running: Schema.Int,
  queued: Schema.Int
})

/** 503 of `/ready`: the workspace is not registered yet, or is shutting down. */
export class NotReady extends Schema.Error<NotReady>("NotReady")(Health.fields, { httpApiStatus: 503 }) {
  readonly _tag = "NotReady" as const
}

class Agent extends HttpApiGroup.make("agent").add(
  HttpApiEndpoint.get("health", "/health", { success: Health }),
  HttpApiEndpoint.get("ready", "/ready", { success: Health, error: NotReady })
) {}

/** How the agent is. */
export class A2AApi extends HttpApi.make("molecule-agent").add(Agent) {}
