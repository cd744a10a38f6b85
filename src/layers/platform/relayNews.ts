/**
 * Who waits for news, of what: in memory, beside the queue on disk.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"

const Untold = Context.Reference<Array<() => void> | undefined>("molecule-effect/layers/platform/relayNews/Untold", {
  defaultValue: () => undefined
})

/** Tells something when the transaction has been committed: whoever looks before would find what was there before. */
export const afterwards = (tell: () => void): Effect.Effect<void> =>
  Effect.map(Untold, (untold) => {
    if (untold === undefined) tell()
    else untold.push(tell)
  })

/** A transaction, and behind it what is to be told {@link afterwards}. */
export const telling =
  (transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const untold: Array<() => void> = []
      return Effect.onExit(transaction(Effect.provideService(effect, Untold, untold)), (exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) for (const tell of untold) tell()
        })
      )
    })

/**
 * News by key.
 *
 * **Details**
 *
 * What `subscribe` answers waits for the first news since it was last asked; none is lost between two questions, and many
 * are one. Whoever subscribes before he reads the state misses nothing.
 */
export const make = () => {
  const latches = new Map<string, Set<Latch.Latch>>()

  const remove = (key: string, latch: Latch.Latch) => {
    const all = latches.get(key)
    all?.delete(latch)
    if (all?.size === 0) latches.delete(key)
  }

  return {
    tell: (key: string): void => {
      for (const latch of latches.get(key) ?? []) latch.openUnsafe()
    },
    /** Whether anyone is subscribed. */
    has: (key: string): boolean => latches.has(key),
    subscribe: (key: string): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => {
            const latch = Latch.makeUnsafe()
            const all = latches.get(key)
            if (all === undefined) latches.set(key, new Set([latch]))
            else all.add(latch)
            return latch
          }),
          (latch) => Effect.sync(() => remove(key, latch))
        ),
        (latch) => Effect.andThen(latch.await, latch.close)
      )
  }
}
