/**
 * What a bearer is, seen from the workspace that a request is about.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Credential } from "../../services/platform/Access.ts"
import { AdminToken } from "../../services/platform/AdminToken.ts"
import { OrgTokenStore } from "../../services/platform/OrgTokenStore.ts"
import type { Caller } from "../../services/platform/PlatformMiddleware.ts"
import { TokenStore } from "../../services/platform/TokenStore.ts"
import { WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

/** A credential, and who calls if it is let in. */
export interface Classified {
  readonly credential: Credential
  readonly caller: Caller
}

const anonymous: Caller = { _tag: "Anonymous" }

/**
 * Classifies a bearer.
 *
 * **Details**
 *
 * `subject` is `None` where the request names no workspace, or nothing that could be one: then every live token is
 * another workspace's, unless the endpoint's subject is its caller (`callerIsSubject`): then it is its own.
 */
export const make = Effect.gen(function* () {
  const admin = yield* AdminToken
  const tokens = yield* TokenStore
  const orgTokens = yield* OrgTokenStore
  const workspaces = yield* WorkspaceStore

  return Effect.fnUntraced(function* (
    bearer: Redacted.Redacted,
    subject: Option.Option<WorkspaceId>,
    callerIsSubject: boolean
  ) {
    const as = (credential: Credential, caller: Caller = anonymous): Classified => ({ credential, caller })
    if (Redacted.value(bearer) === "") return as("none")
    if (admin.matches(bearer)) return as("admin", { _tag: "Admin", by: "admin-token" })

    const found = yield* tokens.owner(bearer)
    const isSubject = (id: WorkspaceId) => (Option.isNone(subject) ? callerIsSubject : subject.value === id)
    if (Option.isSome(found)) {
      const { live, tokenId, workspaceId, workspaceRemoved } = found.value
      if (live) return as(isSubject(workspaceId) ? "own" : "other", { _tag: "Workspace", workspaceId, tokenId })
      return as(workspaceRemoved && isSubject(workspaceId) ? "deleted" : "revoked")
    }
    const org = yield* orgTokens.find(bearer)
    if (Option.isSome(org)) return as("org", { _tag: "Admin", by: `org-token:${org.value.prefix}` })
    // A purged workspace leaves nothing behind: its last token is then any that nobody knows, with its id.
    if (Option.isSome(subject) && Option.isNone(yield* workspaces.find(subject.value))) return as("deleted")
    return as("revoked")
  })
})
