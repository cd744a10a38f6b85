/**
 * `PlatformConfig` from fixed values, for tests and for apps that configure themselves.
 *
 * @module
 */
import * as Layer from "effect/Layer"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

/** The values as given. */
export const layer = (values: PlatformConfig["Service"]) => Layer.succeed(PlatformConfig, values)

/** A workspace without a platform: nothing answers at its URL, and nothing can be written at its path. */
export const layerTest = layer({
  platformUrl: "http://platform.invalid",
  workspaceId: WorkspaceId.make("00000000-0000-4000-8000-000000000000"),
  stateDirectory: "/dev/null/molecule"
})
