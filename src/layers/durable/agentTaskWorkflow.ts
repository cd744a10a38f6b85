/**
 * The body of the `AgentTask` workflow: its three phases and their checkpoints.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import {
  answerParts,
  Continued,
  type Phase,
  phases,
  type TaskInput,
  type TaskOutput
} from "../../services/durable/AgentTask.ts"
import { Checkpoint } from "../../services/durable/Checkpoint.ts"
import { InFlight } from "../../services/durable/InFlight.ts"
import { Staging } from "../../services/durable/Journal.ts"
import { artifact, type ExecutorError, output, Step } from "../../services/durable/Step.ts"
import { TaskStore } from "../../services/durable/TaskStore.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { spanIfTraced } from "../tracing/spanIfTraced.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"
import * as ExecutorSeam from "./executorSeam.ts"
import * as Segment from "./segment.ts"
import * as StepNames from "./stepNames.ts"
import * as StepWorkflow from "./stepWorkflow.ts"
import type { TaskFeed } from "./taskFeed.ts"
import type { Expected } from "./taskInputs.ts"
import * as TaskReceive from "./taskReceive.ts"
import type { Change } from "./taskRecords.ts"

/** Saves a checkpoint. A store that refuses or is away never fails the task: it is logged, and the journal still knows. */
export const save = Effect.fnUntraced(function* (
  workflowId: string,
  stepName: string,
  stepIndex: number,
  payload: Schema.Json
) {
  const checkpoint = yield* Checkpoint
  const { workspaceId } = yield* PlatformConfig
  yield* checkpoint
    .save({ workspaceId, workflowId, stepName, stepIndex, payload })
    .pipe(
      Effect.catch((error) =>
        Effect.logError("checkpoint not saved", { workflowId, step: stepName, error: error.message })
      )
    )
})

const savePhase = (taskId: string, phase: Phase, payload: Schema.Json) =>
  save(taskId, phase, phases.indexOf(phase), payload)

const describe = (error: ExecutorError): Schema.Json => ({
  reason: error.reason,
  detail: error.detail,
  ...(error.exitCode === undefined ? undefined : { exit_code: error.exitCode })
})

// Who follows the stream sees the answer even if the executor only returned it.
const streamAnswer = Effect.fnUntraced(function* ({ feed, input }: Run, answer: TaskOutput, said: StepWorkflow.Said) {
  const parts = answerParts(answer)
  if (parts.length === 0 || said.answered) return
  // What former runs have said is in the store.
  const store = yield* TaskStore
  const events = yield* store.events(input.taskId, 0)
  if (events.some(({ event }) => event._tag === "Output" || event._tag === "Artifact")) return
  const event =
    answer.parts === undefined ? output(answer.text) : artifact({ artifactId: "answer", parts: answer.parts })
  // Behind what the executor has said outside of its steps; once it is there, a replay finds it above.
  const numbers = events.flatMap(({ attempt, number, step }) => (step === "" && attempt === 1 ? [number] : []))
  const number = Math.max(said.last, ...numbers) + 1
  yield* feed.say({ taskId: input.taskId, step: "", attempt: 1, number, event })
})

/** What a run of a task brings along. */
export interface Run extends Omit<StepWorkflow.Run, "taskId" | "segment" | "save" | "waiting"> {
  readonly input: TaskInput
  readonly maxSteps: number
  /** Makes known how a value for an open wait is checked, and which place among the task's steps it has. */
  readonly waiting: (name: string, expected: Expected) => void
}

// The executor that began the task: this one, or the one of its older code that is still shipped. No other: a start sees
// to it that a task without its code is not run.
const executorOf = (executor: AgentExecutor["Service"], code: string): AgentExecutor["Service"]["execute"] => {
  if (code === "" || code === codeOf(executor)) return executor.execute
  const { previous = {} } = executor
  const older = Object.hasOwn(previous, code) ? previous[code] : undefined
  return older ?? (() => Effect.die(new Error(`the code ${code} that began the task is not here`)))
}

/** The name of an executor's code. */
export const codeOf = ({ code, name }: AgentExecutor["Service"]): string => code ?? name

type End =
  | Extract<Change, { readonly output: TaskOutput } | { readonly error: ExecutorError }>
  | { readonly state: "canceled" }

const saveEnd = Effect.fnUntraced(function* (taskId: string, change: End) {
  if (change.state === "completed") {
    yield* savePhase(taskId, "llm_call", { success: true, error: null, text: change.output.text })
  } else if (change.state !== "canceled") {
    yield* savePhase(taskId, "llm_call", { success: false, error: describe(change.error) })
  }
  yield* savePhase(taskId, "task_complete", { task_id: taskId, status: change.state })
})

/** Ends a task: the checkpoints of its last phases and its last state, in one commit where the store has commits. */
export const end = (feed: TaskFeed, taskId: string, change: End) =>
  Effect.suspend(() =>
    Effect.andThen(saveEnd(taskId, change), feed.setState(taskId, change)).pipe(Effect.provideService(Staging, []))
  )

/** The workflow records its own end. This is the end that it could not record; a terminal state stays. */
export const recordDefect =
  (feed: TaskFeed, taskId: string) =>
  <A, R>(effect: Effect.Effect<A, ExecutorError, R>) =>
    Effect.catchCauseIf(effect, Cause.hasDies, (cause) =>
      Effect.logError("task ended by a defect", cause).pipe(
        Effect.andThen(end(feed, taskId, { state: "failed", error: ExecutorSeam.internal })),
        Effect.catch((error) => Effect.logError("the task's end could not be saved", error)),
        Effect.andThen(Effect.fail(ExecutorSeam.internal))
      )
    )

const finish = Effect.fnUntraced(function* (
  run: Run,
  result: Result.Result<TaskOutput, ExecutorError>,
  said: StepWorkflow.Said
) {
  const { feed, input } = run
  const { taskId } = input
  if (Result.isSuccess(result)) {
    yield* streamAnswer(run, result.success, said)
    yield* end(feed, taskId, { state: "completed", output: result.success })
    yield* Effect.logInfo("task completed")
    return result.success
  }
  const state = result.failure.reason === "rejected" ? "rejected" : "failed"
  yield* end(feed, taskId, { state, error: result.failure })
  yield* Effect.logWarning(`task ${state}`, { reason: result.failure.reason, detail: result.failure.detail })
  return yield* result.failure
})

const begin = Effect.fnUntraced(function* ({ feed, input, standing }: Run) {
  const { taskId } = input
  const known = yield* (yield* TaskStore).get(taskId)
  // A task that is taken up again may be waiting for its sender.
  if (Option.isSome(known) && known.value.state === "submitted") yield* feed.move(taskId, { state: "working" })
  if (standing.segment > 0 || standing.restored || (yield* InFlight).isKept) return
  yield* savePhase(taskId, "task_receive", TaskReceive.payload(input, standing))
})

/**
 * Runs one task to its end, or as far as one execution goes.
 *
 * **Details**
 *
 * What stands here outside of a step is replayed, so each write is one that may be repeated: the checkpoint of a phase
 * replaces itself, an event is known by its key, and a terminal state is never left.
 */
export const run = Effect.fnUntraced(
  function* (run: Run) {
    const executor = yield* AgentExecutor
    const store = yield* TaskStore
    const saving = yield* Effect.context<Checkpoint | PlatformConfig>()
    const { input, standing } = run
    const { taskId } = input
    yield* begin(run)

    const segment = Segment.make(run.history, run.maxSteps)
    const base = standing.segment * run.maxSteps
    const order = new Map<string, number>()
    const place = (name: string) => {
      if (!order.has(name)) order.set(name, base + order.size)
      return order.get(name) ?? base
    }
    const { said, step } = yield* StepWorkflow.make({
      ...run,
      taskId,
      segment,
      save: (name, encoded) =>
        Effect.provideContext(save(CheckpointEntries.stepsOf(taskId), name, place(name), encoded), saving),
      waiting: (name, accepts) => run.waiting(name, { accepts, place: place(StepNames.waitName(name)) })
    })
    const worked = yield* segment
      .executing(ExecutorSeam.call(executorOf(executor, standing.code), input))
      .pipe(Effect.provideService(Step, step), Effect.result, Effect.raceFirst(Deferred.await(segment.verdict)))
    switch (worked._tag) {
      case "Continue": {
        const next = standing.segment + 1
        yield* store.note(taskId, { _tag: "SegmentBegan", segment: next, steps: worked.steps })
        return new Continued({ segment: next })
      }
      case "Hold":
        yield* Effect.logError("the task is held", { detail: worked.detail })
        yield* store.note(taskId, { _tag: "TaskHeld", reason: "code", detail: worked.detail })
        return yield* Workflow.suspend((yield* run.execution).instance)
      default:
        return yield* finish(run, worked, said())
    }
  },
  (effect, { input }) =>
    effect.pipe(
      Effect.catchTag("TaskStoreError", (error) => Effect.fail(StepWorkflow.storeFailure(error))),
      Effect.annotateLogs({ taskId: input.taskId }),
      (run) => spanIfTraced("AgentTask.run", run)
    )
)

/** A body of the workflow, of one version. */
export type Body = typeof run
