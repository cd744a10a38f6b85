/**
 * Tokens of people and programs that look after all workspaces.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { OrgTokenInfo } from "./PlatformSchemas.ts"
import type { StoreUnavailable } from "./StoreUnavailable.ts"
import type { TokenRecord, UnknownToken } from "./TokenStore.ts"

/** How many org tokens may live at once: as many as one list shows. */
export const maxOrgTokens = 500

/** There are {@link maxOrgTokens} already. */
export class TooManyOrgTokens extends Schema.TaggedError<TooManyOrgTokens>()("TooManyOrgTokens", {}) {}

/** A live org token, as it is known to whoever calls with it. */
export interface OrgToken {
  readonly id: string
  readonly prefix: string
}

/**
 * Org tokens, by their hash.
 *
 * **Details**
 *
 * - `mint` stores a token that `TokenStore.generate` made; `createdBy` says with what it was asked for, as in
 *   `org-token:<prefix>`. Counting and storing are one.
 * - `find` finds a live token, and notes to the minute that it was used.
 * - `list` holds the live ones, newest first.
 * - `revoke` ends a token at once. What is left of it goes ninety days later.
 *
 * **Example**
 *
 * ```ts
 * const { record, token } = yield* tokens.generate
 * yield* orgTokens.mint(record, { name: "deploys", createdBy: "admin-token" })
 * ```
 */
export class OrgTokenStore extends Context.Service<
  OrgTokenStore,
  {
    readonly mint: (
      token: TokenRecord,
      about: { readonly name: string; readonly createdBy: string }
    ) => Effect.Effect<void, StoreUnavailable | TooManyOrgTokens>
    readonly find: (token: Redacted.Redacted) => Effect.Effect<Option.Option<OrgToken>, StoreUnavailable>
    readonly list: Effect.Effect<ReadonlyArray<typeof OrgTokenInfo.Type>, StoreUnavailable>
    readonly revoke: (id: string) => Effect.Effect<void, StoreUnavailable | UnknownToken>
  }
>()("molecule-effect/services/platform/OrgTokenStore") {}
