/**
 * Who may call what on the platform: one table, which authorises, documents, and is tested line by line.
 *
 * @module
 */
/**
 * What a request can come with, seen from the workspace that it is about (its *subject*):
 *
 * - `none`: no bearer;
 * - `own`: a live token of the subject;
 * - `other`: a live token of another workspace;
 * - `revoked`: a revoked token of the subject while it lives, or a bearer that nobody ever issued;
 * - `deleted`: the subject was deleted and this was its token;
 * - `admin`: the admin token;
 * - `org`: a live org token.
 */
export type Credential = "none" | "own" | "other" | "revoked" | "deleted" | "admin" | "org"

/** All credentials, in the order of the documentation's columns. */
export const credentials = [
  "none",
  "own",
  "other",
  "revoked",
  "deleted",
  "admin",
  "org"
] as const satisfies ReadonlyArray<Credential>

/**
 * How the platform decides. `allow` lets the request in as its caller, `public` lets it in as nobody, `firstToken` lets
 * it in only for a workspace that never had a token; each of the others is an answer.
 */
export type Verdict =
  | "allow"
  | "public"
  | "firstToken"
  | "missing"
  | "invalid"
  | "adminRequired"
  | "adminInvalid"
  | "callerMissing"
  | "callerInvalid"
  | "stop"

/** The answers behind the refusing verdicts; their texts are the original platform's. */
export const refusals = {
  missing: { status: 401, error: "missing workspace auth token" },
  invalid: { status: 401, error: "invalid workspace auth token" },
  adminRequired: { status: 401, error: "admin auth required" },
  adminInvalid: { status: 401, error: "invalid admin auth token" },
  callerMissing: { status: 401, error: "missing caller auth token" },
  callerInvalid: { status: 401, error: "invalid caller auth token" },
  /** The answer that ends an agent: `{"workspace_id", "status": "removed", "deleted": true}`. */
  stop: { status: 404, error: "workspace deleted" }
} as const

/**
 * Where a request names its subject: in the path (`:id`), in a field of the body, in the header `X-Workspace-ID`, or
 * nowhere. For the A2A proxy the subject is the *caller*: the header, or without it the workspace that the token belongs to.
 */
export type Subject = "none" | "path" | "body.id" | "body.workspace_id" | "body.caller_id" | "header" | "caller"

/** One line of the table. */
export interface AccessRule {
  readonly subject: Subject
  readonly verdicts: Readonly<Record<Credential, Verdict>>
  /** Status of a well-formed request that is let in. */
  readonly success: number
  /** `error` of the 400 for a body that does not fit. */
  readonly badBody: string
  /** A sentence for the documentation where the columns do not say it all. */
  readonly note?: string
}

const everyone: AccessRule["verdicts"] = {
  none: "public",
  own: "public",
  other: "public",
  revoked: "public",
  deleted: "public",
  admin: "public",
  org: "public"
}
const adminOnly: AccessRule["verdicts"] = {
  none: "adminRequired",
  own: "adminInvalid",
  other: "adminInvalid",
  revoked: "adminInvalid",
  deleted: "adminInvalid",
  admin: "allow",
  org: "allow"
}
const ownOrAdmin: AccessRule["verdicts"] = {
  none: "missing",
  own: "allow",
  other: "invalid",
  revoked: "invalid",
  deleted: "invalid",
  admin: "allow",
  org: "allow"
}
const ownOnly: AccessRule["verdicts"] = { ...ownOrAdmin, admin: "invalid", org: "invalid" }

const callers: AccessRule["verdicts"] = {
  none: "callerMissing",
  own: "allow",
  other: "callerInvalid",
  revoked: "callerInvalid",
  deleted: "callerInvalid",
  admin: "allow",
  org: "allow"
}

const badBody = "invalid request body"
const rule = (
  subject: Subject,
  verdicts: AccessRule["verdicts"],
  more?: Partial<Pick<AccessRule, "success" | "badBody" | "note">>
): AccessRule => ({ subject, verdicts, success: 200, badBody, ...more })

/** The table: one line for each endpoint of `PlatformApi`, keyed by group and endpoint. */
export const accessTable = {
  "system.health": rule("none", everyone),
  "system.keys": rule("none", everyone),
  "workspaces.create": rule("none", adminOnly, { success: 201, badBody: "invalid workspace payload" }),
  "workspaces.list": rule("none", adminOnly),
  "workspaces.get": rule(
    "path",
    {
      none: "public",
      own: "allow",
      other: "public",
      revoked: "invalid",
      deleted: "invalid",
      admin: "allow",
      org: "allow"
    },
    { note: "Without the workspace's own token or the admin's: id, name, role, tier, status and parent only." }
  ),
  "workspaces.patch": rule("path", ownOrAdmin, {
    note: "tier, parent_id, runtime and workspace_dir are the admin's to change: 403 for the workspace itself."
  }),
  "workspaces.delete": rule("path", adminOnly),
  "workspaces.state": rule(
    "path",
    { ...ownOrAdmin, deleted: "stop" },
    {
      note: "404 with deleted: true is the signal to stop, given to the deleted workspace's last token and for an unknown id."
    }
  ),
  "registry.register": rule(
    "body.id",
    { ...ownOnly, none: "firstToken" },
    {
      note: "Without a credential only for a workspace that the admin created and that never had a token; it is then given one."
    }
  ),
  "registry.heartbeat": rule("body.workspace_id", ownOnly),
  "registry.updateCard": rule("body.workspace_id", ownOnly),
  "registry.discover": rule("header", ownOnly, { note: "403 where the hierarchy does not connect the two." }),
  "registry.peers": rule("path", ownOnly),
  "registry.checkAccess": rule("body.caller_id", ownOrAdmin),
  "tokens.list": rule("path", ownOrAdmin),
  "tokens.mint": rule("path", ownOrAdmin, { success: 201 }),
  "tokens.revoke": rule("path", ownOrAdmin),
  "orgTokens.list": rule("none", adminOnly),
  "orgTokens.mint": rule("none", adminOnly),
  "orgTokens.revoke": rule("none", adminOnly),
  "checkpoints.save": rule("path", ownOrAdmin, { success: 201 }),
  "checkpoints.latest": rule("path", ownOrAdmin),
  "checkpoints.list": rule("path", ownOrAdmin),
  "checkpoints.delete": rule("path", ownOrAdmin),
  "a2a.proxy": rule("caller", callers, {
    badBody: "invalid JSON",
    note: "A workspace reaches only those that the hierarchy connects it with (403); the admin reaches all."
  }),
  "a2a.restGet": rule("caller", callers, { note: "A2A over HTTP+JSON, at the agent's path. As for JSON-RPC." }),
  "a2a.restPost": rule("caller", callers, { note: "A2A over HTTP+JSON, at the agent's path. As for JSON-RPC." }),
  "a2a.restDelete": rule("caller", callers, { note: "A2A over HTTP+JSON, at the agent's path. As for JSON-RPC." }),
  "inbox.pull": rule("path", ownOnly),
  "inbox.renew": rule("path", ownOnly),
  "inbox.answer": rule("path", ownOnly),
  "inbox.activity": rule("path", ownOrAdmin, {
    note: "Messages are shown to the workspace's own token, oldest first; the admin looks on, newest first."
  }),
  "inbox.notify": rule("path", ownOrAdmin)
} as const satisfies Record<string, AccessRule>

/** The key of an endpoint in {@link accessTable}. */
export type AccessKey = keyof typeof accessTable

/** The answer's status for a credential on an endpoint, given a request that is otherwise right. */
export const expectedStatus = (key: AccessKey, credential: Credential): number => {
  const { success, verdicts } = accessTable[key]
  const verdict: Verdict = verdicts[credential]
  return verdict === "allow" || verdict === "public" || verdict === "firstToken" ? success : refusals[verdict].status
}

const isAccessKey = (key: string): key is AccessKey => Object.hasOwn(accessTable, key)

const ruleOf = (key: AccessKey): AccessRule => accessTable[key]

/** The rule of one endpoint, or undefined where the name is not in the table. */
export const findRule = (group: string, endpoint: string): AccessRule | undefined => {
  const key = `${group}.${endpoint}`
  return isAccessKey(key) ? ruleOf(key) : undefined
}

/** The line of the table in words, for the description of the endpoint in the OpenAPI document. */
export const describeAccess = (key: AccessKey): string => {
  const { note } = ruleOf(key)
  const statuses = credentials.map((credential) => `${credential} ${expectedStatus(key, credential)}`).join(", ")
  return `Status by credential: ${statuses}.${note === undefined ? "" : ` ${note}`}`
}
