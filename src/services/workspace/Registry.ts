/**
 * The workspace's place on the platform: announcing itself, being alive, finding others.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Discovered, HeartbeatRequest, Peer, WorkspaceState } from "../platform/PlatformSchemas.ts"
import type { WorkspaceId } from "./WorkspaceId.ts"

/** The platform could not be reached, or answered that it cannot work now: try again later. */
export class RegistryUnavailable extends Schema.TaggedError<RegistryUnavailable>()("RegistryUnavailable", {
  operation: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.operation}: the platform is not available (${this.detail})`
  }
}

/** The platform refused: trying the same again gives the same answer. `status` is the HTTP status. */
export class RegistryRefused extends Schema.TaggedError<RegistryRefused>()("RegistryRefused", {
  operation: Schema.String,
  status: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `${this.operation}: the platform refused with ${this.status} (${this.detail})`
  }
}

/** What every operation of {@link Registry} may fail with; the two are told apart by what the caller does next. */
export type RegistryError = RegistryUnavailable | RegistryRefused

/**
 * The platform's registry as one workspace sees it.
 *
 * **Details**
 *
 * `register` announces URL and card, and stores the token that the platform gives a workspace at its first registration.
 * `heartbeat` must come more often than every 90 s, or the platform takes the workspace for offline. `state` tells when
 * to stop: `paused`, or `deleted`.
 */
export class Registry extends Context.Service<
  Registry,
  {
    readonly register: (options: {
      readonly url: string
      readonly agentCard: Schema.Json
    }) => Effect.Effect<void, RegistryError>
    readonly heartbeat: (beat: Omit<typeof HeartbeatRequest.Type, "workspace_id">) => Effect.Effect<void, RegistryError>
    readonly state: Effect.Effect<typeof WorkspaceState.Type, RegistryError>
    readonly discover: (target: WorkspaceId) => Effect.Effect<typeof Discovered.Type, RegistryError>
    readonly peers: Effect.Effect<ReadonlyArray<typeof Peer.Type>, RegistryError>
  }
>()("molecule-effect/services/workspace/Registry") {}
