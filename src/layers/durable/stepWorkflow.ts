/**
 * The `Step` service on a workflow engine: each step an activity, each event in the store before anyone sees it, each
 * wait a row that says for what, from whom and until when.
 *
 * @module
 */
import * as Activity from "effect/workflow/Activity"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { CurrentStep, ExecutorError, Step, type StepOptions } from "../../services/durable/Step.ts"
import { type History, type Standing, TaskStore, type TaskStoreError } from "../../services/durable/TaskStore.ts"
import type { WaitKind } from "../../services/durable/Waits.ts"
import type { Segment } from "./segment.ts"
import * as StepExit from "./stepExit.ts"
import type { TaskFeed } from "./taskFeed.ts"

/** A store that fails fails the step: an answer that could not be kept was not given. */
export const storeFailure = (error: TaskStoreError) =>
  new ExecutorError({
    reason: "unavailable",
    detail: error.message,
    remedy: "check the disk that holds the workspace's state directory"
  })

/** The name of the durable value behind a wait. */
export const waitName = (name: string): string => `wait/${name}`

// Tries after the first are activities of their own.
const tryName = (name: string, attempted: number) => (attempted === 1 ? name : `${name}~${attempted}`)

// What a step says for itself, as against an interruption or a defect.
const isAnswer = <A>(exit: Exit.Exit<A, ExecutorError>) =>
  Exit.isSuccess(exit) || exit.cause.reasons.every(({ _tag }) => _tag === "Fail")

/** A person has this long to say what became of a step whose outcome is not known: a week. */
const decisionTime = 7 * 24 * 60 * 60 * 1000

const Decision = Schema.Literals(["repeat", "fail"])

/** What a run of a task brings along. */
export interface Run {
  readonly taskId: string
  readonly feed: TaskFeed
  readonly standing: Standing
  readonly history: History
  readonly segment: Segment
  /** The task has got on: a step or a wait began that was not there before. */
  readonly progress: Effect.Effect<void>
  /** Saves the result of a step where it survives the disk; in the commit of the result. */
  readonly save: (name: string, encoded: Schema.Json) => Effect.Effect<void>
  /** The result that the platform has of a step, where the task was rebuilt from there. */
  readonly restored: (name: string) => Effect.Effect<Option.Option<Schema.Json>>
  /** Makes known how a value for an open wait is checked. */
  readonly waiting: (name: string, accepts: (value: Schema.Json) => boolean) => void
}

/** The `Step` service of one run of one task. It needs the workflow that it runs in. */
export const make = Effect.fnUntraced(function* (run: Run) {
  const { feed, segment, standing, taskId } = run
  const store = yield* TaskStore
  const engine = yield* WorkflowEngine
  const instance = yield* WorkflowInstance
  const workflow = Context.make(WorkflowEngine, engine).pipe(Context.add(WorkflowInstance, instance))
  const open = new Set(run.history.waits)
  const numbers = new Map<string, number>()
  // How many runs of a step have an outcome that we know.
  const accounted = new Map<string, number>()
  const stored = Effect.mapError(storeFailure)

  const suspendOn = Effect.fnUntraced(function* <A, I>(
    deferred: DurableDeferred.DurableDeferred<Schema.Codec<A, I>, typeof ExecutorError>,
    wait: {
      readonly name: string
      readonly kind: typeof WaitKind.Type
      readonly reason: string
      readonly from: string
      readonly within: number
      readonly schema: Schema.Codec<A, I>
    },
    arm: Effect.Effect<void>
  ) {
    const { from, kind, name, reason, schema, within } = wait
    const codec = StepExit.of(schema)
    const former = segment.former(waitName(name))
    if (former !== undefined) return yield* codec.decode(former)
    const ended = yield* Effect.provideContext(engine.deferredResult(deferred), workflow)
    if (Option.isSome(ended)) {
      segment.keep(waitName(name), yield* codec.encode(ended.value))
      if (open.delete(name)) yield* stored(store.note(taskId, { _tag: "WaitEnded", wait: name, how: "provided" }))
      return yield* ended.value
    }
    const decodes = Schema.decodeUnknownOption(Schema.toCodecJson(schema))
    run.waiting(name, (value) => Option.isSome(decodes(value)))
    if (!open.has(name)) {
      const { epochMilliseconds: now } = yield* DateTime.now
      const deadline = now + within
      yield* stored(store.note(taskId, { _tag: "WaitBegan", wait: name, kind, reason, from, deadline }))
      open.add(name)
      yield* run.progress
    }
    yield* arm
    return yield* Effect.provideContext(segment.within(DurableDeferred.await(deferred)), workflow)
  })

  const waitFor: <A, I>(
    kind: typeof WaitKind.Type,
    options: Parameters<Step["Service"]["wait"]>[0] & { readonly schema: Schema.Codec<A, I> }
  ) => Effect.Effect<A, ExecutorError> = (kind, options) =>
    suspendOn(
      DurableDeferred.make(waitName(options.name), { success: options.schema, error: ExecutorError }),
      { ...options, kind },
      Effect.void
    )

  const sleep = (name: string, duration: number): Effect.Effect<void, ExecutorError> => {
    if (duration <= 0) return Effect.void
    const clock = DurableClock.make({ name, duration })
    const deferred = DurableDeferred.make(clock.deferred.name, { success: Schema.Void, error: ExecutorError })
    return suspendOn(
      deferred,
      { name, kind: "timer", reason: "time to pass", from: "the clock", within: duration, schema: Schema.Void },
      engine.scheduleClock(instance.workflow, { executionId: instance.executionId, clock })
    )
  }

  // A run began and nothing is known of its end: the process died in between.
  const reconcile = Effect.fnUntraced(function* <A, R>(
    name: string,
    effectId: string,
    effect: NonNullable<StepOptions<A, R>["effect"]>
  ) {
    const happened = effect.check === undefined ? Option.none<A>() : yield* effect.check(effectId)
    if (Option.isSome(happened)) return Option.some(Exit.succeed(happened.value))
    const decision =
      effect.unknown === "ask"
        ? yield* waitFor("person", {
            name: `outcome/${name}`,
            reason: `a decision: step ${name} may or may not have had its effect ${effectId}; repeat it, or fail it`,
            from: "person",
            within: decisionTime,
            schema: Decision
          })
        : effect.unknown
    if (decision === "repeat") return Option.none<Exit.Exit<A, ExecutorError>>()
    return Option.some(
      Exit.fail(
        new ExecutorError({
          reason: "failed",
          detail: `the outcome of step ${name} is not known: the process ended while it ran (effect ${effectId})`,
          remedy: "find out by the effect's id whether it happened, then send the message again"
        })
      )
    )
  })

  const runStep = Effect.fnUntraced(function* <A, I, R>(
    name: string,
    attempted: number,
    schema: Schema.Codec<A, I>,
    effect: Effect.Effect<A, ExecutorError, R>,
    options: StepOptions<A, R>
  ) {
    const codec = StepExit.of(schema)
    const key = tryName(name, attempted)
    const effectId = `${taskId}/${name}`
    let settled = Option.none<Exit.Exit<A, ExecutorError>>()
    if (options.effect !== undefined && !segment.hasCompleted(key)) {
      const before = yield* stored(store.begun(taskId, name))
      if (before > (accounted.get(name) ?? attempted - 1)) settled = yield* reconcile(name, effectId, options.effect)
      accounted.set(name, before + 1)
    }
    const intent = options.effect === undefined ? undefined : { id: effectId, unknown: options.effect.unknown }

    const once = Effect.gen(function* () {
      if (Option.isSome(settled)) return yield* settled.value
      const attempt = yield* stored(store.begin(taskId, name, intent))
      if (attempt === 1) yield* run.progress
      return yield* Effect.provideService(effect, CurrentStep, { name, attempt, effectId })
    })
    const body = Effect.gen(function* () {
      const kept = standing.restored ? yield* run.restored(key) : Option.none<Schema.Json>()
      if (Option.isSome(kept)) return yield* codec.decode(kept.value)
      const exit = yield* Effect.exit(once)
      if (isAnswer(exit)) {
        yield* run.save(key, yield* codec.encode(exit))
      }
      return yield* exit
    })
    const exit = yield* Effect.exit(
      segment.within(
        Activity.make({ name: key, success: schema, error: ExecutorError, execute: body }).pipe(
          Effect.provideContext(workflow)
        )
      )
    )
    if (isAnswer(exit)) {
      segment.keep(key, yield* codec.encode(exit))
    }
    return yield* exit
  })

  const stepAnew: Step["Service"]["step"] = Effect.fnUntraced(function* (name, schema, effect, options = {}) {
    const nested = (yield* CurrentStep).name !== ""
    const { delay = 0, times = 0 } = options.retry ?? {}
    for (let attempted = 1; ; attempted++) {
      const key = tryName(name, attempted)
      const former = segment.former(key)
      if (former === undefined && !nested) yield* segment.enter(key)
      const exit = yield* Effect.exit(
        former === undefined ? runStep(name, attempted, schema, effect, options) : StepExit.of(schema).decode(former)
      )
      if (Exit.isSuccess(exit) || attempted > times || !isAnswer(exit)) {
        return yield* exit
      }
      yield* sleep(`retry/${name}/${attempted}`, delay * 2 ** (attempted - 1))
    }
  })

  // Most steps of a long task that is resumed were done by former runs: they cost no more than to be decoded.
  const step: Step["Service"]["step"] = (name, schema, effect, options = {}) =>
    Effect.suspend(() => {
      const former = segment.former(name)
      return former !== undefined && options.retry === undefined
        ? StepExit.of(schema).decode(former)
        : stepAnew(name, schema, effect, options)
    })

  return Step.of({
    step,
    emit: Effect.fnUntraced(function* (event) {
      const { attempt, name } = yield* CurrentStep
      const key = `${name}/${attempt}`
      const number = (numbers.get(key) ?? 0) + 1
      numbers.set(key, number)
      yield* stored(feed.append({ taskId, step: name, attempt, number, event }))
    }),
    wait: (options) => waitFor(options.from === "person" ? "person" : "signal", options),
    sleep
  })
})
