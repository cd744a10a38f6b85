/**
 * Where the commands of `a2a` are run: HTTP, and the workspace beside which they are.
 *
 * @module
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as ContainerNode from "../layers/workspace/ContainerNode.ts"
import * as CredentialsReadOnly from "../layers/workspace/CredentialsReadOnly.ts"
import * as PlatformConfigEnv from "../layers/workspace/PlatformConfigEnv.ts"
import { WorkspaceCommandFailed } from "./a2aErrors.ts"

/** HTTP. Connections are kept for the next request, and go with the program. */
export const http = (insecure: boolean) =>
  NodeHttpClient.layerNodeHttpNoAgent.pipe(
    Layer.provide(NodeHttpClient.layerAgentOptions({ keepAlive: true, rejectUnauthorized: !insecure }))
  )

/** The workspace, by the environment, and its token. */
export const layer = CredentialsReadOnly.layer.pipe(
  Layer.provideMerge(PlatformConfigEnv.layer),
  Layer.provide(ContainerNode.layer)
)

const isOwn = Schema.is(WorkspaceCommandFailed)

/** Any failure as one of a command among workspaces: its message is all that is printed. */
export const failure = (error: { readonly message: string }): WorkspaceCommandFailed =>
  isOwn(error) ? error : new WorkspaceCommandFailed({ message: error.message })
