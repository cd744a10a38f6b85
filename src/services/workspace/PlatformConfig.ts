/**
 * Where the platform is, who this workspace is, and where its state lives.
 *
 * @module
 */
import * as Context from "effect/Context"
import type { WorkspaceId } from "./WorkspaceId.ts"

/**
 * The one place that knows the platform's URL.
 *
 * **Details**
 *
 * The URL comes from `PLATFORM_URL`, or else from the place we are in (see {@link defaultPlatformUrl}); `layers/workspace`
 * holds the layer that reads the environment and the one that takes fixed values. Nothing falls back by itself: a
 * malformed value is a `ConfigError` that names the variable and the value.
 *
 * **Example**
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const { platformUrl, workspaceId } = yield* PlatformConfig
 *   yield* Effect.log(`workspace ${workspaceId} reports to ${platformUrl}`)
 * })
 * ```
 */
export class PlatformConfig extends Context.Service<
  PlatformConfig,
  {
    /** Base URL of the platform: http or https, no trailing slash. */
    readonly platformUrl: string
    /** This workspace's id, from `WORKSPACE_ID`; it has no default. */
    readonly workspaceId: WorkspaceId
    /** Absolute path of the directory that holds this workspace's state (`MOLECULE_STATE_DIR`, else `~/.molecule/<id>`). */
    readonly stateDirectory: string
  }
>()("molecule-effect/services/workspace/PlatformConfig") {}

/**
 * The platform's address where `PLATFORM_URL` is not set, as a function of where we are.
 *
 * **Details**
 *
 * Inside a container `localhost` is the container itself, so the host is reached as `host.docker.internal`. Outside one
 * the same default holds, so that no caller silently talks to the wrong address; a layer may give others.
 */
export interface DefaultPlatformUrl {
  /** Used when the container check says yes. */
  readonly inContainer: string
  /** Used when it says no. */
  readonly onHost: string
}

/** Both defaults of the original runtime (design.md §3): `http://host.docker.internal:8080`. */
export const defaultPlatformUrl: DefaultPlatformUrl = {
  inContainer: "http://host.docker.internal:8080",
  onHost: "http://host.docker.internal:8080"
}
