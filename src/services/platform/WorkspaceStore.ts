/**
 * The workspaces that the platform knows, and their tree.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"
import type { Lineage } from "./Hierarchy.ts"
import { type HeartbeatRequest, ListedWorkspace, WorkspaceAccess } from "./PlatformSchemas.ts"
import type { StoreUnavailable } from "./StoreUnavailable.ts"
import type { TokenRecord } from "./TokenStore.ts"

/** A workspace as it is stored; the names are those of the wire. */
export const WorkspaceRecord = Schema.Struct({
  ...ListedWorkspace.fields,
  workspace_access: WorkspaceAccess,
  /** Whether it is sent its messages, or comes for them. */
  delivery: Schema.Literals(["push", "poll"]),
  /** When it was last heard of; milliseconds since 1970. */
  last_heard_at: Schema.Int
})
/** The type of {@link WorkspaceRecord}. */
export type WorkspaceRecord = typeof WorkspaceRecord.Type

/** What a new workspace begins with. */
export type NewWorkspace = Pick<
  WorkspaceRecord,
  | "name"
  | "role"
  | "tier"
  | "url"
  | "parent_id"
  | "workspace_dir"
  | "workspace_access"
  | "budget_limit"
  | "max_concurrent_tasks"
  | "x"
  | "y"
>

/** What may be changed of a workspace from outside; what is not given stays. */
export type WorkspaceChanges = {
  readonly [Field in "name" | "role" | "tier" | "parent_id" | "workspace_dir" | "collapsed" | "x" | "y"]?:
    | WorkspaceRecord[Field]
    | undefined
}

/** No workspace has this id, or the one that had it was removed. */
export class UnknownWorkspace extends Schema.TaggedError<UnknownWorkspace>()("UnknownWorkspace", { id: WorkspaceId }) {}

/** The workspace cannot be under this parent: there is none, it was removed, or the tree would become a circle. */
export class ParentRefused extends Schema.TaggedError<ParentRefused>()("ParentRefused", { detail: Schema.String }) {}

/** The workspace has children that are not removed, and nobody said that they should go with it. */
export class HasChildren extends Schema.TaggedError<HasChildren>()("HasChildren", {
  children: Schema.Array(Schema.Struct({ id: WorkspaceId, name: Schema.String }))
}) {}

/** A first token was to be issued to a workspace that has had one. */
export class HadToken extends Schema.TaggedError<HadToken>()("HadToken", {}) {}

/**
 * Workspaces. Every operation is one transaction: it happens as a whole or not at all, and what it decides on cannot
 * change under it.
 *
 * **Details**
 *
 * - `create` stores the workspace and, if one is given, its first token. With a URL it is `online`, else `awaiting_agent`.
 * - `find` answers removed workspaces too; `list` does not, and is ordered oldest first.
 * - `remove` takes the descendants along if told to (`cascade`), revokes all tokens, and answers how many descendants went.
 *   With `purge` the rows go, with tokens and checkpoints; without, they stay as `removed`.
 * - `register` sets URL, delivery, card and status, and issues the given first token, if one is given, only where there never was one.
 * - `beat` and `register` move the status by `StatusMachine`; so does `silence`, for all that were last heard before
 *   `since`, answering whom it moved.
 * - `peers` are siblings, then children, then the parent, without removed ones, each group oldest first.
 */
export class WorkspaceStore extends Context.Service<
  WorkspaceStore,
  {
    readonly create: (
      workspace: NewWorkspace,
      token: TokenRecord | undefined
    ) => Effect.Effect<WorkspaceRecord, StoreUnavailable | ParentRefused>
    readonly find: (id: WorkspaceId) => Effect.Effect<Option.Option<WorkspaceRecord>, StoreUnavailable>
    readonly list: Effect.Effect<ReadonlyArray<WorkspaceRecord>, StoreUnavailable>
    readonly patch: (
      id: WorkspaceId,
      changes: WorkspaceChanges
    ) => Effect.Effect<void, StoreUnavailable | UnknownWorkspace | ParentRefused>
    readonly remove: (
      id: WorkspaceId,
      options: { readonly cascade: boolean; readonly purge: boolean }
    ) => Effect.Effect<number, StoreUnavailable | UnknownWorkspace | HasChildren>
    readonly register: (
      registration: {
        readonly id: WorkspaceId
        readonly url: string
        readonly delivery: WorkspaceRecord["delivery"]
        readonly agent_card: Schema.Json
      },
      firstToken: TokenRecord | undefined
    ) => Effect.Effect<void, StoreUnavailable | UnknownWorkspace | HadToken>
    readonly beat: (beat: typeof HeartbeatRequest.Type) => Effect.Effect<void, StoreUnavailable | UnknownWorkspace>
    readonly setCard: (id: WorkspaceId, card: Schema.Json) => Effect.Effect<void, StoreUnavailable | UnknownWorkspace>
    readonly noteOutbound: (id: WorkspaceId) => Effect.Effect<void, StoreUnavailable>
    readonly silence: (since: DateTime.Utc) => Effect.Effect<ReadonlyArray<WorkspaceId>, StoreUnavailable>
    readonly peers: (
      id: WorkspaceId
    ) => Effect.Effect<ReadonlyArray<WorkspaceRecord>, StoreUnavailable | UnknownWorkspace>
    readonly lineage: (id: WorkspaceId) => Effect.Effect<Option.Option<Lineage>, StoreUnavailable>
    /** How many checkpoints the workspace has. */
    readonly countCheckpoints: (id: WorkspaceId) => Effect.Effect<number, StoreUnavailable>
    /** Is there a checkpoint of this step? Saving it again adds none. */
    readonly hasCheckpoint: (
      id: WorkspaceId,
      workflow: string,
      step: string
    ) => Effect.Effect<boolean, StoreUnavailable>
  }
>()("molecule-effect/services/platform/WorkspaceStore") {}
