/**
 * What stands before every endpoint of the platform: who is calling, and is the request well formed.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import type { WorkspaceId } from "../workspace/WorkspaceId.ts"
import {
  BadRequest,
  Forbidden,
  Gone,
  PayloadTooLarge,
  PlatformUnavailable,
  TooMany,
  Unauthorized
} from "./PlatformErrors.ts"

/**
 * Who calls, after {@link Authorization} has let the request in: the admin (`by` is `admin-token`, or `org-token:` and the
 * beginning of the token), a workspace with a live token of its own, or
 * nobody in particular (`anonymous`: only where the access table says so).
 */
export type Caller =
  | { readonly _tag: "Admin"; readonly by: string }
  | { readonly _tag: "Workspace"; readonly workspaceId: WorkspaceId; readonly tokenId: string }
  | { readonly _tag: "Anonymous" }

/** The caller of the request in hand. */
export class CurrentCaller extends Context.Service<CurrentCaller, Caller>()(
  "molecule-effect/services/platform/PlatformMiddleware/CurrentCaller"
) {}

/** Authorises every request by the access table, before its body is looked at by anyone else. */
export class Authorization extends HttpApiMiddleware.Service<
  Authorization,
  { provides: CurrentCaller; requires: never }
>()("molecule-effect/services/platform/PlatformMiddleware/Authorization", {
  security: { bearer: HttpApiSecurity.bearer },
  error: [PlatformUnavailable, Unauthorized, Forbidden, Gone, BadRequest, TooMany]
}) {}

/** Turns a request that does not fit its schema into the route's 400, naming the fields. */
export class RequestErrors extends HttpApiMiddleware.Service<RequestErrors>()(
  "molecule-effect/services/platform/PlatformMiddleware/RequestErrors",
  { error: [BadRequest, PayloadTooLarge] }
) {}
