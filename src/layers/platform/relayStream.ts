/**
 * Event streams on their way through the platform: bounded by their readers.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** An open stream, as the sweep sees it. */
interface Open {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Whether it waits for its reader; otherwise for the next piece. */
  held: boolean
  /** Sweeps since it was handed a piece. */
  idle: number
}

/** Parts of the limit: how exactly it is kept. */
const sweepsIn = 4

/**
 * Makes what looks after streams.
 *
 * **Details**
 *
 * A piece is pulled when the one before has been taken, so a slow reader holds back the agent and costs one piece. One
 * that has taken nothing for `stall`, though there was something, is let go: its stream is interrupted, and with it the
 * request at the agent. One fiber looks after all streams.
 */
export const make = Effect.fnUntraced(function* (stall: Duration.Duration) {
  const open = new Set<Open>()
  const sweep = Effect.sync(() => {
    for (const one of open) if (one.held && ++one.idle > sweepsIn) one.fiber.interruptUnsafe()
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(sweep, Duration.toMillis(stall) / sweepsIn)))

  return <E>(body: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E> =>
    Stream.transformPull(body, (pull, scope) =>
      Effect.withFiber((fiber) => {
        const one: Open = { fiber, held: false, idle: 0 }
        open.add(one)
        const next = Effect.matchCauseEffect(pull, {
          onSuccess: (pieces) => {
            one.held = true
            one.idle = 0
            return Effect.succeed(pieces)
          },
          onFailure: (cause) =>
            Pull.isDoneCause(cause) || Cause.hasInterruptsOnly(cause)
              ? Effect.failCause(cause)
              : Effect.andThen(
                  Effect.logWarning("an event stream of an agent broke off", cause),
                  Effect.failCause(cause)
                )
        })
        return Effect.as(
          Scope.addFinalizer(
            scope,
            Effect.sync(() => open.delete(one))
          ),
          Effect.suspend(() => {
            one.held = false
            return next
          })
        )
      })
    )
})

/** What {@link make} makes. */
export type RelayStream = Effect.Success<ReturnType<typeof make>>
