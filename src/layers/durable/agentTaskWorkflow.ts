/**
 * The body of the `AgentTask` workflow: its three phases and their checkpoints.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { type Phase, phases, type TaskInput, type TaskOutput } from "../../services/durable/AgentTask.ts"
import { Checkpoint } from "../../services/durable/Checkpoint.ts"
import { type ExecutorError, output, Step } from "../../services/durable/Step.ts"
import { isTerminal, TaskStore } from "../../services/durable/TaskStore.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import * as StepWorkflow from "./stepWorkflow.ts"
import type { TaskFeed } from "./taskFeed.ts"

/**
 * Saves the checkpoint of a phase. A store that refuses or is away never fails the task: it is logged, and the journal
 * still knows.
 */
export const savePhase = Effect.fnUntraced(function* (taskId: string, phase: Phase, payload: Schema.Json) {
  const checkpoint = yield* Checkpoint
  const { workspaceId } = yield* PlatformConfig
  yield* checkpoint
    .save({ workspaceId, workflowId: taskId, stepName: phase, stepIndex: phases.indexOf(phase), payload })
    .pipe(Effect.catch((error) => Effect.logError("checkpoint not saved", { phase, error: error.message })))
})

const describe = (error: ExecutorError): Schema.Json => ({
  reason: error.reason,
  detail: error.detail,
  ...(error.exitCode === undefined ? undefined : { exit_code: error.exitCode })
})

// Who follows the stream sees the answer even if the executor only returned it.
const streamAnswer = Effect.fnUntraced(function* (input: TaskInput, feed: TaskFeed, answer: TaskOutput) {
  const store = yield* TaskStore
  const events = yield* store.events(input.taskId, 0)
  if (answer.text === "" || events.some(({ event }) => event._tag === "Output")) return
  yield* feed.append({ taskId: input.taskId, step: "answer", attempt: 1, number: 1, event: output(answer.text) })
})

/**
 * Runs one task in the workflow that it is called from.
 *
 * **Details**
 *
 * What stands here outside of a step is replayed, so each write is one that may be repeated: the checkpoint of a phase
 * replaces itself, an event is known by its key, and a terminal state is never left.
 */
export const run = Effect.fnUntraced(
  function* (input: TaskInput, feed: TaskFeed) {
    const store = yield* TaskStore
    const executor = yield* AgentExecutor
    const { taskId } = input

    const known = yield* store.get(taskId)
    if (Option.isSome(known) && isTerminal(known.value.state)) return yield* Effect.interrupt

    yield* feed.setState(taskId, { state: "working" })
    yield* savePhase(taskId, "task_receive", {
      task_id: taskId,
      status: "received",
      context_id: input.contextId,
      message_id: input.messageId,
      caller: input.caller,
      text: input.text
    })

    const step = yield* StepWorkflow.make(taskId, feed)
    const result = yield* executor.execute(input).pipe(Effect.provideService(Step, step), Effect.result)
    if (Result.isSuccess(result)) {
      yield* streamAnswer(input, feed, result.success)
      yield* savePhase(taskId, "llm_call", { success: true, error: null, text: result.success.text })
      yield* savePhase(taskId, "task_complete", { task_id: taskId, status: "completed" })
      yield* feed.setState(taskId, { state: "completed", output: result.success })
      yield* Effect.logInfo("task completed")
      return result.success
    }
    yield* savePhase(taskId, "llm_call", { success: false, error: describe(result.failure) })
    yield* savePhase(taskId, "task_complete", { task_id: taskId, status: "failed" })
    yield* feed.setState(taskId, { state: "failed", error: result.failure })
    yield* Effect.logWarning("task failed", { reason: result.failure.reason, detail: result.failure.detail })
    return yield* result.failure
  },
  (effect, input) =>
    effect.pipe(
      Effect.catchTag("TaskStoreError", (error) => Effect.fail(StepWorkflow.storeFailure(error))),
      Effect.annotateLogs({ taskId: input.taskId }),
      Effect.withSpan("AgentTask.run", { attributes: { taskId: input.taskId } })
    )
)
