/**
 * Workspaces: create, list, get, patch, delete, state.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { AddressPolicy } from "../../services/platform/AddressPolicy.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { ConfirmationRequired, Forbidden, Gone, NotFound } from "../../services/platform/PlatformErrors.ts"
import { CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import type { CreateWorkspace, PatchWorkspace, PublicWorkspace } from "../../services/platform/PlatformSchemas.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { TokenStore } from "../../services/platform/TokenStore.ts"
import { type WorkspaceRecord, WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import * as Connection from "./connection.ts"
import { badField, unavailable } from "./httpAnswers.ts"

const defaultTier = 3

// Where a system keeps itself: never an agent's folder.
const systemFolder = /^\/(etc|var|proc|sys|dev|boot|sbin|bin|lib|usr)(\/|$)/

const directoryProblem = (path: string) => {
  if (!path.startsWith("/")) return "must be an absolute path"
  if (path.split("/").includes("..")) return "must not contain .."
  if (path.includes("\0")) return "must not contain a NUL character"
  return systemFolder.test(path.replace(/\/+/g, "/").replace(/\/\.(?=\/|$)/g, ""))
    ? "must not be a system folder"
    : undefined
}
const checkDirectory = (path: string | null | undefined) => {
  const problem = path === null || path === undefined || path === "" ? undefined : directoryProblem(path)
  return problem === undefined
    ? Effect.void
    : Effect.fail(badField("invalid workspace directory", "workspace_dir", problem))
}

const publicView = ({ id, name, parent_id, role, status, tier }: WorkspaceRecord): typeof PublicWorkspace.Type => ({
  id,
  name,
  role,
  tier,
  status,
  parent_id
})

const adminFields = ["tier", "parent_id", "runtime", "workspace_dir"] as const

// A field counts as a change only if it differs: clients send back what they have read.
const forbiddenChange = (record: WorkspaceRecord, payload: typeof PatchWorkspace.Type) =>
  adminFields.find((field) => payload[field] !== undefined && payload[field] !== record[field])

const unknown = () => new NotFound({ error: "workspace not found" })

const platformUrl = (externalUrl: string | undefined, request: HttpServerRequest.HttpServerRequest) =>
  externalUrl ?? `http://${request.headers["host"] ?? "localhost"}`

const newWorkspace = (payload: typeof CreateWorkspace.Type) => ({
  name: payload.name,
  role: payload.role ?? null,
  tier: payload.tier === undefined || payload.tier === 0 ? defaultTier : payload.tier,
  url: payload.url ?? "",
  parent_id: payload.parent_id ?? null,
  workspace_dir: payload.workspace_dir === "" ? null : (payload.workspace_dir ?? null),
  workspace_access: payload.workspace_access ?? "none",
  budget_limit: payload.budget_limit ?? null,
  max_concurrent_tasks: Math.max(1, payload.max_concurrent_tasks ?? 1),
  x: payload.canvas?.x ?? 0,
  y: payload.canvas?.y ?? 0
})

/** The handlers of the group `workspaces`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "workspaces",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* WorkspaceStore
    const tokens = yield* TokenStore
    const addresses = yield* AddressPolicy
    const settings = yield* PlatformSettings
    const list = Effect.catchTag(store.list, "StoreUnavailable", unavailable)

    return handlers.handleAll({
      create: Effect.fnUntraced(
        function* ({ payload, request }) {
          yield* checkDirectory(payload.workspace_dir)
          const workspace = newWorkspace(payload)
          if (workspace.workspace_access !== "none" && workspace.workspace_dir === null) {
            return yield* badField("invalid workspace access", "workspace_access", "needs a workspace_dir")
          }
          if (workspace.url !== "") yield* addresses.check(workspace.url)
          // With a URL the agent gets its token at its first registration; without, its operator gets it now.
          const token = workspace.url === "" ? yield* tokens.generate : undefined
          const { id, status } = yield* store.create(workspace, token?.record)
          const connection =
            token === undefined
              ? undefined
              : { connection: Connection.describe(platformUrl(settings.externalUrl, request), id, token.token) }
          return { id, external: true, status, ...connection }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          AddressRefused: ({ detail }) => Effect.fail(badField("invalid workspace URL", "url", detail)),
          ParentRefused: ({ detail }) => Effect.fail(badField("invalid parent_id", "parent_id", detail))
        })
      ),

      list: () => list,

      get: Effect.fnUntraced(
        function* ({ params }) {
          const caller = yield* CurrentCaller
          const found = yield* store.find(params.id)
          if (Option.isNone(found)) return yield* unknown()
          return caller._tag === "Anonymous" ? publicView(found.value) : found.value
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      ),

      patch: Effect.fnUntraced(
        function* ({ params, payload }) {
          const caller = yield* CurrentCaller
          const found = yield* store.find(params.id)
          if (Option.isNone(found)) return yield* unknown()
          const forbidden = caller._tag === "Admin" ? undefined : forbiddenChange(found.value, payload)
          if (forbidden !== undefined) {
            return yield* new Forbidden({ error: `${forbidden} is the admin's to change` })
          }
          yield* checkDirectory(payload.workspace_dir)
          const place = payload.x === undefined || payload.y === undefined ? undefined : { x: payload.x, y: payload.y }
          yield* store.patch(params.id, {
            name: payload.name,
            role: payload.role,
            tier: payload.tier,
            parent_id: payload.parent_id,
            workspace_dir: payload.workspace_dir === "" ? null : payload.workspace_dir,
            collapsed: payload.collapsed,
            ...place
          })
          const restart = payload.workspace_dir === undefined ? undefined : { needs_restart: true }
          return { status: "updated" as const, ...restart }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          UnknownWorkspace: () => Effect.fail(unknown()),
          ParentRefused: ({ detail }) => Effect.fail(badField("invalid parent_id", "parent_id", detail))
        })
      ),

      delete: Effect.fnUntraced(
        function* ({ params, query }) {
          const purge = query.purge === "true"
          const cascaded = yield* store.remove(params.id, { cascade: query.confirm === "true", purge })
          yield* Effect.logInfo("workspace deleted", { id: params.id, descendants: cascaded, purge })
          return { status: purge ? ("purged" as const) : ("removed" as const), cascade_deleted: cascaded }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          UnknownWorkspace: () => Effect.fail(unknown()),
          HasChildren: ({ children }) =>
            Effect.fail(
              new ConfirmationRequired({
                status: "confirmation_required",
                message: "This workspace has sub-workspaces. Delete with ?confirm=true to cascade delete.",
                children,
                children_count: children.length
              })
            )
        })
      ),

      state: Effect.fnUntraced(
        function* ({ params }) {
          const found = yield* store.find(params.id)
          if (Option.isNone(found)) return yield* new Gone({ workspace_id: params.id, deleted: true })
          const { status } = found.value
          if (status === "removed") return yield* new Gone({ workspace_id: params.id, status, deleted: true })
          return { workspace_id: params.id, status, paused: status === "paused", deleted: false }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      )
    })
  })
)
