/**
 * Calls that change a task, on a disk that may be full.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { TaskStore } from "../../services/durable/TaskStore.ts"

/**
 * Makes what lets a call fail while the store cannot be written to, instead of waiting for the disk.
 *
 * **Details**
 *
 * A call that was begun is brought to its end in the given scope, whoever goes away meanwhile. Where the disk is found
 * full only then, its caller is told so, too, and it comes about when there is room, if the process lives until then: the
 * same call again is safe.
 */
export const make = (store: TaskStore["Service"], scope: Scope.Scope) => {
  const first = Effect.raceFirst(store.refusal, Effect.yieldNow)
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.andThen(
      first,
      Effect.flatMap(Effect.forkIn(Effect.uninterruptible(effect), scope), (fiber) =>
        Effect.raceFirst(Fiber.join(fiber), store.refusal)
      )
    )
}
