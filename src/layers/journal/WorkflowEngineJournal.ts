/**
 * `WorkflowEngine` for one process, on the journal: executions, results, deferreds, clocks and interrupts survive it.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Workflow from "effect/workflow/Workflow"
import {
  type Encoded,
  makeDeferredState,
  makeUnsafe,
  WorkflowEngine,
  WorkflowInstance
} from "effect/workflow/WorkflowEngine"
import { ResumedByCaller } from "../../services/durable/AgentTask.ts"
import { Journal, type JournalEntry, type JournalRecord, Staging } from "../../services/durable/Journal.ts"
import * as ActivityRun from "./activityRun.ts"
import {
  type Execution,
  isEnd,
  make as makeExecution,
  type Recorded,
  recorded,
  type Registered,
  type Wake
} from "./execution.ts"
import { codecOf, encodeExit } from "./exitCodec.ts"
import * as Timers from "./timers.ts"
import * as Unfinished from "./unfinished.ts"

/** What Effect's durable clocks call their deferreds. */
const clockPrefix = "DurableClock/"

const make = Effect.gen(function* () {
  const journal = yield* Journal
  const takeUp = yield* Unfinished.make
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const workflows = new Map<string, Registered>()
  const live = new Map<string, Execution>()
  // Executions that found a child's workflow not registered yet after a restart, by that workflow.
  const missing = new Map<string, Array<string>>()
  const deferredState = makeDeferredState()
  // Held while an execution that is not live is read or written: what is read is then what becomes live.
  const notLive = yield* Semaphore.make(1)
  const exclusively = <A, E, R>(effect: Effect.Effect<A, E, R>) => notLive.withPermit(effect)

  const entry = (stream: string, record: JournalRecord): ReadonlyArray<JournalEntry> => [{ stream, record }]
  const result = (executionId: string, name: string, exit: Exit.Exit<unknown, unknown>) =>
    entry(executionId, { _tag: "DeferredCompleted", name, exit: encodeExit(exit) })
  // What belongs into the commit of a result is taken from the list of whoever gives it.
  const together = Effect.map(Staging, (staged) => staged?.splice(0) ?? [])
  // The engine's contract has no failures; whoever starts an execution sees a damaged one as a defect that says so.
  const readRows = (executionId: string) => Effect.orDie(journal.read(executionId))
  const revive = Effect.fnUntraced(function* (executionId: string, from: Recorded) {
    if (from.started === undefined || from.completed !== undefined) return undefined
    const registered = workflows.get(from.started.workflow)
    if (registered === undefined) return undefined
    const payload = yield* registered.codec.decodePayload(from.started.payload)
    const execution = makeExecution(executionId, registered, payload, from.started.parent, from)
    live.set(executionId, execution)
    for (const [name, deadline] of from.clocks) {
      if (!from.deferreds.has(`${clockPrefix}${name}`)) timers.set(executionId, name, deadline)
    }
    return execution
  })

  const load = Effect.fnUntraced(function* (executionId: string) {
    return live.get(executionId) ?? (yield* revive(executionId, recorded(yield* readRows(executionId))))
  }, exclusively)
  const liveOrLoaded = (executionId: string) =>
    Effect.suspend(() => (live.has(executionId) ? Effect.succeed(live.get(executionId)) : load(executionId)))

  // The end is on disk before anybody hears of it.
  const recordEnd = (execution: Execution, exit: Exit.Exit<unknown, unknown>) => {
    const ended = Effect.suspend(() => {
      for (const name of execution.clocks.keys()) timers.cancel(execution.id, name)
      live.delete(execution.id)
      Deferred.doneUnsafe(execution.done, Effect.void)
      return Effect.forEach(execution.parents, (id) => Effect.forkIn(wakeById(id, "automatic"), scope), {
        discard: true
      })
    })
    return Effect.flatMap(execution.registered.codec.encodeResult(exit), (encoded) => {
      journal.stageUnsafe(entry(execution.id, { _tag: "ExecutionCompleted", exit: encoded }))
      return Effect.andThen(journal.settled, ended)
    })
  }

  // `inPlace`: whoever starts it waits for it, so that it may begin before he goes on.
  const start = (execution: Execution, inPlace = false): Effect.Effect<void> => {
    const { registered } = execution
    // Each run has a scope of its own, so that a replay builds its compensations anew instead of twice.
    const instance = WorkflowInstance.initial(registered.workflow, execution.id, {
      scope: Scope.forkUnsafe(execution.scope)
    })
    // What the former run was to do at its end is this one's to do.
    execution.instance.abandoned = true
    execution.instance = instance
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off -- the engine's contract has erased the types
    const run = registered.run(execution.payload, execution.id).pipe(
      Effect.onExit((exit) => {
        // A safe interrupt takes effect where the run would suspend; an unsafe one also where a replay ends by itself.
        const keeps =
          !execution.interrupted ||
          (!execution.interruptedUnsafe &&
            !instance.suspended &&
            !instance.abandoned &&
            !(Context.get(instance.workflow.annotations, Workflow.SuspendOnFailure) && Exit.isFailure(exit)))
        if (keeps) {
          // The end of the process is no failure of the run: nothing is undone.
          if (
            !execution.interruptedUnsafe &&
            !instance.suspended &&
            Exit.isFailure(exit) &&
            Cause.hasInterruptsOnly(exit.cause)
          )
            instance.abandoned = true
          return Effect.void
        }
        instance.interrupted = true
        instance.suspended = false
        return Effect.withFiber((fiber) => Effect.interruptible(Fiber.interrupt(fiber)))
      }),
      Workflow.intoResult,
      Effect.provideService(WorkflowEngine, engine),
      (run) => deferredState.trackRun(instance, run),
      Effect.tap((result) => (result._tag === "Complete" ? recordEnd(execution, result.exit) : journal.settled)),
      Effect.onExit((exit) =>
        Exit.isSuccess(exit) && exit.value._tag === "Suspended" ? Effect.void : Scope.close(execution.scope, Exit.void)
      )
    )
    const keep = (fiber: Execution["fiber"]) => void (execution.fiber = fiber)
    if (!inPlace) return Effect.map(Effect.forkIn(run, registered.scope), keep)
    // Known before it does anything: what it does may wake it.
    const known = Effect.withFiber<Workflow.Result<unknown, unknown>>((fiber) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the fiber of `run`; its type is not known within
      keep(fiber as NonNullable<Execution["fiber"]>)
      return run
    })
    return Effect.map(Effect.forkIn(known, registered.scope, { startImmediately: true }), (fiber) =>
      keep(execution.fiber ?? fiber)
    )
  }

  // A wake that comes while a run is still finishing is remembered, so that it cannot fall between the run's last look
  // and its end.
  const wake = (execution: Execution, how: Wake): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { fiber } = execution
      if (fiber === undefined) return start(execution)
      const exit = fiber.pollUnsafe()
      if (exit === undefined) {
        const requested = execution.wakeRequested
        execution.wakeRequested = how === "explicit" ? how : (requested ?? how)
        if (requested !== undefined) return Effect.void
        return Fiber.await(fiber).pipe(
          Effect.andThen(
            Effect.suspend(() => {
              const strongest = execution.wakeRequested ?? how
              execution.wakeRequested = undefined
              return wake(execution, strongest)
            })
          ),
          Effect.forkIn(scope),
          Effect.asVoid
        )
      }
      return exit._tag === "Success" && isEnd(exit.value, how) ? Effect.void : start(execution)
    })

  const wakeById = (executionId: string, how: Wake): Effect.Effect<void> =>
    Effect.flatMap(liveOrLoaded(executionId), (execution) =>
      execution === undefined ? Effect.void : wake(execution, how)
    )

  // To an execution that has ended, or has not begun, a result is only written down.
  const completeNotLive = (executionId: string, name: string, exit: Exit.Exit<unknown, unknown>) =>
    Effect.gen(function* () {
      if (live.has(executionId)) return false
      const { completed, deferreds } = recorded(yield* readRows(executionId))
      if (completed === undefined && !deferreds.has(name)) {
        yield* journal.append([...(yield* together), ...result(executionId, name, exit)])
      }
      return true
    }).pipe(exclusively)

  const completeLive = Effect.fnUntraced(function* (
    execution: Execution,
    name: string,
    exit: Exit.Exit<unknown, unknown>
  ) {
    if (execution.deferreds.has(name)) return
    execution.deferreds.set(name, exit)
    execution.unsettled = true
    yield* journal.stage([...(yield* together), ...result(execution.id, name, exit)])
    const own = yield* Effect.serviceOption(WorkflowInstance)
    const woken = Effect.andThen(deferredState.deferredDone(execution.id, name), wake(execution, "automatic"))
    // A run cannot wait for its own end.
    if (Option.isSome(own) && own.value.executionId === execution.id) {
      yield* Effect.forkIn(woken, scope)
    } else {
      yield* journal.settled
      yield* woken
    }
  })

  const complete = Effect.fnUntraced(function* (executionId: string, name: string, exit: Exit.Exit<unknown, unknown>) {
    if (name.startsWith(clockPrefix)) timers.cancel(executionId, name.slice(clockPrefix.length))
    const written = live.has(executionId) ? false : yield* completeNotLive(executionId, name, exit)
    const execution = live.get(executionId)
    if (!written && execution !== undefined) yield* completeLive(execution, name, exit)
    else yield* wakeById(executionId, "automatic")
  })

  // Whoever is slow to wake keeps nobody else waiting.
  const timers: Timers.Timers = yield* Timers.make((executionId, name) =>
    Effect.asVoid(Effect.forkIn(complete(executionId, `${clockPrefix}${name}`, Exit.void), scope))
  )

  const interrupt = Effect.fnUntraced(function* (executionId: string, unsafe: boolean) {
    const execution = yield* liveOrLoaded(executionId)
    if (execution === undefined || (execution.interrupted && (execution.interruptedUnsafe || !unsafe))) return
    execution.interrupted = true
    execution.interruptedUnsafe ||= unsafe
    yield* journal.append(entry(executionId, { _tag: "InterruptRequested", unsafe }))
    if (unsafe && execution.fiber !== undefined) yield* Fiber.interrupt(execution.fiber)
    yield* wake(execution, "explicit")
  })

  const begin = Effect.fnUntraced(function* (
    executionId: string,
    registered: Registered,
    payload: object,
    parent: string | undefined
  ) {
    const known = live.get(executionId)
    if (known !== undefined) return known
    const from = recorded(yield* readRows(executionId))
    if (from.completed !== undefined) return yield* registered.codec.decodeResult(from.completed)
    const revived = from.started === undefined ? undefined : yield* revive(executionId, from)
    if (revived !== undefined) return revived
    const encoded = yield* registered.codec.encodePayload(payload)
    const execution = makeExecution(executionId, registered, payload, parent, from)
    live.set(executionId, execution)
    journal.stageUnsafe(
      entry(executionId, {
        _tag: "ExecutionStarted",
        workflow: registered.workflow._tag,
        payload: encoded,
        ...(parent === undefined ? undefined : { parent })
      })
    )
    return execution
  }, exclusively)

  const encoded: Encoded = {
    register: Effect.fnUntraced(function* (workflow, execute) {
      const registered = { workflow, run: execute, codec: codecOf(workflow), scope: yield* Effect.scope }
      workflows.set(workflow._tag, registered)
      for (const id of missing.get(workflow._tag) ?? []) yield* Effect.forkIn(wakeById(id, "explicit"), scope)
      missing.delete(workflow._tag)
      if (Context.get(workflow.annotations, ResumedByCaller)) return
      const run = (id: string) =>
        Effect.flatMap(wakeById(id, "explicit"), () => {
          const fiber = live.get(id)?.fiber
          return fiber === undefined ? Effect.void : Effect.asVoid(Fiber.await(fiber))
        })
      yield* Effect.forkIn(takeUp(workflow._tag, { load, run }), registered.scope)
    }),

    execute: Effect.fnUntraced(function* (workflow, options) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract's conditional type cannot be followed by the compiler
      const answer = (result: Workflow.Result<unknown, unknown> | undefined) => result as never
      const registered = workflows.get(workflow._tag)
      // After a restart the child's workflow may be registered a moment later than its parent's.
      if (
        registered === undefined &&
        options.parent !== undefined &&
        live.get(options.parent.executionId)?.revived === true
      ) {
        missing.set(workflow._tag, [...(missing.get(workflow._tag) ?? []), options.parent.executionId])
        return answer(new Workflow.Suspended({}))
      }
      if (registered === undefined) return yield* Effect.die(`workflow ${workflow._tag} is not registered`)
      const parent = options.detached === true ? undefined : options.parent?.executionId
      const execution =
        live.get(options.executionId) ?? (yield* begin(options.executionId, registered, options.payload, parent))
      if (Exit.isExit(execution)) {
        return answer(options.discard ? undefined : new Workflow.Complete({ exit: execution }))
      }
      if (parent !== undefined) execution.parents.add(parent)
      if (execution.fiber === undefined) yield* start(execution, !options.discard)
      if (options.discard) {
        // The caller is told that it goes on by itself: so it must be on disk.
        if (options.parent === undefined) yield* journal.settled
        return answer(undefined)
      }
      const { fiber, instance } = execution
      if (fiber === undefined) return answer(new Workflow.Suspended({}))
      const exit = yield* Fiber.await(fiber)
      if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) && instance.suspended) {
        return answer(new Workflow.Suspended({}))
      }
      return answer(yield* exit)
    }),

    awaitComplete: (_workflow, executionId) =>
      Effect.suspend(() => {
        const execution = live.get(executionId)
        if (execution !== undefined) return Deferred.await(execution.done)
        return Effect.flatMap(readRows(executionId), (rows) =>
          recorded(rows).completed === undefined ? Effect.never : Effect.void
        )
      }),

    poll: Effect.fnUntraced(function* (workflow, executionId) {
      const exit = live.get(executionId)?.fiber?.pollUnsafe()
      if (exit !== undefined && Exit.isSuccess(exit)) return Option.some(exit.value)
      if (live.has(executionId)) return Option.none()
      const { completed } = recorded(yield* readRows(executionId))
      if (completed === undefined) return Option.none()
      const { decodeResult } = workflows.get(workflow._tag)?.codec ?? codecOf(workflow)
      return Option.some(new Workflow.Complete({ exit: yield* decodeResult(completed) }))
    }),

    interrupt: (_workflow, executionId) => interrupt(executionId, false),
    interruptUnsafe: (_workflow, executionId) => interrupt(executionId, true),
    resume: (_workflow, executionId) => wakeById(executionId, "explicit"),

    activityExecute: (activity, attempt) =>
      Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
        const instance = Context.get(context, WorkflowInstance)
        const execution = live.get(instance.executionId)
        if (execution === undefined) return Effect.die(`execution ${instance.executionId} is not running`)
        const known = execution.activities.get(`${activity.name}/${attempt}`)
        if (known !== undefined) return Effect.succeed(new Workflow.Complete({ exit: known }))
        // A replay that only builds compensations must not begin anything.
        if (execution.interrupted && !instance.interrupted) return Effect.succeed(new Workflow.Suspended({}))
        const run = ActivityRun.make(journal, execution, instance, activity, attempt)
        if (!execution.unsettled) return run
        return Effect.flatMap(journal.settled, () => {
          execution.unsettled = false
          return run
        })
      }),

    deferredResult: Effect.fnUntraced(function* (deferred) {
      const { executionId } = yield* WorkflowInstance
      // Whoever finds nothing suspends the whole run: its other branches get a turn to begin theirs first.
      for (let turn = 0; turn < 3 && live.get(executionId)?.deferreds.has(deferred.name) !== true; turn++) {
        yield* Effect.yieldNow
      }
      return Option.fromNullishOr(live.get(executionId)?.deferreds.get(deferred.name))
    }),

    deferredDone: ({ deferredName, executionId, exit }) => complete(executionId, deferredName, exit),

    scheduleClock: Effect.fnUntraced(function* (_workflow, { clock: durable, executionId }) {
      const execution = live.get(executionId)
      if (execution === undefined || execution.clocks.has(durable.name)) return
      const deadline = clock.currentTimeMillisUnsafe() + Duration.toMillis(durable.duration)
      execution.clocks.set(durable.name, deadline)
      yield* journal.stage(entry(executionId, { _tag: "ClockScheduled", name: durable.name, deadline }))
      timers.set(executionId, durable.name, deadline)
    })
  }
  const engine = makeUnsafe(encoded)
  return engine
})

/**
 * The engine on the journal in context.
 *
 * **Details**
 *
 * The result of an activity is on disk before the next activity of the same execution begins, and the end of an execution
 * before anybody hears of it: a crash repeats at most the activities in flight. Executions that a former process left
 * unfinished go on when their workflow is registered, unless it is annotated with `ResumedByCaller`.
 *
 * **Example**
 *
 * ```ts
 * const Engine = WorkflowEngineJournal.layer.pipe(
 *   Layer.provide(JournalSqlite.layerWith({ filename: "workflows.db", projections: [] }))
 * )
 * ```
 */
export const layer = Layer.effect(WorkflowEngine, make)
