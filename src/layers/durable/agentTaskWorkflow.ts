/**
 * The body of the `AgentTask` workflow: its three phases and their checkpoints.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
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
const streamAnswer = Effect.fnUntraced(function* (input: TaskInput, feed: TaskFeed, answer: TaskOutput) {
  const store = yield* TaskStore
  const events = yield* store.events(input.taskId, 0)
  const parts = answerParts(answer)
  if (parts.length === 0 || events.some(({ event }) => event._tag === "Output" || event._tag === "Artifact")) return
  const event =
    answer.parts === undefined ? output(answer.text) : artifact({ artifactId: "answer", parts: answer.parts })
  // Behind what the executor has said outside of its steps; once it is there, a replay finds it above.
  const said = events.flatMap(({ attempt, number, step }) => (step === "" && attempt === 1 ? [number] : []))
  yield* feed.append({ taskId: input.taskId, step: "", attempt: 1, number: Math.max(0, ...said) + 1, event })
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

const finish = Effect.fnUntraced(function* ({ feed, input }: Run, result: Result.Result<TaskOutput, ExecutorError>) {
  const { taskId } = input
  if (Result.isSuccess(result)) {
    yield* streamAnswer(input, feed, result.success)
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
  if (Option.isSome(known) && known.value.state === "submitted") yield* feed.setState(taskId, { state: "working" })
  if (standing.segment > 0 || standing.restored || (yield* InFlight).isKept) return
  yield* savePhase(taskId, "task_receive", TaskReceive.payload(input, standing))
})

/**
 * Runs one task in the workflow that it is called from, to its end or as far as one execution goes.
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
    const instance = yield* WorkflowInstance
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
    const step = yield* StepWorkflow.make({
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
        return yield* Workflow.suspend(instance)
      default:
        return yield* finish(run, worked)
    }
  },
  (effect, { input }) =>
    effect.pipe(
      Effect.catchTag("TaskStoreError", (error) => Effect.fail(StepWorkflow.storeFailure(error))),
      Effect.annotateLogs({ taskId: input.taskId }),
      Effect.withSpan("AgentTask.run", { attributes: { taskId: input.taskId } })
    )
)

/** A body of the workflow, of one version. */
export type Body = typeof run
