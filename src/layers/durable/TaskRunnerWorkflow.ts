/**
 * `TaskRunner` on a workflow engine: messages become executions of `AgentTask`.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import {
  AgentTask,
  agentTaskVersion,
  Continued,
  executionId,
  type TaskInput,
  type TaskOutput
} from "../../services/durable/AgentTask.ts"
import type { Checkpoint } from "../../services/durable/Checkpoint.ts"
import type { ExecutorError } from "../../services/durable/Step.ts"
import {
  Draining,
  TaskCodeMissing,
  TaskNotCancelable,
  TaskNotEnded,
  TaskNotFound,
  TaskNotHeld,
  TaskRunner
} from "../../services/durable/TaskRunner.ts"
import {
  type HoldReason,
  isInterrupted,
  isTerminal,
  type Standing,
  type TaskRecord,
  type TaskState,
  TaskStore
} from "../../services/durable/TaskStore.ts"
import type { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { fnIfTraced } from "../tracing/spanIfTraced.ts"
import * as AgentTaskWorkflow from "./agentTaskWorkflow.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"
import * as RestoredSteps from "./restoredSteps.ts"
import * as Segment from "./segment.ts"
import type * as StepWorkflow from "./stepWorkflow.ts"
import * as TaskBoot from "./taskBoot.ts"
import * as TaskFeed from "./taskFeed.ts"
import * as TaskInputs from "./taskInputs.ts"
import * as TaskLanes from "./taskLanes.ts"
import * as TaskPlaces from "./taskPlaces.ts"
import * as TaskRecords from "./taskRecords.ts"
import * as TaskSuspects from "./taskSuspects.ts"
import * as TaskWatch from "./taskWatch.ts"
import * as UnlessRefused from "./unlessRefused.ts"

/** The runner's bounds. */
export interface Options {
  /** How many tasks run at once. */
  readonly maxRunning: number
  /** How many tasks may be unfinished, those that run included; beyond it a message is refused. */
  readonly maxUnfinished: number
  /** What a refused sender is told to wait, in seconds. */
  readonly retryAfterSeconds: number
  /** Steps of one execution, after which a task goes on in the next. */
  readonly maxSteps: number
  /** The watcher's times. */
  readonly watch: TaskWatch.Options
  /** The version of the workflow's body that new tasks begin with. */
  readonly version: number
  /** The bodies by their versions: the current one, and older ones until their tasks have ended. */
  readonly bodies: ReadonlyMap<number, AgentTaskWorkflow.Body>
}

/** Four at once, a hundred in all, five seconds: enough to keep a machine busy, little enough to fit into memory. */
export const defaults: Options = {
  maxRunning: 4,
  maxUnfinished: 100,
  retryAfterSeconds: 5,
  maxSteps: Segment.maxSteps,
  watch: TaskWatch.defaults,
  version: agentTaskVersion,
  bodies: new Map([[agentTaskVersion, AgentTaskWorkflow.run]])
}

/** How long a task that may have brought the process down is watched before the next one is taken up. */
const trialTime = "5 seconds"
const isContinued = Schema.is(Continued)

/** What a sender is told of a defect. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const engine = yield* WorkflowEngine
  const executor = yield* AgentExecutor
  const store = yield* TaskStore
  // Everything that runs, runs in here: what is added to the outer scope after it is done before any of it is interrupted.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const feed = yield* TaskFeed.make
  const unlessRefused = UnlessRefused.make(store, scope)
  const places = yield* TaskPlaces.make(options.maxRunning)
  const restoredSteps = yield* RestoredSteps.make
  const phases = yield* Effect.context<AgentExecutor | Checkpoint | PlatformConfig | TaskStore>()
  const inputs = yield* TaskInputs.make(feed, (taskId, name, place, encoded) =>
    Effect.provideContext(AgentTaskWorkflow.save(CheckpointEntries.stepsOf(taskId), name, place, encoded), phases)
  )
  const shipped = { executor, bodies: options.bodies }
  const origin = { version: options.version, code: AgentTaskWorkflow.codeOf(executor) }
  const suspects = yield* TaskSuspects.make
  const trials = new Map<string, Deferred.Deferred<void>>()
  let draining = false
  let closing = false

  const gotOn = (taskId: string) =>
    Effect.suspend(() => {
      const trial = closing ? undefined : trials.get(taskId)
      return trial === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(trial, undefined))
    })

  const stopped = (taskId: string) => Effect.andThen(closing ? Effect.void : suspects.clear(taskId), gotOn(taskId))

  const start = (input: TaskInput, segment: number) =>
    engine
      .execute(AgentTask, {
        executionId: executionId(input.taskId, segment),
        payload: { input, segment },
        discard: true,
        detached: true
      })
      // A start that nobody waits for has no way to fail.
      .pipe(Effect.orDie, Effect.asVoid, Effect.annotateLogs({ taskId: input.taskId }))

  const work = Effect.fnUntraced(function* (
    input: TaskInput,
    segment: number,
    execution: Effect.Effect<StepWorkflow.Execution>,
    // Of a task that was accepted a moment ago it is known what the store has.
    fresh: boolean
  ) {
    const { taskId } = input
    const standing = fresh ? TaskRecords.fresh(origin) : yield* Effect.orDie(store.standing(taskId))
    const history = fresh ? TaskRecords.noHistory : yield* Effect.orDie(store.history(taskId))
    // A start looks for the body before it takes a task up.
    const body = options.bodies.get(standing.version) ?? AgentTaskWorkflow.run
    const result = yield* body({
      input,
      execution,
      feed,
      standing: { ...standing, segment },
      history,
      maxSteps: options.maxSteps,
      progress: gotOn(taskId),
      restored: (step) => restoredSteps.step(taskId, step),
      waiting: (wait, expected) => inputs.expect(taskId, wait, expected)
    }).pipe(AgentTaskWorkflow.recordDefect(feed, taskId), Effect.provideContext(phases))
    if (isContinued(result)) {
      places.enter(taskId, result.segment)
      yield* start(input, result.segment)
    } else restoredSteps.forget(taskId)
    return result
  })

  // With a place, from the queue to the end.
  const placed = (
    input: TaskInput,
    segment: number,
    execution: Effect.Effect<StepWorkflow.Execution>,
    fresh: boolean
  ) => {
    places.enter(input.taskId, segment)
    return places.use(input, work(input, segment, execution, fresh)).pipe(
      Effect.ensuring(
        Effect.suspend(() => {
          places.leave(input.taskId, segment)
          return stopped(input.taskId)
        })
      )
    )
  }

  const lanes = TaskLanes.make<TaskOutput | Continued, ExecutorError>((input) => start(input, 0))

  const registration = engine.register(AgentTask, ({ input, segment }) =>
    Effect.gen(function* () {
      const { taskId } = input
      const execution = { engine, instance: yield* WorkflowInstance }
      const running = segment === 0 ? lanes.join(taskId, execution) : undefined
      if (running !== undefined) return yield* running
      const known = yield* Effect.orDie(store.get(taskId))
      if (Option.isSome(known) && isTerminal(known.value.state)) return yield* Effect.interrupt
      return yield* placed(input, segment, Effect.succeed(execution), false)
    })
  )
  yield* Scope.provide(registration, scope)

  const present = (taskId: string, task: Option.Option<TaskRecord>) =>
    Effect.mapError(Effect.fromOption(task), () => new TaskNotFound({ taskId }))
  const get = fnIfTraced("TaskRunner.get")((taskId: string) =>
    Effect.flatMap(store.get(taskId), (task) => present(taskId, task))
  )

  const reached = (taskId: string, wanted: (state: TaskState) => boolean) =>
    Effect.flatMap(feed.reached(taskId, wanted), (task) => present(taskId, task))

  const submit = fnIfTraced("TaskRunner.submit")(
    Effect.fnUntraced(function* (input: Omit<TaskInput, "taskId">) {
      if (draining) return yield* new Draining({ retryAfter: options.retryAfterSeconds })
      const { created, task } = yield* store.submit(input, options.maxUnfinished, origin)
      if (created) {
        // It records its own end; that of an execution that it may get into is the engine's.
        const lane = lanes.run(task.input, (execution) => placed(task.input, 0, execution, true))
        yield* Effect.forkIn(Effect.exit(lane), scope, { startImmediately: true })
      }
      return task
    }, Effect.uninterruptible)
  )

  const resume = Effect.fnUntraced(function* (taskId: string) {
    const task = yield* store.get(taskId)
    if (Option.isNone(task) || isTerminal(task.value.state)) return
    const { held, segment } = yield* store.standing(taskId)
    if (held !== undefined) return
    // An execution that is there goes on; one that was never begun is.
    yield* start(task.value.input, segment)
    yield* engine.resume(AgentTask, executionId(taskId, segment))
  })

  const isBusy = (taskId: string) => places.has(taskId) && !lanes.isWaiting(taskId)
  const survey = Effect.provideService(TaskWatch.survey(isBusy), TaskStore, store)

  const trial = Effect.fnUntraced(function* ({ input }: TaskRecord, { segment }: Standing) {
    const done = yield* Deferred.make<void>()
    trials.set(input.taskId, done)
    suspects.add(input.taskId)
    yield* store.note(input.taskId, { _tag: "TaskResumed", boot: "trial" })
    yield* start(input, segment)
    yield* Effect.timeoutOption(Deferred.await(done), trialTime)
    trials.delete(input.taskId)
    yield* suspects.clear(input.taskId)
  })

  const hold = (taskId: string, reason: typeof HoldReason.Type, detail: string) =>
    Effect.andThen(
      Effect.logError("the task is set aside", { taskId, reason, detail }),
      store.note(taskId, { _tag: "TaskHeld", reason, detail })
    )

  const boot = Effect.gen(function* () {
    const tasks = yield* store.unfinished
    if (tasks.length === 0) return
    yield* Effect.logInfo("resuming unfinished tasks", { count: tasks.length })
    const onTrial: Array<readonly [TaskRecord, Standing]> = []
    for (const task of tasks) {
      const { taskId } = task.input
      const standing = yield* store.standing(taskId)
      const decision = TaskBoot.decide(shipped, standing)
      switch (decision._tag) {
        case "Leave":
          yield* Effect.logWarning("the task stays set aside", { taskId, ...standing.held })
          break
        case "Orphaned":
          yield* hold(taskId, "code", TaskBoot.missingCode(shipped, standing, yield* store.history(taskId)))
          break
        case "Hold":
          yield* hold(taskId, decision.reason, decision.detail)
          break
        case "Trial":
          onTrial.push([task, standing])
          break
        default:
          if (decision._tag === "Release") yield* store.note(taskId, { _tag: "TaskReleased" })
          places.enter(taskId, standing.segment)
          suspects.add(taskId)
          yield* Effect.forkIn(Effect.delay(suspects.clear(taskId), trialTime), scope)
          yield* store.note(taskId, { _tag: "TaskResumed", boot: "start" })
          yield* start(task.input, standing.segment)
      }
    }
    for (const [{ input }, { segment }] of onTrial) places.enter(input.taskId, segment)
    const inOrder = onTrial.toSorted(([, a], [, b]) => a.boots - b.boots)
    yield* Effect.forEach(inOrder, ([task, standing]) => trial(task, standing), { discard: true }).pipe(
      Effect.catchCause((cause) => Effect.logError("unfinished tasks could not be taken up", cause)),
      Effect.forkIn(scope)
    )
  })
  yield* boot

  yield* Effect.forkIn(
    TaskWatch.watch(options.watch, {
      fire: (wait) => inputs.end(wait, Exit.succeed(null)),
      resume,
      give: inputs.giveUp,
      idle: Effect.map(survey, ({ idle }) => idle)
    }).pipe(Effect.provideService(TaskStore, store)),
    scope
  )

  // After an orderly end nobody is a suspect.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      closing = true
      const taken = draining ? places.tasks() : []
      return Effect.forEach(taken, (taskId) => store.note(taskId, { _tag: "TaskReleased" }), { discard: true })
    }).pipe(
      Effect.timeoutOption("1 second"),
      Effect.catch((error) => Effect.logWarning("the orderly end could not be noted", error))
    )
  )

  return TaskRunner.of({
    submit,
    get,

    result: Effect.fn("TaskRunner.result")((taskId) => reached(taskId, isTerminal)),
    settled: fnIfTraced("TaskRunner.settled")((taskId: string) => reached(taskId, isInterrupted)),

    past: fnIfTraced("TaskRunner.past")(
      Effect.fnUntraced(function* (taskId: string) {
        yield* get(taskId)
        return yield* store.events(taskId, 0)
      })
    ),

    epoch: store.epoch,
    events: (taskId, after) => Stream.unwrap(Effect.as(get(taskId), feed.events(taskId, after))),

    cancel: Effect.fn("TaskRunner.cancel")(function* (taskId) {
      const before = yield* get(taskId)
      if (isTerminal(before.state)) return yield* new TaskNotCancelable({ taskId, state: before.state })
      const { task } = yield* Effect.provideContext(AgentTaskWorkflow.end(feed, taskId, { state: "canceled" }), phases)
      // It may have ended by itself between the two: the store decides, once.
      if (task.state !== "canceled") return yield* new TaskNotCancelable({ taskId, state: task.state })
      const segment = places.segmentOf(taskId) ?? (yield* store.standing(taskId)).segment
      yield* engine.interruptUnsafe(AgentTask, executionId(taskId, segment))
      places.leave(taskId, segment)
      yield* lanes.interrupt(taskId)
      restoredSteps.forget(taskId)
      return task
    }, unlessRefused),

    provide: Effect.fn("TaskRunner.provide")((taskId, wait, value) =>
      Effect.andThen(get(taskId), unlessRefused(inputs.provide(taskId, wait, value)))
    ),

    receive: Effect.fn("TaskRunner.receive")(function* (taskId, message) {
      yield* unlessRefused(inputs.receive(yield* get(taskId), message))
      return yield* get(taskId)
    }),

    list: store.list,

    release: Effect.fn("TaskRunner.release")(function* (taskId) {
      const task = yield* get(taskId)
      const standing = yield* store.standing(taskId)
      if (standing.held === undefined) return yield* new TaskNotHeld({ taskId })
      if (!TaskBoot.hasCode(shipped, standing)) {
        const detail = TaskBoot.missingCode(shipped, standing, yield* store.history(taskId))
        return yield* new TaskCodeMissing({ taskId, detail })
      }
      yield* store.note(taskId, { _tag: "TaskReleased" })
      yield* resume(taskId)
      return task
    }, unlessRefused),

    retry: Effect.fn("TaskRunner.retry")(function* (taskId) {
      const { input, state } = yield* get(taskId)
      if (!isTerminal(state)) return yield* new TaskNotEnded({ taskId, state })
      return yield* submit(TaskRecords.again(input))
    }),

    health: Effect.gen(function* () {
      const { epochMilliseconds: now } = yield* DateTime.now
      const { held } = yield* survey
      const due = (yield* store.due(now)).map((wait) => TaskWatch.overdue(wait, now, options.watch))
      return { held, oldestDue: Math.max(0, ...due) }
    }).pipe(Effect.withSpan("TaskRunner.health")),

    activity: places.activity,
    activityChanges: places.changes,

    drain: Effect.suspend(() => {
      draining = true
      return places.changes.pipe(
        Stream.takeUntil((now) => now.running === 0 && now.queued === 0),
        Stream.runDrain
      )
    }).pipe(Effect.withSpan("TaskRunner.drain"))
  })
})

/** The runner with {@link defaults}. It resumes what a former process left unfinished, as soon as it is built. */
export const layerWith = (options: Partial<Options> = {}) => Layer.effect(TaskRunner, make({ ...defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
