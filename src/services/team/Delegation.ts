/**
 * Giving a piece of work to another workspace and getting its answer.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"

/** What a peer answered: its task's id there, and the text. */
export class DelegationResult extends Schema.Class<DelegationResult>("molecule-effect/DelegationResult")({
  target: WorkspaceId,
  taskId: Schema.String,
  text: Schema.String
}) {}

/** The peer refused, failed or cancelled the work: sending it again would not help. */
export class DelegationFailed extends Schema.TaggedError<DelegationFailed>()("DelegationFailed", {
  target: WorkspaceId,
  detail: Schema.String
}) {
  override get message() {
    return `delegation to ${this.target} failed: ${this.detail}`
  }
}

/** No answer within the time given. The peer may still be working. */
export class DelegationTimeout extends Schema.TaggedError<DelegationTimeout>()("DelegationTimeout", {
  target: WorkspaceId,
  seconds: Schema.Finite
}) {
  override get message() {
    return `delegation to ${this.target}: no answer within ${this.seconds} s`
  }
}

/** A workspace that can be delegated to. */
export const Colleague = Schema.Struct({ id: WorkspaceId, name: Schema.String, role: Schema.NullOr(Schema.String) })

/**
 * Delegation through the platform.
 *
 * **Details**
 *
 * The message goes out under the `messageId` given, which the caller keeps over retries and restarts: the peer takes it
 * once, however often it arrives. When the connection is cut, the peer is asked for the task (`tasks/get`) as soon as its
 * id is known, instead of being sent the message again.
 */
export class Delegation extends Context.Service<
  Delegation,
  {
    /** The children of this workspace that are not removed, by name. */
    readonly children: Effect.Effect<ReadonlyArray<typeof Colleague.Type>, DelegationFailed>
    readonly delegate: (request: {
      readonly target: WorkspaceId
      readonly messageId: string
      readonly contextId: string
      readonly text: string
    }) => Effect.Effect<DelegationResult, DelegationFailed | DelegationTimeout>
  }
>()("molecule-effect/services/team/Delegation") {}
