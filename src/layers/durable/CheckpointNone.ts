/**
 * No checkpoints outside: for an agent that has its disk, and no platform.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Checkpoint, SavedStep } from "../../services/durable/Checkpoint.ts"
import * as CheckpointRules from "./checkpointRules.ts"

/**
 * Takes checkpoints and keeps none, so that what waits to be sent does not pile up. It refuses what every store refuses;
 * there is nothing to list or to restore. An agent whose disk is lost has lost its tasks.
 */
export const layer = Layer.succeed(
  Checkpoint,
  Checkpoint.of({
    save: Effect.fn("Checkpoint.save")(function* (input) {
      const accepted = yield* CheckpointRules.accept(input)
      return new SavedStep({ ...accepted, id: "none", completedAt: yield* DateTime.now })
    }),
    latest: Effect.fn("Checkpoint.latest")(() => Effect.succeedNone),
    list: Effect.fn("Checkpoint.list")(() => Effect.succeed([])),
    clear: Effect.fn("Checkpoint.clear")(() => Effect.succeed(0))
  })
)
