/**
 * Sending a message to an agent and waiting for what becomes of it.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"

/** The agent, or the platform on its behalf, refused: sending the same again would not help. */
export class ExchangeRefused extends Schema.TaggedError<ExchangeRefused>()("ExchangeRefused", {
  target: WorkspaceId,
  detail: Schema.String
}) {
  override get message() {
    return `${this.target} was not reached: ${this.detail}`
  }
}

/** No end within the time given; the agent may still be working. */
export class ExchangeTimeout extends Schema.TaggedError<ExchangeTimeout>()("ExchangeTimeout", {
  target: WorkspaceId,
  seconds: Schema.Finite
}) {
  override get message() {
    return `${this.target} has not finished within ${this.seconds} s`
  }
}

/** How a task at another agent ended: its state there, its id there, and the text of its answer (or of its error). */
export class ExchangeResult extends Schema.Class<ExchangeResult>("molecule-effect/ExchangeResult")({
  taskId: Schema.String,
  state: Schema.Literals(["completed", "failed", "canceled", "rejected", "input-required", "auth-required", "unknown"]),
  text: Schema.String
}) {}

/**
 * A client of other agents, through the platform.
 *
 * **Details**
 *
 * `exchange` sends one message and waits for the end of the task that it starts. The connection may be cut on the way,
 * the platform or the agent restarted: as soon as the task's id is known the agent is asked for it (`tasks/get`), and the
 * message is sent again only if its answer never came or the agent has forgotten the task; its `messageId` stays, so that
 * the agent takes it once.
 */
export class A2AClient extends Context.Service<
  A2AClient,
  {
    readonly exchange: (request: {
      readonly target: WorkspaceId
      readonly messageId: string
      readonly contextId: string
      readonly text: string
      readonly timeout: Duration.Duration
    }) => Effect.Effect<ExchangeResult, ExchangeRefused | ExchangeTimeout>
  }
>()("molecule-effect/services/a2a/A2AClient") {}
