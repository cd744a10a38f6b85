/**
 * The bearer tokens of the workspaces.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { WorkspaceId } from "../workspace/WorkspaceId.ts"
import type { TokenInfo } from "./PlatformSchemas.ts"
import type { StoreUnavailable } from "./StoreUnavailable.ts"
import type { UnknownWorkspace } from "./WorkspaceStore.ts"

/** How many live tokens a workspace may have. */
export const maxLiveTokens = 50

/** What is stored of a token: never the token itself. */
export interface TokenRecord {
  readonly id: string
  /** SHA-256 of its 43 characters, 32 bytes. */
  readonly hash: Uint8Array
  /** Its first 8 characters, so that a person can tell one from another. */
  readonly prefix: string
}

/** A token that was just made, and not stored yet. */
export interface NewToken {
  /** 32 random bytes as base64url without padding: 43 characters. */
  readonly token: Redacted.Redacted
  readonly record: TokenRecord
}

/** Whose a token is, and whether it is still good. */
export interface TokenOwner {
  readonly tokenId: string
  readonly workspaceId: WorkspaceId
  /** Not revoked, and its workspace not removed. */
  readonly live: boolean
  readonly workspaceRemoved: boolean
}

/** The workspace has {@link maxLiveTokens} already. */
export class TooManyTokens extends Schema.TaggedError<TooManyTokens>()("TooManyTokens", {}) {}

/** There is no live token with this id. */
export class UnknownToken extends Schema.TaggedError<UnknownToken>()("UnknownToken", {}) {}

/**
 * Tokens, by their hash.
 *
 * **Details**
 *
 * - `generate` makes a token and stores nothing. It is stored by `mint`, or together with a workspace by `WorkspaceStore`.
 * - `mint` counts and inserts as one: two calls at once never make a fifty-first.
 * - `owner` finds a token, live or not: a revoked one stays until its workspace is purged, so that the agent of a deleted
 *   workspace can be told to stop. It notes that the token was used, to the minute.
 * - `list` holds the live ones, newest first.
 * - `anyOf` says whether a workspace ever had a token.
 */
export class TokenStore extends Context.Service<
  TokenStore,
  {
    readonly generate: Effect.Effect<NewToken>
    readonly mint: (
      workspaceId: WorkspaceId,
      token: TokenRecord
    ) => Effect.Effect<void, StoreUnavailable | UnknownWorkspace | TooManyTokens>
    readonly owner: (token: Redacted.Redacted) => Effect.Effect<Option.Option<TokenOwner>, StoreUnavailable>
    readonly list: (
      workspaceId: WorkspaceId,
      page: { readonly limit: number; readonly offset: number }
    ) => Effect.Effect<ReadonlyArray<typeof TokenInfo.Type>, StoreUnavailable>
    readonly revoke: (workspaceId: WorkspaceId, tokenId: string) => Effect.Effect<void, StoreUnavailable | UnknownToken>
    readonly anyOf: (workspaceId: WorkspaceId) => Effect.Effect<boolean, StoreUnavailable>
  }
>()("molecule-effect/services/platform/TokenStore") {}
