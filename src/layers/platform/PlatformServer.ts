/**
 * All routes of the platform, served on whatever `HttpServer` there is.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import * as A2AProxyHttp from "./A2AProxyHttp.ts"
import * as AuthorizationHttp from "./AuthorizationHttp.ts"
import * as CheckpointsHttp from "./CheckpointsHttp.ts"
import * as OrgTokensHttp from "./OrgTokensHttp.ts"
import * as RegistryHttp from "./RegistryHttp.ts"
import * as RelayInboxHttp from "./RelayInboxHttp.ts"
import * as RequestErrorsHttp from "./RequestErrorsHttp.ts"
import * as RequestFrame from "./requestFrame.ts"
import * as SystemHttp from "./SystemHttp.ts"
import * as TokensHttp from "./TokensHttp.ts"
import * as WorkspacesHttp from "./WorkspacesHttp.ts"

const Handlers = Layer.mergeAll(
  SystemHttp.layer,
  WorkspacesHttp.layer,
  RegistryHttp.layer,
  TokensHttp.layer,
  OrgTokensHttp.layer,
  CheckpointsHttp.layer,
  A2AProxyHttp.layer,
  RelayInboxHttp.layer
).pipe(Layer.provide(Layer.mergeAll(AuthorizationHttp.layer, RequestErrorsHttp.layer)))

const Api = HttpApiBuilder.layer(PlatformApi, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers))

// The page carries its script: it works without a network.
const Docs = HttpApiScalar.layer(PlatformApi, { path: "/docs" })

/**
 * The routes, for a router of your own.
 *
 * **Gotchas**
 *
 * The router must be strict as in {@link layer}: this API tells `/x` from `/x/` and from `/X`, and its ids in paths may be
 * long.
 */
export const routes = Layer.mergeAll(Api, Docs, RequestFrame.layer)

/**
 * The platform on the `HttpServer` at hand.
 *
 * **Details**
 *
 * Needs the stores (`WorkspaceStore`, `TokenStore`, `OrgTokenStore`, `RelayQueue`, `Checkpoint`), the secrets (`AdminToken`, `CallerTokenSigner`), the way
 * out (`AddressPolicy`, `AgentTransport`), `RateLimit`, `SecureRandom`, `PlatformSettings`, and the server with its
 * services (`NodeHttpServer.layer`). All but the last two come together in `PlatformEmbedded`.
 */
export const layer = HttpRouter.serve(routes, {
  disableLogger: true,
  disableListenLog: true,
  routerConfig: {
    caseSensitive: true,
    ignoreTrailingSlash: false,
    ignoreDuplicateSlashes: false,
    // A workflow's id may have 255 characters.
    maxParamLength: 1024
  }
})
