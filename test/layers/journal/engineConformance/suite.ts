/**
 * What the conformance suite needs to know about an engine, and how its tests are declared.
 */
import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { type AnyWorkflow, Subject } from "./calls.ts"
import { type Boot, makeMachine, type Machine } from "./machine.ts"
import type { Runs } from "./runs.ts"

/** Where a durable engine keeps what it knows. */
export interface Storage {
  /** An engine on the storage as the last one left it. Built anew for each start. */
  readonly open: Layer.Layer<WorkflowEngine, unknown>
  /** From now on `open` opens the storage as it is at this moment, as after SIGKILL: what comes later is not in it. */
  readonly crash: Effect.Effect<void>
}

/** Holds the writes of a storage. */
export interface Gate {
  /** From now on no write reaches the storage; whoever waits for one goes on waiting. */
  readonly close: Effect.Effect<void>
  /** Lets the held writes through, in their order. */
  readonly open: Effect.Effect<void>
  /** How many fibers wait for a held write. */
  readonly waiting: Effect.Effect<number>
}

/** A storage whose writes can be held open while a race is played. */
export interface GatedStorage extends Storage {
  readonly gate: Gate
}

/** An engine for the suite. What it has not got is reported as skipped. */
export interface EngineUnderTest {
  readonly name: string
  /** A fresh engine; for a durable one on a fresh file. */
  readonly layer: Layer.Layer<WorkflowEngine, unknown>
  /** Durable engines: fresh storage that engines are opened on, one after another. */
  readonly storage?: Effect.Effect<Storage, unknown, Scope.Scope>
  /** Durable engines whose writes can be held. */
  readonly gated?: Effect.Effect<GatedStorage, unknown, Scope.Scope>
  /** Engines that can be told to leave it to the caller to resume the executions of a workflow: how they are told. */
  readonly onlyByCaller?: (workflow: AnyWorkflow) => AnyWorkflow
  /** Names of tests that the engine is known to fail. They must fail: one that passes is taken off the list. */
  readonly gaps?: ReadonlyArray<string>
}

/** How a process ends: in good order, with all finalizers, or by SIGKILL. */
export type End = "stop" | "crash"
/** The two of them, for tests that are run with both, and how they are called in a test's name. */
export const ends: ReadonlyArray<readonly [how: End, words: string]> = [
  ["stop", "after a stop in good order"],
  ["crash", "after a crash"]
]

type Body<R> = Effect.Effect<unknown, unknown, R | Scope.Scope>

/** Declares the tests of one engine. */
export interface Suite {
  /** A test on a fresh engine. */
  readonly test: (name: string, body: Body<WorkflowEngine | Runs>) => void
  /** A test that stops and starts engines on one storage. */
  readonly durable: (name: string, body: (machine: Machine) => Body<never>) => void
  /** One of them, of a workflow whose executions only the caller resumes. */
  readonly byCaller: (name: string, body: (machine: Machine, workflow: AnyWorkflow) => Body<never>) => void
  /** A test that holds writes. */
  readonly gated: (name: string, body: (machine: Machine, gate: Gate) => Body<never>) => void
  /** A test that starts its engine itself, on a fresh storage if the engine has one. */
  readonly machine: (name: string, body: (machine: Machine) => Body<never>) => void
}

/** Real time in which a test must be through. A wake-up that is lost would otherwise be a test that hangs. */
const deadline = "5 seconds"
/** For tests that are expected to fail, most of them by hanging. */
const deadlineOfGap = "400 millis"
/** Where not even an interruption helps. */
const hardDeadline = 10_000

const within = <A, E, R>(effect: Effect.Effect<A, E, R>, limit: typeof deadline | typeof deadlineOfGap) =>
  Effect.flatMap(Clock.Clock, (testClock) =>
    TestClock.withLive(
      Effect.timeoutOrElse(Effect.provideService(effect, Clock.Clock, testClock), {
        duration: limit,
        orElse: () => Effect.die(new Error(`not through within ${limit} of real time: a wake-up was lost?`))
      })
    )
  )

/** The declarations for one engine. */
export const makeSuite = ({ gaps = [], gated, layer, onlyByCaller, storage }: EngineUnderTest): Suite => {
  const declare = (name: string, body: Body<never>) => {
    const isGap = gaps.includes(name)
    const tester = isGap ? it.effect.fails : it.effect
    tester(name, () => within(Effect.scoped(body), isGap ? deadlineOfGap : deadline), hardDeadline)
  }
  const skip = (name: string) => it.effect.skip(name, () => Effect.void)
  const onFreshStorage = storage ?? Effect.succeed({ open: layer, crash: Effect.void })
  const suite: Suite = {
    test: (name, body) =>
      declare(
        name,
        Effect.gen(function* () {
          const machine = yield* makeMachine(layer)
          const { use } = yield* machine.boot(Effect.void)
          yield* use(body)
        })
      ),
    machine: (name, body) =>
      declare(
        name,
        Effect.flatMap(onFreshStorage, ({ crash, open }) => Effect.flatMap(makeMachine(open, crash), body))
      ),
    durable: (name, body) => (storage === undefined ? skip(name) : suite.machine(name, body)),
    byCaller: (name, body) => {
      if (onlyByCaller === undefined) return skip(name)
      suite.durable(name, (machine) => body(machine, onlyByCaller(Subject)))
    },
    gated: (name, body) => {
      if (gated === undefined) return skip(name)
      declare(
        name,
        Effect.gen(function* () {
          const { crash, gate, open } = yield* gated
          // A process that has been killed no longer holds anything.
          const machine = yield* makeMachine(open, Effect.andThen(crash, gate.open))
          yield* body(machine, gate).pipe(Effect.ensuring(gate.open))
        })
      )
    }
  }
  return suite
}

export type { Boot, Machine }
