/**
 * A machine on which processes with an engine are started and ended, one after another.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { makeRuns, Runs } from "./runs.ts"

type Needs = WorkflowEngine | Runs | Scope.Scope

/** A running process. */
export interface Boot {
  /** Does something in it. */
  readonly use: <A, E>(effect: Effect.Effect<A, E, Needs>) => Effect.Effect<A, E>
  /** Ends it: `stop` with all finalizers; `crash` so that nothing of what they do can be seen afterwards. */
  readonly down: (how: "stop" | "crash") => Effect.Effect<void>
}

/** The machine. */
export interface Machine {
  readonly runs: Runs["Service"]
  /** Starts a process that does this first: it registers the workflows. */
  readonly boot: (program: Effect.Effect<void, never, Needs>) => Effect.Effect<Boot, unknown, Scope.Scope>
  /** Sets the wall clock of the machine, by so many milliseconds. What has really passed stays as it is. */
  readonly stepWall: (by: number) => Effect.Effect<void>
}

/** A machine whose processes have this engine. */
export const makeMachine = Effect.fnUntraced(function* (
  open: Layer.Layer<WorkflowEngine, unknown>,
  crash: Effect.Effect<void> = Effect.void
) {
  const { hand } = makeRuns()
  const base = yield* Clock.Clock
  let offset = 0
  const currentTimeMillisUnsafe = () => base.currentTimeMillisUnsafe() + offset
  const currentTimeNanosUnsafe = () => base.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
  const clock: Clock.Clock = {
    // oxlint-disable-next-line typescript/no-misused-spread -- clocks are plain objects of functions
    ...base,
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe,
    currentTimeNanos: Effect.sync(currentTimeNanosUnsafe)
  }

  const boot: Machine["boot"] = Effect.fnUntraced(function* (program) {
    const { runs, strikeOff } = hand()
    const scope = yield* Scope.fork(yield* Effect.scope)
    const start = Effect.gen(function* () {
      const services = yield* Layer.buildWithMemoMap(open, yield* Layer.makeMemoMap, scope)
      const all = services.pipe(Context.add(Runs, runs), Context.add(Scope.Scope, scope))
      yield* Effect.provideContext(program, all)
      return all
    })
    const services = yield* Effect.provideService(start, Clock.Clock, clock)
    const process: Boot = {
      use: (effect) => Effect.provideContext(effect, services),
      down: (how) =>
        Effect.gen(function* () {
          if (how === "crash") yield* Effect.andThen(strikeOff, crash)
          yield* Scope.close(scope, Exit.void)
        })
    }
    return process
  })
  const machine: Machine = {
    runs: hand().runs,
    boot,
    stepWall: (by) => Effect.sync(() => void (offset += by))
  }
  return machine
})
