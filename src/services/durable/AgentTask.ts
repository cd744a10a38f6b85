/**
 * The durable workflow behind every message: receive, let the agent work, complete.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { ExecutorError } from "./Step.ts"

/** The task's phases in order; the position of a phase is its checkpoint's index. The names are the original runtime's. */
export const phases = ["task_receive", "llm_call", "task_complete"] as const
/** One of {@link phases}. */
export type Phase = (typeof phases)[number]

/** What an executor is given: the message, and who wants it done. */
export class TaskInput extends Schema.Class<TaskInput>("molecule-effect/TaskInput")({
  taskId: Schema.String,
  /** The conversation that the sender counts the message to; empty if it named none. */
  contextId: Schema.String,
  /** The sender's id of the message; with caller and context it is the key by which a repeat is recognised. */
  messageId: Schema.String,
  /** The workspace that sent the message, or `admin`. */
  caller: Schema.String,
  /** The message's text parts, joined by line breaks. */
  text: Schema.String
}) {}

/** What an executor gives back: the whole answer. */
export class TaskOutput extends Schema.Class<TaskOutput>("molecule-effect/TaskOutput")({
  text: Schema.String
}) {}

/**
 * The workflow of one task. Its execution is identified by the task's id.
 *
 * **Details**
 *
 * `llm_call` is a phase and not an activity: its turns and tools are the activities (see `Step`), and its checkpoint is
 * written when the phase ends. The checkpoints are saved under the task's id with index 0, 1 and 2.
 */
export const AgentTask = Workflow.make("AgentTask", {
  payload: TaskInput,
  success: TaskOutput,
  error: ExecutorError,
  idempotencyKey: (input) => input.taskId
})
