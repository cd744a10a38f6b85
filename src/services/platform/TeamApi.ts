/**
 * The part of the platform's API that a workspace asks about its team, for programs that have no time for the rest.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as OpenApi from "effect/http-api/OpenApi"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"
import { type AccessKey, describeAccess } from "./Access.ts"
import { NotFound } from "./PlatformErrors.ts"
import { Authorization, RequestErrors } from "./PlatformMiddleware.ts"
import { Peer, PublicWorkspace, Workspace } from "./PlatformSchemas.ts"

/** Who may call an endpoint, as its description. */
export const access = (key: AccessKey) => OpenApi.annotations({ description: describeAccess(key) })

/** A workspace: whole for those who may see that, otherwise what all may see. */
export const getWorkspace = HttpApiEndpoint.get("get", "/workspaces/:id", {
  params: { id: WorkspaceId },
  success: [Workspace, PublicWorkspace],
  error: NotFound
}).annotateMerge(access("workspaces.get"))

/** The workspaces that one may talk to. */
export const listPeers = HttpApiEndpoint.get("peers", "/registry/:id/peers", {
  params: { id: WorkspaceId },
  query: { q: Schema.optionalKey(Schema.String) },
  success: Schema.Array(Peer),
  error: NotFound
}).annotateMerge(access("registry.peers"))

/** The two alone; `PlatformApi` has them among all others. */
export class TeamApi extends HttpApi.make("molecule-team")
  .add(HttpApiGroup.make("workspaces").add(getWorkspace))
  .add(HttpApiGroup.make("registry").add(listPeers))
  .middleware(Authorization)
  .middleware(RequestErrors) {}

/** The client of {@link TeamApi}, as `PlatformClient` is of the whole. */
export class TeamClient extends Context.Service<TeamClient, HttpApiClient.ForApi<typeof TeamApi>>()(
  "molecule-effect/services/platform/TeamApi/TeamClient"
) {}
