/**
 * Steps that were completed before the disk was lost: what an activity asks before it runs its own.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import { Checkpoint } from "../../services/durable/Checkpoint.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"

/** Between two attempts to read the checkpoints: a step whose result may be known must not run. */
const retrySchedule = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** What the checkpoints of restored tasks say. */
export interface RestoredSteps {
  /** The encoded exit of a step, if there is a checkpoint of it. The task's checkpoints are read once. */
  readonly step: (taskId: string, name: string) => Effect.Effect<Option.Option<Schema.Json>>
  /** The task has ended: its steps are not asked for any more. */
  readonly forget: (taskId: string) => void
}

/**
 * Makes the look-up on the `Checkpoint` in context. It knows no engine: ask it inside the activity, and the engine keeps
 * what it answers as the activity's result.
 */
export const make = Effect.gen(function* () {
  const checkpoint = yield* Checkpoint
  const { workspaceId } = yield* PlatformConfig
  const tasks = new Map<string, ReadonlyMap<string, Schema.Json>>()

  const read = Effect.fnUntraced(function* (taskId: string) {
    const steps = yield* checkpoint.list(workspaceId, CheckpointEntries.stepsOf(taskId)).pipe(
      Effect.tapError((error) => Effect.logWarning("restored steps not read yet", { taskId, detail: error.message })),
      Effect.retry(retrySchedule),
      Effect.orDie
    )
    const known = new Map(steps.map(({ payload, stepName }) => [stepName, payload] as const))
    tasks.set(taskId, known)
    return known
  })

  const restored: RestoredSteps = {
    step: Effect.fnUntraced(function* (taskId: string, name: string) {
      const known = tasks.get(taskId) ?? (yield* read(taskId))
      return Option.fromUndefinedOr(known.get(name))
    }),
    forget: (taskId) => {
      tasks.delete(taskId)
    }
  }
  return restored
})
