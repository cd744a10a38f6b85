/**
 * `TaskRunner` without an engine: for agents whose tasks may end with their process, and that shall answer quickly.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { answerParts, type TaskOutput } from "../../services/durable/AgentTask.ts"
import { Message } from "../../services/durable/Content.ts"
import type { Cursor, Gap } from "../../services/durable/Cursor.ts"
import { artifact, type ExecutorError, output, Step } from "../../services/durable/Step.ts"
import {
  Draining,
  TaskNotCancelable,
  TaskNotEnded,
  TaskNotFound,
  TaskNotHeld,
  TaskRunner,
  TaskTakesNoMessage,
  WaitNotOpen
} from "../../services/durable/TaskRunner.ts"
import {
  isInterrupted,
  isSettled,
  isTerminal,
  MessageConflict,
  type TaskEvent,
  type TaskRecord,
  TooManyTasks
} from "../../services/durable/TaskStore.ts"
import { spanIfTraced } from "../tracing/spanIfTraced.ts"
import * as ExecutorSeam from "./executorSeam.ts"
import { askName } from "./stepWorkflow.ts"
import * as TaskIds from "./taskIds.ts"
import * as TaskPlaces from "./taskPlaces.ts"
import * as TaskRecords from "./taskRecords.ts"
import * as TransientStep from "./transientStep.ts"
import * as TransientTask from "./transientTask.ts"

/** The runner's bounds. */
export interface Options {
  /** How many tasks run at once. */
  readonly maxRunning: number
  /** How many tasks may be unfinished, those that run included; beyond it a message is refused. */
  readonly maxUnfinished: number
  /** What a refused sender is told to wait, in seconds. */
  readonly retryAfterSeconds: number
  /** How many tasks that have ended are kept. Those that ended first go first, and their messages with them. */
  readonly keepTasks: number
}

/** Four at once, a hundred in all, as where tasks are durable; of those that have ended the last 10,000. */
export const defaults: Options = { maxRunning: 4, maxUnfinished: 100, retryAfterSeconds: 5, keepTasks: 10_000 }

// By their lengths none of the three can run into another.
const keyOf = ({ caller, contextId, messageId }: TaskRecords.Submission) =>
  `${caller.length} ${contextId.length} ${caller}${contextId}${messageId}`

const encodeMessage = Schema.encodeEffect(Schema.toCodecJson(Message))

const make = Effect.fnUntraced(function* (options: Options) {
  const { maxUnfinished, retryAfterSeconds: retryAfter } = options
  const executor = yield* AgentExecutor
  const random = yield* SecureRandom.SecureRandom
  const clock = yield* Clock.Clock
  const scope = yield* Scope.fork(yield* Effect.scope)
  const epoch = (yield* random.uuidV4()).replaceAll("-", "").slice(0, 12)
  const newId = yield* TaskIds.make
  const places = yield* TaskPlaces.make(options.maxRunning)
  // Between reading and changing these nothing is waited for, so that no other fiber sees half of a change.
  const tasks = new Map<string, TransientTask.TransientTask>()
  const byMessage = new Map<string, TransientTask.TransientTask>()
  // Of those that have ended, the oldest is at `oldest` once there are as many as are kept.
  const ended: Array<TransientTask.TransientTask> = []
  let oldest = 0
  let unfinished = 0
  let draining = false

  // One object for all that happens in a millisecond: it is kept with every event.
  let latest = DateTime.makeUnsafe(0)
  const now = () => {
    const at = clock.currentTimeMillisUnsafe()
    if (DateTime.toEpochMillis(latest) !== at) latest = DateTime.makeUnsafe(at)
    return latest
  }

  const find = (taskId: string): Effect.Effect<TransientTask.TransientTask, TaskNotFound> => {
    const task = tasks.get(taskId)
    return task === undefined ? Effect.fail(new TaskNotFound({ taskId })) : Effect.succeed(task)
  }

  const end = (task: TransientTask.TransientTask, change: TaskRecords.Change) => {
    if (!TransientTask.advance(task, change, now())) return
    unfinished--
    const gone = options.keepTasks === 0 ? task : ended[oldest]
    if (options.keepTasks > 0) {
      ended[oldest] = task
      oldest = (oldest + 1) % options.keepTasks
    }
    if (gone === undefined) return
    tasks.delete(gone.record.input.taskId)
    byMessage.delete(keyOf(gone.record.input))
  }

  // Who follows the stream sees the answer even if the executor only returned it.
  const complete = (task: TransientTask.TransientTask, answer: TaskOutput) => {
    const parts = answerParts(answer)
    const { taskId } = task.record.input
    const isSaid = task.events.some(({ event }) => event._tag === "Output" || event._tag === "Artifact")
    if (parts.length > 0 && !isSaid) {
      const said = task.events.flatMap(({ attempt, number, step }) => (step === "" && attempt === 1 ? [number] : []))
      const event =
        answer.parts === undefined ? output(answer.text) : artifact({ artifactId: "answer", parts: answer.parts })
      TransientTask.append(task, { taskId, step: "", attempt: 1, number: Math.max(0, ...said) + 1, event }, now())
    }
    end(task, { state: "completed", output: answer })
  }

  const fail = (task: TransientTask.TransientTask, cause: Cause.Cause<ExecutorError>) => {
    // Who is interrupted was cancelled, and has ended, or ends with the process.
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    const { taskId } = task.record.input
    const failure = Cause.findError(cause)
    if (Result.isFailure(failure)) {
      end(task, { state: "failed", error: ExecutorSeam.internal })
      return Effect.logError("task ended by a defect", { taskId }, cause)
    }
    const { detail, reason } = failure.success
    const state = reason === "rejected" ? "rejected" : "failed"
    end(task, { state, error: failure.success })
    return Effect.logWarning(`task ${state}`, { taskId, reason, detail })
  }

  const run = (task: TransientTask.TransientTask) => {
    const { input } = task.record
    const { taskId } = input
    const parked = <A, E>(waiting: Effect.Effect<A, E>) => places.rest(input, waiting)
    const work = Effect.suspend(() => {
      TransientTask.advance(task, { state: "working" }, now())
      return Effect.matchCauseEffect(
        Effect.provideService(
          ExecutorSeam.call(executor.execute, input),
          Step,
          TransientStep.make({ task, now, parked })
        ),
        { onFailure: (cause) => fail(task, cause), onSuccess: (answer) => Effect.sync(() => complete(task, answer)) }
      )
    })
    places.enter(taskId, 0)
    return Effect.onExit(places.use(input, work), () => {
      task.fiber = undefined
      places.leave(taskId, 0)
      return Effect.void
    })
  }

  const accept = Effect.fnUntraced(function* (input: TaskRecords.Submission) {
    if (draining) return yield* new Draining({ retryAfter })
    const key = keyOf(input)
    const known = byMessage.get(key)
    if (known !== undefined) {
      const { record } = known
      if (TaskRecords.digestOf(record.input) === TaskRecords.digestOf(input)) return record
      return yield* new MessageConflict({ messageId: input.messageId, taskId: record.input.taskId })
    }
    if (unfinished >= maxUnfinished) {
      return yield* new TooManyTasks({ limit: maxUnfinished, retryAfter })
    }
    const taskId = yield* newId
    const at = now()
    const task = TransientTask.make({ input: { ...input, taskId }, state: "submitted", createdAt: at, updatedAt: at })
    unfinished++
    tasks.set(taskId, task)
    byMessage.set(key, task)
    const fiber = yield* Effect.forkIn(run(task), scope, { startImmediately: true })
    // Of one that has ended already nothing is kept.
    if (fiber.pollUnsafe() === undefined) task.fiber = fiber
    return task.record
  }, Effect.uninterruptible)

  const submit = (input: TaskRecords.Submission) => spanIfTraced("TaskRunner.submit", accept(input))

  const gapOf = (task: TransientTask.TransientTask, after: Cursor): Gap | undefined => {
    const reason = after.epoch !== epoch ? "epoch" : after.sequence > task.events.length ? "unknown" : undefined
    return reason === undefined ? undefined : { _tag: "Gap", reason, from: after, to: { epoch, sequence: 0 } }
  }

  const events = (task: TransientTask.TransientTask, after: Cursor | "start"): Stream.Stream<TaskEvent | Gap> => {
    const gap = after === "start" ? undefined : gapOf(task, after)
    const from = after === "start" || gap !== undefined ? 0 : after.sequence
    const said = Stream.fromPull(Effect.sync(() => TransientTask.read(task, from)))
    return gap === undefined ? said : Stream.concat(Stream.succeed(gap), said)
  }

  const receive = Effect.fnUntraced(function* (task: TransientTask.TransientTask, message: Message) {
    const { input, state } = task.record
    const { taskId } = input
    const before = task.events.flatMap(({ event }) => (event._tag === "Received" ? [event.message] : []))
    const same = before.find(({ messageId }) => messageId === message.messageId)
    if (same !== undefined && !Equal.equals(same, message)) {
      return yield* new MessageConflict({ messageId: message.messageId, taskId })
    }
    if (same !== undefined) return
    if (!isInterrupted(state)) return yield* new TaskTakesNoMessage({ taskId, state })
    const event = { _tag: "Received", message } as const
    const number = before.length + 1
    TransientTask.append(task, { taskId, step: TaskRecords.receivedStep, attempt: 1, number, event }, now())
    TransientTask.advance(task, { state: "working" }, now())
    const open = Array.from(task.waits.values()).find(({ wait }) => wait.startsWith(askName("")))
    open?.give(yield* Effect.orDie(encodeMessage(message)))
  }, Effect.uninterruptible)

  const waitFor = (taskId: string, wanted: (record: TaskRecord) => boolean) =>
    Effect.flatMap(find(taskId), (task) => TransientTask.when(task, wanted))

  const get = (taskId: string) => Effect.map(find(taskId), ({ record }) => record)

  return TaskRunner.of({
    submit,
    get,
    result: Effect.fn("TaskRunner.result")((taskId) => waitFor(taskId, ({ state }) => isTerminal(state))),
    settled: (taskId) => waitFor(taskId, ({ state }) => isSettled(state)),
    past: (taskId) => Effect.map(find(taskId), (task) => task.events.slice()),
    epoch,
    events: (taskId, after) => Stream.unwrap(Effect.map(find(taskId), (task) => events(task, after))),

    cancel: Effect.fn("TaskRunner.cancel")(function* (taskId) {
      const task = yield* find(taskId)
      const { state } = task.record
      if (isTerminal(state)) return yield* new TaskNotCancelable({ taskId, state })
      end(task, { state: "canceled" })
      task.fiber?.interruptUnsafe()
      return task.record
    }),

    provide: Effect.fn("TaskRunner.provide")(function* (taskId, wait, value) {
      const open = (yield* find(taskId)).waits.get(wait)
      if (open === undefined) {
        return yield* new WaitNotOpen({ taskId, wait, detail: "nothing is waited for under this name" })
      }
      if (!open.give(value)) {
        const detail = `the value does not fit what is waited for (${open.reason})`
        return yield* new WaitNotOpen({ taskId, wait, detail })
      }
    }),

    receive: Effect.fn("TaskRunner.receive")(function* (taskId, message) {
      const task = yield* find(taskId)
      yield* receive(task, message)
      return task.record
    }),

    list: Effect.fn("TaskRunner.list")((query) =>
      Effect.sync(() =>
        TaskRecords.pageOf(
          Array.from(tasks.values(), ({ record }) => record),
          query
        )
      )
    ),

    // Only what a start takes up again can be set aside.
    release: Effect.fn("TaskRunner.release")((taskId) =>
      Effect.andThen(find(taskId), Effect.fail(new TaskNotHeld({ taskId })))
    ),

    retry: Effect.fn("TaskRunner.retry")(function* (taskId) {
      const { input, state } = yield* get(taskId)
      if (!isTerminal(state)) return yield* new TaskNotEnded({ taskId, state })
      return yield* submit(TaskRecords.again(input))
    }),

    health: Effect.succeed({ held: [], oldestDue: 0 }),
    activity: places.activity,
    activityChanges: places.changes,

    drain: Effect.suspend(() => {
      draining = true
      return places.changes.pipe(
        Stream.takeUntil((one) => one.running === 0 && one.queued === 0),
        Stream.runDrain
      )
    }).pipe(Effect.withSpan("TaskRunner.drain"))
  })
})

/**
 * The runner; its tasks are gone with the layer, and those that have ended before, once there are too many of them.
 *
 * **Details**
 *
 * Each task is one fiber: a step runs in place and its result is not encoded, a wait is a fiber that waits, and there are
 * no checkpoints. A task that waits gives its place to others, as a suspended one does.
 *
 * **Example**
 *
 * ```ts
 * const Tasks = TaskRunnerTransient.layer.pipe(Layer.provide(Layer.merge(ExecutorEcho.layer, NodeCrypto.layer)))
 * ```
 */
export const layerWith = (options: Partial<Options> = {}) => Layer.effect(TaskRunner, make({ ...defaults, ...options }))

/** {@link layerWith} without changes. */
export const layer = layerWith()
