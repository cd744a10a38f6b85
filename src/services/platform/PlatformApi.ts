/**
 * The platform's HTTP API, declared once: the embedded server, the client and the OpenAPI page are derived from it.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"
import { Authorization, RequestErrors } from "./PlatformMiddleware.ts"
import {
  BadGateway,
  BadRequest,
  ConfirmationRequired,
  Forbidden,
  GatewayTimeout,
  LeaseLost,
  LoopDetected,
  NoLonger,
  NotAvailable,
  NotFound,
  PayloadTooLarge,
  PlatformUnavailable,
  TooMany
} from "./PlatformErrors.ts"
import {
  CheckAccessRequest,
  CheckAccessResponse,
  CheckpointRow,
  CreatedWorkspace,
  CreateWorkspace,
  DeletedCheckpoints,
  DeletedWorkspace,
  Discovered,
  HeartbeatRequest,
  JsonWebKeySet,
  ListedWorkspace,
  MintedOrgToken,
  MintedToken,
  MintOrgToken,
  OrgTokenList,
  PatchWorkspace,
  RegisterRequest,
  RegisterResponse,
  SaveCheckpoint,
  SavedCheckpoint,
  TokenPage,
  UpdateCardRequest,
  WorkspaceState
} from "./PlatformSchemas.ts"

import { access, getWorkspace, listPeers } from "./TeamApi.ts"
import { ActivityRow, AnswerPart, LeaseHeld, NotifyRequest, PulledEntries, RenewLease } from "./RelaySchemas.ts"

const workspacePath = { id: WorkspaceId }
const status = <Value extends string>(value: Value) => Schema.Struct({ status: Schema.Literal(value) })
const flag = Schema.optionalKey(Schema.Literals(["true", "false"]))
const decimal = Schema.optionalKey(Schema.String)

class System extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("health", "/health", { success: status("ok") }).annotateMerge(access("system.health")),
    HttpApiEndpoint.get("keys", "/.well-known/jwks.json", {
      success: JsonWebKeySet,
      error: PlatformUnavailable
    }).annotateMerge(access("system.keys"))
  )
  .annotateMerge(OpenApi.annotations({ title: "System", description: "Liveness and the platform's public keys" })) {}

class Workspaces extends HttpApiGroup.make("workspaces")
  .add(
    HttpApiEndpoint.post("create", "/workspaces", {
      payload: CreateWorkspace,
      success: CreatedWorkspace.pipe(HttpApiSchema.status(201)),
      error: BadRequest
    }).annotateMerge(access("workspaces.create")),
    HttpApiEndpoint.get("list", "/workspaces", { success: Schema.Array(ListedWorkspace) }).annotateMerge(
      access("workspaces.list")
    ),
    getWorkspace,
    HttpApiEndpoint.patch("patch", "/workspaces/:id", {
      params: workspacePath,
      payload: PatchWorkspace,
      success: Schema.Struct({ status: Schema.Literal("updated"), needs_restart: Schema.optionalKey(Schema.Boolean) }),
      error: [BadRequest, Forbidden, NotFound]
    }).annotateMerge(access("workspaces.patch")),
    HttpApiEndpoint.delete("delete", "/workspaces/:id", {
      params: workspacePath,
      query: { confirm: flag, purge: flag },
      success: DeletedWorkspace,
      error: [NotFound, ConfirmationRequired]
    }).annotateMerge(access("workspaces.delete")),
    HttpApiEndpoint.get("state", "/workspaces/:id/state", {
      params: workspacePath,
      success: WorkspaceState
    }).annotateMerge(access("workspaces.state"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Workspaces", description: "The agents that the platform knows" })) {}

class RegistryGroup extends HttpApiGroup.make("registry")
  .add(
    HttpApiEndpoint.post("register", "/registry/register", {
      payload: RegisterRequest,
      success: RegisterResponse,
      error: BadRequest
    }).annotateMerge(access("registry.register")),
    HttpApiEndpoint.post("heartbeat", "/registry/heartbeat", {
      payload: HeartbeatRequest,
      success: status("ok")
    }).annotateMerge(access("registry.heartbeat")),
    HttpApiEndpoint.post("updateCard", "/registry/update-card", {
      payload: UpdateCardRequest,
      success: status("updated")
    }).annotateMerge(access("registry.updateCard")),
    HttpApiEndpoint.get("discover", "/registry/discover/:id", {
      params: workspacePath,
      headers: { "x-workspace-id": WorkspaceId },
      success: Discovered,
      error: [Forbidden, NotFound, NotAvailable]
    }).annotateMerge(access("registry.discover")),
    listPeers,
    HttpApiEndpoint.post("checkAccess", "/registry/check-access", {
      payload: CheckAccessRequest,
      success: CheckAccessResponse
    }).annotateMerge(access("registry.checkAccess"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Registry", description: "Who is here, and who may talk to whom" })) {}

class Tokens extends HttpApiGroup.make("tokens")
  .add(
    HttpApiEndpoint.get("list", "/workspaces/:id/tokens", {
      params: workspacePath,
      query: { limit: decimal, offset: decimal },
      success: TokenPage
    }).annotateMerge(access("tokens.list")),
    HttpApiEndpoint.post("mint", "/workspaces/:id/tokens", {
      params: workspacePath,
      success: MintedToken.pipe(HttpApiSchema.status(201)),
      error: [NotFound, TooMany]
    }).annotateMerge(access("tokens.mint")),
    HttpApiEndpoint.delete("revoke", "/workspaces/:id/tokens/:tokenId", {
      params: { ...workspacePath, tokenId: Schema.NonEmptyString },
      success: status("revoked"),
      error: NotFound
    }).annotateMerge(access("tokens.revoke"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Tokens", description: "The bearer tokens of one workspace" })) {}

class OrgTokens extends HttpApiGroup.make("orgTokens")
  .add(
    HttpApiEndpoint.get("list", "/org/tokens", { success: OrgTokenList }).annotateMerge(access("orgTokens.list")),
    HttpApiEndpoint.post("mint", "/org/tokens", {
      payload: [Schema.Null, MintOrgToken],
      success: MintedOrgToken,
      error: TooMany
    }).annotateMerge(access("orgTokens.mint")),
    HttpApiEndpoint.delete("revoke", "/org/tokens/:id", {
      params: { id: Schema.NonEmptyString },
      success: Schema.Struct({ revoked: Schema.String }),
      error: NotFound
    }).annotateMerge(access("orgTokens.revoke"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Org tokens", description: "Tokens that may do what the admin may" })) {}

class Checkpoints extends HttpApiGroup.make("checkpoints")
  .add(
    HttpApiEndpoint.post("save", "/workspaces/:id/checkpoints", {
      params: workspacePath,
      payload: SaveCheckpoint,
      success: SavedCheckpoint.pipe(HttpApiSchema.status(201)),
      error: [NotFound, TooMany]
    }).annotateMerge(access("checkpoints.save")),
    HttpApiEndpoint.get("latest", "/workspaces/:id/checkpoints/latest", {
      params: workspacePath,
      success: CheckpointRow,
      error: NotFound
    }).annotateMerge(access("checkpoints.latest")),
    HttpApiEndpoint.get("list", "/workspaces/:id/checkpoints/:workflowId", {
      params: { ...workspacePath, workflowId: Schema.NonEmptyString },
      success: Schema.Array(CheckpointRow),
      error: NotFound
    }).annotateMerge(access("checkpoints.list")),
    HttpApiEndpoint.delete("delete", "/workspaces/:id/checkpoints/:workflowId", {
      params: { ...workspacePath, workflowId: Schema.NonEmptyString },
      success: DeletedCheckpoints,
      error: NotFound
    }).annotateMerge(access("checkpoints.delete"))
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Checkpoints", description: "How far each task of a workspace has come" })
  ) {}

const relayHeaders = { "x-workspace-id": Schema.optionalKey(WorkspaceId) }
// The router takes this for one segment, with or without more behind it.
const agentPath = { ...workspacePath, path: Schema.NonEmptyString }
const relayErrors = [
  BadRequest,
  Forbidden,
  NotFound,
  TooMany,
  BadGateway,
  NotAvailable,
  GatewayTimeout,
  LoopDetected
] as const

class A2AProxy extends HttpApiGroup.make("a2a")
  .add(
    HttpApiEndpoint.post("proxy", "/workspaces/:id/a2a", {
      params: workspacePath,
      headers: relayHeaders,
      payload: Schema.Json,
      success: Schema.Json,
      error: relayErrors
    }).annotateMerge(access("a2a.proxy")),
    HttpApiEndpoint.get("restGet", "/workspaces/:id/a2a/:path/*", {
      params: agentPath,
      headers: relayHeaders,
      success: Schema.Json,
      error: relayErrors
    }).annotateMerge(access("a2a.restGet")),
    HttpApiEndpoint.post("restPost", "/workspaces/:id/a2a/:path/*", {
      params: agentPath,
      headers: relayHeaders,
      payload: Schema.Json,
      success: Schema.Json,
      error: relayErrors
    }).annotateMerge(access("a2a.restPost")),
    HttpApiEndpoint.delete("restDelete", "/workspaces/:id/a2a/:path/*", {
      params: agentPath,
      headers: relayHeaders,
      success: Schema.Json,
      error: relayErrors
    }).annotateMerge(access("a2a.restDelete"))
  )
  .annotateMerge(OpenApi.annotations({ title: "A2A", description: "A message from one workspace to another" })) {}

const entryPath = { ...workspacePath, entry: Schema.NonEmptyString }

class RelayInbox extends HttpApiGroup.make("inbox")
  .add(
    HttpApiEndpoint.get("pull", "/workspaces/:id/a2a/queue", {
      params: workspacePath,
      query: { wait: decimal, limit: decimal },
      success: PulledEntries
    }).annotateMerge(access("inbox.pull")),
    HttpApiEndpoint.post("renew", "/workspaces/:id/a2a/queue/:entry/lease", {
      params: entryPath,
      payload: RenewLease,
      success: LeaseHeld,
      error: [LeaseLost, NoLonger]
    }).annotateMerge(access("inbox.renew")),
    HttpApiEndpoint.post("answer", "/workspaces/:id/a2a/queue/:entry/answer", {
      params: entryPath,
      payload: AnswerPart,
      success: LeaseHeld,
      error: [LeaseLost, NoLonger, PayloadTooLarge]
    }).annotateMerge(access("inbox.answer")),
    HttpApiEndpoint.get("activity", "/workspaces/:id/activity", {
      params: workspacePath,
      query: {
        type: Schema.optionalKey(Schema.String),
        source: Schema.optionalKey(Schema.String),
        limit: decimal,
        since_id: Schema.optionalKey(Schema.String),
        peer_id: Schema.optionalKey(Schema.String),
        before_ts: Schema.optionalKey(Schema.String)
      },
      success: Schema.Array(ActivityRow),
      error: [BadRequest, NoLonger]
    }).annotateMerge(access("inbox.activity")),
    HttpApiEndpoint.post("notify", "/workspaces/:id/notify", {
      params: workspacePath,
      payload: NotifyRequest,
      success: status("sent"),
      error: NotFound
    }).annotateMerge(access("inbox.notify"))
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Inbox", description: "For agents that come for their messages: docs/relay.md" })
  ) {}

/**
 * The platform's API: what its real counterpart serves of sections 1 to 6 of the specification, with the holes closed.
 *
 * **Details**
 *
 * Who may call what stands in {@link accessTable} and nowhere else: the authorisation middleware reads it, the OpenAPI
 * page quotes it, and a test tries every line of it over HTTP.
 *
 * **Example**
 *
 * ```ts
 * const client = yield* PlatformClient
 * const peers = yield* client.registry.peers({ params: { id }, query: {} })
 * ```
 */
export class PlatformApi extends HttpApi.make("molecule-platform")
  .add(System)
  .add(Workspaces)
  .add(RegistryGroup)
  .add(Tokens)
  .add(OrgTokens)
  .add(Checkpoints)
  .add(A2AProxy)
  .add(RelayInbox)
  .middleware(Authorization)
  .middleware(RequestErrors)
  // A 400 names every field that is wrong, not just the first.
  .annotate(HttpApi.PayloadParseOptions, { errors: "all" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Molecule platform",
      version: "0.1.0",
      description: "The control plane of a team of agent workspaces, embedded."
    })
  ) {}
