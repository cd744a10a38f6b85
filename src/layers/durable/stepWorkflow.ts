/**
 * The `Step` service on a workflow engine: each step an activity, each event in the store before anyone sees it, each
 * wait a row that says for what, from whom and until when.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Activity from "effect/workflow/Activity"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Message, textOf } from "../../services/durable/Content.ts"
import { Staging } from "../../services/durable/Journal.ts"
import { CurrentStep, ExecutorError, Step, type StepOptions } from "../../services/durable/Step.ts"
import {
  type History,
  type NewTaskEvent,
  type Standing,
  TaskStore,
  type TaskStoreError
} from "../../services/durable/TaskStore.ts"
import type { WaitKind } from "../../services/durable/Waits.ts"
import type { Segment } from "./segment.ts"
import * as StepExit from "./stepExit.ts"
import * as StepNames from "./stepNames.ts"
import type { TaskFeed } from "./taskFeed.ts"
import { receivedStep } from "./taskRecords.ts"

/** A store that fails fails the step: an answer that could not be kept was not given. */
export const storeFailure = (error: TaskStoreError) =>
  new ExecutorError({
    reason: "unavailable",
    detail: error.message,
    remedy: "check the disk that holds the workspace's state directory"
  })

/** The wait behind a question to the task's sender. */
export const askName = (name: string): string => `ask/${name}`

/** What a step says for itself, as against an interruption or a defect. */
export const isAnswer = <A>(exit: Exit.Exit<A, ExecutorError>) =>
  Exit.isSuccess(exit) || exit.cause.reasons.every(({ _tag }) => _tag === "Fail")

const contextOf = ({ engine, instance }: Execution) =>
  Context.make(WorkflowEngine, engine).pipe(Context.add(WorkflowInstance, instance))

// What the engine keeps as the step's result: a defect that the executor goes on from is one, too.
const isResult = <A>(exit: Exit.Exit<A, ExecutorError>) => Exit.isSuccess(exit) || !Cause.hasInterrupts(exit.cause)

// A result that cannot be written is a bug of the step that it is of, and of no other.
const encodedOf = <A>(name: string, codec: StepExit.StepExit<A>, exit: Exit.Exit<A, ExecutorError>) =>
  Effect.catchDefect(codec.encode(exit), (defect) =>
    Effect.die(
      new Error(`the result of step ${name} cannot be kept, it does not fit the step's schema: ${String(defect)}`)
    )
  )

const noTime = (name: string, within: number) =>
  new ExecutorError({
    reason: "failed",
    detail: `the wait ${JSON.stringify(name)} cannot be begun: its time is ${within}`,
    remedy: "say in milliseconds how long it may take"
  })

// Milliseconds as rows have them.
const whole = (milliseconds: number) => Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(milliseconds))

/** A person has this long to answer, or to say what became of a step whose outcome is not known: a week. */
export const decisionTime = 7 * 24 * 60 * 60 * 1000

const Decision = Schema.Literals(["repeat", "fail"])

/** So many events of a run may be on their way to the disk before the next one waits for it. */
const mostUnwritten = 32

/** An execution of the workflow engine. */
export interface Execution {
  readonly engine: WorkflowEngine["Service"]
  readonly instance: WorkflowInstance["Service"]
}

/** What a run of a task has said, be it on disk or on its way there. */
export interface Said {
  /** It was an answer, or a part of one. */
  readonly answered: boolean
  /** The number of the last event outside of steps. */
  readonly last: number
}

/** What a run of a task brings along. */
export interface Run {
  /** The execution that the task is in, begun when it is first asked for: a task that takes no step needs none. */
  readonly execution: Effect.Effect<Execution>
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

/** The `Step` service of one run of one task, and what it has said. */
export const make = Effect.fnUntraced(function* (run: Run) {
  const { feed, segment, standing, taskId } = run
  const store = yield* TaskStore
  const open = new Map(run.history.waits.map(({ deadline, wait }) => [wait, deadline] as const))
  // Each name once in a run: a second step of the same name would be given the first one's result.
  const names = new Set<string>()
  let asked = 0
  const numbers = new Map<string, number>()
  let answered = false
  let unwritten = 0
  const written = () => void unwritten--
  const say = (event: NewTaskEvent) =>
    Effect.map(feed.say(event, written), (fresh) => {
      if (Option.isSome(fresh)) unwritten++
    })
  // How many runs of a step have an outcome that we know.
  const accounted = new Map<string, number>()
  const stored = Effect.mapError(storeFailure)

  const unique = (kind: StepNames.Kind, name: string) =>
    Effect.suspend(() => {
      const refused = StepNames.refusal(kind, name, names)
      return refused === undefined ? Effect.void : Effect.fail(refused)
    })

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
    // Is the end of the wait ours to note? Whoever gives a value notes it with the value.
    arm: Effect.Effect<boolean, ExecutorError>,
    // The value is one from before the disk was lost.
    rebuilt: (value: A) => Effect.Effect<void, ExecutorError> = () => Effect.void
  ) {
    const { from, kind, name, reason, schema, within } = wait
    if (Number.isNaN(Number(within))) return yield* noTime(name, within)
    const codec = StepExit.of(schema)
    const former = segment.former(StepNames.waitName(name)) ?? run.history.missed[deferred.name]
    const endWith = Effect.fnUntraced(function* (result: Schema.Json) {
      segment.keep(StepNames.waitName(name), result)
      if (!open.delete(name)) return
      // What is waited for is not asked for again after the disk was lost: it is saved where its end is noted.
      const ended = stored(store.note(taskId, { _tag: "WaitEnded", wait: name, how: "provided" }))
      const noted = Effect.andThen(run.save(StepNames.waitName(name), result), ended)
      yield* segment.within(Effect.provideService(noted, Staging, []))
    })
    if (former !== undefined) {
      yield* endWith(former)
      return yield* codec.decode(former)
    }
    const execution = yield* run.execution
    const look = Effect.provideContext(execution.engine.deferredResult(deferred), contextOf(execution))
    const ended = yield* look
    if (Option.isSome(ended)) {
      yield* endWith(yield* codec.encode(ended.value))
      return yield* ended.value
    }
    const kept = standing.restored ? yield* run.restored(StepNames.waitName(name)) : Option.none<Schema.Json>()
    if (Option.isSome(kept)) {
      yield* endWith(kept.value)
      const exit = yield* Effect.exit(codec.decode(kept.value))
      if (Exit.isSuccess(exit)) yield* rebuilt(exit.value)
      return yield* exit
    }
    const decodes = Schema.decodeUnknownOption(Schema.toCodecJson(schema))
    run.waiting(name, (value) => Option.isSome(decodes(value)))
    if (!open.has(name)) {
      const { epochMilliseconds: now } = yield* DateTime.now
      const deadline = whole(now + within)
      const began = { _tag: "WaitBegan", wait: name, kind, reason, from, deadline } as const
      yield* segment.within(stored(store.note(taskId, began)))
      open.set(name, deadline)
      yield* run.progress
    }
    if (!(yield* arm)) open.delete(name)
    // Not by `DurableDeferred.await`: when its value comes, that interrupts the run in whatever step another branch is.
    const exit = yield* segment.rest(look, Workflow.suspend(execution.instance))
    yield* endWith(yield* codec.encode(exit))
    return yield* exit
  })

  const waitFor: <A, I>(
    kind: typeof WaitKind.Type,
    options: Parameters<Step["Service"]["wait"]>[0] & { readonly schema: Schema.Codec<A, I> }
  ) => Effect.Effect<A, ExecutorError> = (kind, options) =>
    suspendOn(
      DurableDeferred.make(StepNames.waitName(options.name), { success: options.schema, error: ExecutorError }),
      { ...options, kind },
      Effect.succeed(false)
    )

  const sleepFor = (name: string, given: number, now: number): Effect.Effect<void, ExecutorError> => {
    // In a later execution what is left of it is.
    const deadline = open.get(name)
    const duration = deadline === undefined ? whole(now + given) - now : Math.max(1, deadline - now)
    if (Number.isNaN(duration)) return noTime(name, given)
    const clock = DurableClock.make({ name, duration })
    const deferred = DurableDeferred.make(clock.deferred.name, { success: Schema.Void, error: ExecutorError })
    return suspendOn(
      deferred,
      { name, kind: "timer", reason: "time to pass", from: "the clock", within: duration, schema: Schema.Void },
      Effect.flatMap(run.execution, ({ engine, instance }) =>
        Effect.as(engine.scheduleClock(instance.workflow, { executionId: instance.executionId, clock }), true)
      )
    )
  }
  const sleep = (name: string, duration: number): Effect.Effect<void, ExecutorError> =>
    duration <= 0
      ? Effect.void
      : Effect.flatMap(DateTime.now, ({ epochMilliseconds: now }) => sleepFor(name, duration, now))

  // What the sender answered while nobody ran the task.
  const received = Effect.fnUntraced(function* (number: number) {
    const events = yield* stored(store.events(taskId, 0))
    const found = events.find((said) => said.event._tag === "Received" && said.number === number)
    return found?.event._tag === "Received" ? found.event.message : undefined
  })

  // Replays come by the questions in the same order: the first message to the task answers the first, and so on.
  const ask: Step["Service"]["ask"] = ({ kind = "input", name, parts, within = decisionTime }) =>
    Effect.suspend(() => {
      const refused = StepNames.refusal("ask", name, names)
      if (refused !== undefined) return Effect.fail(refused)
      const number = ++asked
      const wait = askName(name)
      const deferredName = StepNames.waitName(wait)
      const deferred = DurableDeferred.make(deferredName, { success: Message, error: ExecutorError })
      const wasOpen = open.has(wait)
      const arm = Effect.gen(function* () {
        const answer = wasOpen ? yield* received(number) : undefined
        if (answer === undefined) {
          yield* stored(feed.setState(taskId, { state: `${kind}-required`, message: parts }))
          return false
        }
        const exit = Exit.succeed(answer)
        const { engine, instance } = yield* run.execution
        const { executionId, workflow } = instance
        yield* engine.deferredDone(deferred, { workflowName: workflow._tag, executionId, deferredName, exit })
        return true
      })
      const reason = textOf(parts) === "" ? "an answer" : textOf(parts).slice(0, 200)
      // The message that it came with is part of the task again, and counts among those that answer.
      const rebuilt = (message: Message) =>
        stored(
          feed.append({ taskId, step: receivedStep, attempt: 1, number, event: { _tag: "Received", message } })
        ).pipe(Effect.asVoid)
      const about = { name: wait, kind: "person", reason, from: "sender", within, schema: Message } as const
      return suspendOn(deferred, about, arm, rebuilt)
    })

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
    const key = StepNames.tryName(name, attempted)
    const effectId = `${taskId}/${name}`
    let settled = Option.none<Exit.Exit<A, ExecutorError>>()
    if (options.effect !== undefined && !segment.hasCompleted(key)) {
      // Of each try the runs are counted by themselves: how those before it ended is known.
      const before = yield* stored(store.begun(taskId, key))
      if (before > (accounted.get(key) ?? 0)) settled = yield* reconcile(name, effectId, options.effect)
      accounted.set(key, before + 1)
    }
    const intent = options.effect === undefined ? undefined : { id: effectId, unknown: options.effect.unknown }

    const once = Effect.gen(function* () {
      if (Option.isSome(settled)) return yield* settled.value
      if (intent !== undefined && attempted > 1) yield* stored(store.begin(taskId, key))
      const attempt = yield* stored(store.begin(taskId, name, intent))
      if (attempt === 1) yield* run.progress
      return yield* Effect.provideService(effect, CurrentStep, { name, attempt, effectId })
    })
    // What the body's last run ended with, if this process ran it.
    let encoded: Schema.Json | undefined
    const body = Effect.gen(function* () {
      encoded = undefined
      const kept = standing.restored ? yield* run.restored(key) : Option.none<Schema.Json>()
      if (Option.isSome(kept)) return yield* codec.decode(kept.value)
      const exit = yield* Effect.exit(once)
      if (isResult(exit)) {
        encoded = yield* encodedOf(name, codec, exit)
        yield* run.save(key, encoded)
      }
      return yield* exit
    })
    const activity = Activity.make({ name: key, success: schema, error: ExecutorError, execute: body })
    const exit = yield* Effect.exit(
      segment.within(
        Effect.flatMap(run.execution, (execution) => Effect.provideContext(activity, contextOf(execution)))
      )
    )
    if (isResult(exit)) {
      segment.keep(key, encoded ?? (yield* encodedOf(name, codec, exit)))
    }
    return yield* exit
  })

  const stepAnew: Step["Service"]["step"] = Effect.fnUntraced(function* (name, schema, effect, options = {}) {
    const nested = (yield* CurrentStep).name !== ""
    const { delay = 0, times = 0 } = options.retry ?? {}
    for (let attempted = 1; ; attempted++) {
      const key = StepNames.tryName(name, attempted)
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
    Effect.withFiber((fiber) => {
      const refused = StepNames.refusal("step", name, names)
      if (refused !== undefined) return Effect.fail(refused)
      const former = options.retry === undefined ? segment.former(name) : undefined
      if (former === undefined) return stepAnew(name, schema, effect, options)
      segment.seen(fiber)
      return StepExit.of(schema).decode(former)
    })

  const service = Step.of({
    step,
    emit: Effect.fnUntraced(function* (event) {
      const { attempt, name } = yield* CurrentStep
      const key = `${name}/${attempt}`
      const number = (numbers.get(key) ?? 0) + 1
      numbers.set(key, number)
      answered ||= event._tag === "Output" || event._tag === "Artifact"
      const said = { taskId, step: name, attempt, number, event }
      // The disk is waited for only where it is far behind: what follows is written after this in any case.
      yield* segment.within(stored(unwritten < mostUnwritten ? say(said) : Effect.asVoid(feed.append(said))))
    }),
    ask,
    wait: (options) =>
      Effect.andThen(unique("wait", options.name), waitFor(options.from === "person" ? "person" : "signal", options)),
    sleep: (name, duration) => Effect.andThen(unique("wait", name), sleep(name, duration))
  })
  return { step: service, said: (): Said => ({ answered, last: numbers.get("/1") ?? 0 }) }
})
