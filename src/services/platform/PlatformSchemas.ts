/**
 * The JSON that travels between the platform and its clients: each shape once, for server, client and documentation.
 *
 * Field names and rules are those of the original platform (`../shared/spec/platform.md` sections 2, 3, 4.1 and 5), so
 * that its own clients work unchanged. Unknown fields are ignored.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"

const noLineBreaks = Schema.isPattern(/^[^\r\n]*$/, { message: "must not contain newline characters" })
const noYamlCharacters = Schema.isPattern(/^[^{}[\]|>*&!]*$/, { message: "must not contain any of { } [ ] | > * & !" })
const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A workspace's name: 1 to 255 characters, no line breaks, none of YAML's special characters. */
export const WorkspaceName = Schema.NonEmptyString.check(Schema.isMaxLength(255), noLineBreaks, noYamlCharacters)

/** A workspace's role: up to 1000 characters, with the rules of a name. */
export const WorkspaceRole = Schema.String.check(Schema.isMaxLength(1000), noLineBreaks, noYamlCharacters)

/** Which runtime serves the workspace: up to 100 characters on one line. Here every workspace ends up `external`. */
export const RuntimeName = Schema.String.check(Schema.isMaxLength(100), noLineBreaks)

/** How much of the machine's folder an agent may touch. */
export const WorkspaceAccess = Schema.Literals(["none", "read_only", "read_write"])

/**
 * Where a workspace is in its life. `hibernating` and `awaiting_agent` are written by the original platform but refused
 * by its own database; here `awaiting_agent` is real, and the other is not needed because nothing hibernates.
 */
export const WorkspaceStatus = Schema.Literals([
  "provisioning",
  "awaiting_agent",
  "online",
  "degraded",
  "offline",
  "failed",
  "paused",
  "hibernated",
  "removed"
])
/** The type of {@link WorkspaceStatus}. */
export type WorkspaceStatus = typeof WorkspaceStatus.Type

/** Body of `POST /workspaces`. `url` is accepted for external workspaces, and every workspace here is external. */
export const CreateWorkspace = Schema.Struct({
  name: WorkspaceName,
  role: Schema.optionalKey(Schema.NullOr(WorkspaceRole)),
  runtime: Schema.optionalKey(RuntimeName),
  external: Schema.optionalKey(Schema.Boolean),
  tier: Schema.optionalKey(Schema.Int),
  url: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2048))),
  parent_id: Schema.optionalKey(Schema.NullOr(WorkspaceId)),
  workspace_dir: Schema.optionalKey(Schema.NullOr(Schema.String.check(Schema.isMaxLength(4096)))),
  workspace_access: Schema.optionalKey(WorkspaceAccess),
  budget_limit: Schema.optionalKey(Schema.NullOr(count)),
  max_concurrent_tasks: Schema.optionalKey(Schema.Int),
  canvas: Schema.optionalKey(Schema.Struct({ x: Schema.Finite, y: Schema.Finite }))
})

/** How an agent that is started elsewhere reaches the platform; its token is shown this once. */
export const Connection = Schema.Struct({
  workspace_id: WorkspaceId,
  platform_url: Schema.String,
  auth_token: Schema.String,
  registry_endpoint: Schema.String,
  heartbeat_endpoint: Schema.String,
  curl_register_template: Schema.String,
  python_snippet: Schema.String
})

/** Answer of `POST /workspaces`. `connection` is there when no URL was given: the agent has yet to announce itself. */
export const CreatedWorkspace = Schema.Struct({
  id: WorkspaceId,
  external: Schema.Boolean,
  status: WorkspaceStatus,
  connection: Schema.optionalKey(Connection)
})

/** What anyone may know of a workspace. */
export const PublicWorkspace = Schema.Struct({
  id: WorkspaceId,
  name: Schema.String,
  role: Schema.NullOr(Schema.String),
  tier: Schema.Int,
  status: WorkspaceStatus,
  parent_id: Schema.NullOr(WorkspaceId)
})

/** What the workspace itself and the admin read with `GET /workspaces/:id`. */
export const Workspace = Schema.Struct({
  ...PublicWorkspace.fields,
  runtime: Schema.String,
  agent_card: Schema.NullOr(Schema.Json),
  url: Schema.String,
  active_tasks: count,
  max_concurrent_tasks: Schema.Int,
  uptime_seconds: count,
  last_error_rate: Schema.Finite,
  x: Schema.Finite,
  y: Schema.Finite,
  collapsed: Schema.Boolean,
  last_outbound_at: Schema.NullOr(Schema.String)
})

/** A row of `GET /workspaces`, which only the admin reads. */
export const ListedWorkspace = Schema.Struct({
  ...Workspace.fields,
  last_sample_error: Schema.String,
  current_task: Schema.String,
  workspace_dir: Schema.NullOr(Schema.String),
  budget_limit: Schema.NullOr(Schema.Int),
  monthly_spend: Schema.Int
})

/** Body of `PATCH /workspaces/:id`. Where a workspace stands (`tier`, `parent_id`, `runtime`, `workspace_dir`) is the admin's to change. */
export const PatchWorkspace = Schema.Struct({
  name: Schema.optionalKey(WorkspaceName),
  role: Schema.optionalKey(Schema.NullOr(WorkspaceRole)),
  runtime: Schema.optionalKey(RuntimeName),
  tier: Schema.optionalKey(Schema.Int),
  parent_id: Schema.optionalKey(Schema.NullOr(WorkspaceId)),
  workspace_dir: Schema.optionalKey(Schema.NullOr(Schema.String.check(Schema.isMaxLength(4096)))),
  collapsed: Schema.optionalKey(Schema.Boolean),
  x: Schema.optionalKey(Schema.Finite),
  y: Schema.optionalKey(Schema.Finite)
})

/** Answer of `GET /workspaces/:id/state`: what the agent polls to learn whether it should stop. */
export const WorkspaceState = Schema.Struct({
  workspace_id: WorkspaceId,
  status: WorkspaceStatus,
  paused: Schema.Boolean,
  deleted: Schema.Boolean
})

/** Answer of `DELETE /workspaces/:id`; `cascade_deleted` counts the descendants that went with it. */
export const DeletedWorkspace = Schema.Struct({
  status: Schema.Literals(["removed", "purged"]),
  cascade_deleted: count
})

/** Body of `POST /registry/register`. */
export const RegisterRequest = Schema.Struct({
  id: WorkspaceId,
  url: Schema.NonEmptyString.check(Schema.isMaxLength(2048)),
  agent_card: Schema.Json
})

/** Its answer; `auth_token` only at the first registration of a workspace that never had one. */
export const RegisterResponse = Schema.Struct({
  status: Schema.Literal("registered"),
  auth_token: Schema.optionalKey(Schema.String)
})

/** Body of `POST /registry/heartbeat`; absent numbers count as 0, absent strings as empty. */
export const HeartbeatRequest = Schema.Struct({
  workspace_id: WorkspaceId,
  /** Share of failed requests since the last beat, 0 to 1. */
  error_rate: Schema.optionalKey(Schema.Finite),
  sample_error: Schema.optionalKey(Schema.String),
  active_tasks: Schema.optionalKey(count),
  current_task: Schema.optionalKey(Schema.String),
  uptime_seconds: Schema.optionalKey(count),
  /** `wedged` tells that the agent is up but cannot work. */
  runtime_state: Schema.optionalKey(Schema.String),
  /** US cents; only a positive value is stored. */
  monthly_spend: Schema.optionalKey(Schema.Int),
  runtime_metadata: Schema.optionalKey(
    Schema.Struct({
      capabilities: Schema.optionalKey(Schema.Record(Schema.String, Schema.Boolean)),
      idle_timeout_seconds: Schema.optionalKey(Schema.Int)
    })
  )
})

/** Body of `POST /registry/update-card`. */
export const UpdateCardRequest = Schema.Struct({ workspace_id: WorkspaceId, agent_card: Schema.Json })

/** A workspace that another one may talk to, as `GET /registry/discover/:id` shows it. */
export const Discovered = Schema.Struct({ id: WorkspaceId, url: Schema.String, name: Schema.String })

/** A row of `GET /registry/:id/peers`: siblings, then children, then the parent. */
export const Peer = Schema.Struct({
  ...PublicWorkspace.fields,
  agent_card: Schema.NullOr(Schema.Json),
  url: Schema.String,
  active_tasks: count
})

/** Body and answer of `POST /registry/check-access`. */
export const CheckAccessRequest = Schema.Struct({ caller_id: WorkspaceId, target_id: WorkspaceId })
/** May the caller talk to the target, by the hierarchy? */
export const CheckAccessResponse = Schema.Struct({ allowed: Schema.Boolean })

/** Answer of `POST /workspaces/:id/tokens`: the token in clear, this once. */
export const MintedToken = Schema.Struct({
  auth_token: Schema.String,
  workspace_id: WorkspaceId,
  message: Schema.String
})

/** A live token as `GET /workspaces/:id/tokens` lists it: never the token itself. */
export const TokenInfo = Schema.Struct({
  id: Schema.String,
  prefix: Schema.String,
  created_at: Schema.String,
  last_used_at: Schema.NullOr(Schema.String)
})

/** One page of live tokens, newest first; `count` is the number of rows in the page. */
export const TokenPage = Schema.Struct({ tokens: Schema.Array(TokenInfo), count })

/** Body of `POST /org/tokens`, which may be left out. */
export const MintOrgToken = Schema.Struct({
  /** What the token is for, in a person's words; at most 100 characters. */
  name: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(100)))
})

const orgToken = { id: Schema.String, prefix: Schema.String, name: Schema.optionalKey(Schema.String) }

/** Answer to it: the only time that the token is shown. */
export const MintedOrgToken = Schema.Struct({ ...orgToken, auth_token: Schema.String, warning: Schema.String })

/** A live org token as `GET /org/tokens` lists it. */
export const OrgTokenInfo = Schema.Struct({
  ...orgToken,
  created_by: Schema.String,
  created_at: Schema.String,
  last_used_at: Schema.optionalKey(Schema.String)
})

/** All live org tokens, newest first. */
export const OrgTokenList = Schema.Struct({ tokens: Schema.Array(OrgTokenInfo), count })

const identifier = Schema.NonEmptyString.check(Schema.isMaxLength(255))

/** Body of `POST /workspaces/:id/checkpoints`; a repeat for the same workflow and step replaces. */
export const SaveCheckpoint = Schema.Struct({
  workflow_id: identifier,
  step_name: identifier,
  step_index: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: -2147483648, maximum: 2147483647 }))),
  payload: Schema.optionalKey(Schema.Json)
})

/** Its answer. */
export const SavedCheckpoint = Schema.Struct({
  id: Schema.String,
  workspace_id: WorkspaceId,
  workflow_id: Schema.String,
  step_name: Schema.String
})

/** A checkpoint as it is read back; `completed_at` is the time of its last write, RFC 3339. */
export const CheckpointRow = Schema.Struct({
  ...SavedCheckpoint.fields,
  step_index: Schema.Int,
  completed_at: Schema.String,
  payload: Schema.Json
})

/** Answer of `DELETE /workspaces/:id/checkpoints/:workflowId`. */
export const DeletedCheckpoints = Schema.Struct({ deleted: count, workflow_id: Schema.String })

/** A public key of the platform in JWK form: what a workspace verifies caller tokens with. */
export const JsonWebKey = Schema.Struct({
  kty: Schema.String,
  crv: Schema.optionalKey(Schema.String),
  x: Schema.optionalKey(Schema.String),
  y: Schema.optionalKey(Schema.String),
  kid: Schema.String,
  alg: Schema.String,
  use: Schema.Literal("sig")
})

/** Answer of `GET /.well-known/jwks.json`. */
export const JsonWebKeySet = Schema.Struct({ keys: Schema.Array(JsonWebKey) })
