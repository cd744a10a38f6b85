/**
 * All that a workspace derives from its journal.
 *
 * @module
 */
import * as CheckpointProjection from "./checkpointProjection.ts"
import type { Projection } from "./projection.ts"
import * as PushProjection from "./pushProjection.ts"
import * as TaskProjection from "./taskProjection.ts"

/** Every program that opens a workspace's journal opens it with these. */
export const all: ReadonlyArray<Projection> = [
  TaskProjection.projection,
  CheckpointProjection.projection,
  PushProjection.projection
]
