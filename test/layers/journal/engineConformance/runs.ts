/**
 * What really ran, kept outside of every engine.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

/**
 * Counts what bodies do. Each start of an engine has its own hand on the one list: what the fibers of a killed process
 * still do is not written down.
 */
export class Runs extends Context.Service<
  Runs,
  {
    readonly hit: (name: string) => Effect.Effect<void>
    /** All hits in their order. */
    readonly log: Effect.Effect<ReadonlyArray<string>>
    /** How often each was hit. */
    readonly counts: Effect.Effect<Record<string, number>>
    /** Waits until there were that many hits. */
    readonly reached: (name: string, times?: number) => Effect.Effect<void>
  }
>()("test/engineConformance/Runs") {}

/** From 0. */
export const numbers = (length: number) => Array.from({ length }, (_, index) => index)

/** A little real time, for whatever the engine does without being asked. */
export const pause = TestClock.withLive(Effect.sleep("2 millis"))

/** Real time in which an engine that should do nothing could do the wrong thing. */
export const quiet = TestClock.withLive(Effect.sleep("20 millis"))

/** A moment of the test's clock and of real time, after which a durable engine has kept what it may keep lazily. */
export const moment = Effect.andThen(quiet, TestClock.adjust("1 second"))

/** Looks until it is so. That it becomes so in bounded time is seen to by the suite. */
export const until = <A, E, R>(look: Effect.Effect<A, E, R>, isSo: (value: A) => boolean): Effect.Effect<A, E, R> =>
  // @effect-diagnostics-next-line flatMapConditionalToFilterOrFail:off -- what follows is not another value but another look
  Effect.flatMap(look, (value) => (isSo(value) ? Effect.succeed(value) : Effect.andThen(pause, until(look, isSo))))

const countsOf = (log: ReadonlyArray<string>) => {
  const counts: Record<string, number> = {}
  for (const name of log) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** An empty list, and hands on it that can be struck off. */
export const makeRuns = () => {
  const log: Array<string> = []
  const hand = () => {
    let alive = true
    const runs = Runs.of({
      hit: (name) => Effect.sync(() => (alive ? void log.push(name) : undefined)),
      log: Effect.sync(() => [...log]),
      counts: Effect.sync(() => countsOf(log)),
      reached: (name, times = 1) =>
        Effect.asVoid(
          until(
            Effect.sync(() => countsOf(log)[name] ?? 0),
            (hits) => hits >= times
          )
        )
    })
    return { runs, strikeOff: Effect.sync(() => void (alive = false)) }
  }
  return { hand }
}
