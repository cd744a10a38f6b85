/**
 * Finds the agents that have fallen silent.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"

/**
 * Sets to `offline` who was not heard of for `offlineAfter`, looking every `sweepInterval`.
 *
 * **Details**
 *
 * The first look comes `offlineAfter` after the start: while the platform was down nobody could be heard. A look that
 * fails is logged, and the next one comes as usual.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const store = yield* WorkspaceStore
    const { offlineAfter, sweepInterval } = yield* PlatformSettings

    const sweep = Effect.gen(function* () {
      const now = yield* DateTime.now
      const gone = yield* store.silence(DateTime.subtractDuration(now, offlineAfter))
      if (gone.length > 0) {
        yield* Effect.logWarning("no heartbeat: now offline", {
          workspaces: gone,
          seconds: Duration.toSeconds(offlineAfter)
        })
      }
    }).pipe(Effect.catch((error) => Effect.logError("could not look for silent workspaces", error)))

    yield* sweep.pipe(Effect.repeat(Schedule.spaced(sweepInterval)), Effect.delay(offlineAfter), Effect.forkScoped)
  })
)
