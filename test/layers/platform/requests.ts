/**
 * A well-formed request for each endpoint.
 *
 * @module
 */
import { type AccessKey, accessTable } from "../../../src/services/platform/Access.ts"
import type { Call } from "./call.ts"

/** Is this the name of an endpoint? */
export const isAccessKey = (key: string): key is AccessKey => Object.hasOwn(accessTable, key)

/** Whom and what the requests are about. */
export interface About {
  readonly subject: string
  readonly target: string
  readonly tokenId: string
  readonly url: string
  /** A live org token, by its id. */
  readonly orgTokenId?: string
  /** An entry of the subject's queue, held with the lease `lease`. */
  readonly entry?: string
  /** Goes into the name of a workspace that is made. */
  readonly purpose: string
}

/** The request, without its bearer. */
export const requestFor = (
  key: AccessKey,
  { purpose, subject, target, tokenId, url, entry = "entry", orgTokenId = "x" }: About
): Call => {
  const own = `/workspaces/${subject}`
  switch (key) {
    case "system.health":
      return { method: "GET", path: "/health" }
    case "system.keys":
      return { method: "GET", path: "/.well-known/jwks.json" }
    case "workspaces.create":
      return { method: "POST", path: "/workspaces", json: { name: `made for ${purpose}` } }
    case "workspaces.list":
      return { method: "GET", path: "/workspaces" }
    case "workspaces.get":
      return { method: "GET", path: own }
    case "workspaces.patch":
      return { method: "PATCH", path: own, json: { name: "renamed" } }
    case "workspaces.delete":
      return { method: "DELETE", path: `${own}?confirm=true` }
    case "workspaces.state":
      return { method: "GET", path: `${own}/state` }
    case "registry.register":
      return { method: "POST", path: "/registry/register", json: { id: subject, url, agent_card: null } }
    case "registry.heartbeat":
      return { method: "POST", path: "/registry/heartbeat", json: { workspace_id: subject, active_tasks: 1 } }
    case "registry.updateCard":
      return { method: "POST", path: "/registry/update-card", json: { workspace_id: subject, agent_card: { a: 1 } } }
    case "registry.discover":
      return { method: "GET", path: `/registry/discover/${target}`, headers: { "x-workspace-id": subject } }
    case "registry.peers":
      return { method: "GET", path: `/registry/${subject}/peers?q=w` }
    case "registry.checkAccess":
      return { method: "POST", path: "/registry/check-access", json: { caller_id: subject, target_id: target } }
    case "tokens.list":
      return { method: "GET", path: `${own}/tokens?limit=5` }
    case "tokens.mint":
      return { method: "POST", path: `${own}/tokens` }
    case "tokens.revoke":
      return { method: "DELETE", path: `${own}/tokens/${tokenId}` }
    case "orgTokens.list":
      return { method: "GET", path: "/org/tokens" }
    case "orgTokens.mint":
      return { method: "POST", path: "/org/tokens", json: { name: `made for ${purpose}` } }
    case "orgTokens.revoke":
      return { method: "DELETE", path: `/org/tokens/${orgTokenId}` }
    case "checkpoints.save":
      return {
        method: "POST",
        path: `${own}/checkpoints`,
        json: { workflow_id: "flow", step_name: "other", payload: { a: 1 } }
      }
    case "checkpoints.latest":
      return { method: "GET", path: `${own}/checkpoints/latest` }
    case "checkpoints.list":
      return { method: "GET", path: `${own}/checkpoints/flow` }
    case "checkpoints.delete":
      return { method: "DELETE", path: `${own}/checkpoints/flow` }
    case "a2a.proxy":
      return {
        method: "POST",
        path: `/workspaces/${target}/a2a`,
        json: { method: "message/send", params: {} },
        headers: { "x-workspace-id": subject }
      }
    case "a2a.restGet":
    case "a2a.restDelete":
      return {
        method: key === "a2a.restGet" ? "GET" : "DELETE",
        path: `/workspaces/${target}/a2a/tasks/t-1`,
        headers: { "x-workspace-id": subject }
      }
    case "a2a.restPost":
      return {
        method: "POST",
        path: `/workspaces/${target}/a2a/message:send`,
        json: { message: { parts: [] } },
        headers: { "x-workspace-id": subject }
      }
    case "inbox.pull":
      return { method: "GET", path: `${own}/a2a/queue` }
    case "inbox.renew":
      return { method: "POST", path: `${own}/a2a/queue/${entry}/lease`, json: { lease: "lease" } }
    case "inbox.answer":
      return {
        method: "POST",
        path: `${own}/a2a/queue/${entry}/answer`,
        json: { lease: "lease", sequence: 0, status: 200, body: "{}" }
      }
    case "inbox.activity":
      return { method: "GET", path: `${own}/activity?type=a2a_receive&limit=5` }
    case "inbox.notify":
      return { method: "POST", path: `${own}/notify`, json: { message: "hello" } }
  }
}
