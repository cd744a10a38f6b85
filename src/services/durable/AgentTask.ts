/**
 * The durable workflow behind every message: receive, let the agent work, complete.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { Message, Part, textPart } from "./Content.ts"
import { ExecutorError } from "./Step.ts"

/** The task's phases in order; the position of a phase is its checkpoint's index. The names are the original runtime's. */
export const phases = ["task_receive", "llm_call", "task_complete"] as const
/** One of {@link phases}. */
export type Phase = (typeof phases)[number]

/** What an executor is given: the message, and who wants it done. */
export const TaskInput = Schema.Struct({
  taskId: Schema.String,
  /** The conversation that the sender counts the message to; empty if it named none. */
  contextId: Schema.String,
  /** The sender's id of the message; with caller and context it is the key by which a repeat is recognised. */
  messageId: Schema.String,
  /** The workspace that sent the message, or `admin`. */
  caller: Schema.String,
  /** The message's text parts, joined by line breaks. */
  text: Schema.String,
  /** The whole message, where it is more than that text; see {@link messageOf}. */
  message: Schema.optionalKey(Message)
})
/** The type of {@link TaskInput}. */
export type TaskInput = typeof TaskInput.Type

/** The message that a task began with. */
export const messageOf = ({ contextId, message, messageId, text }: Omit<TaskInput, "taskId">): Message =>
  message ?? {
    messageId,
    role: "ROLE_USER",
    parts: [textPart(text)],
    ...(contextId === "" ? undefined : { contextId })
  }

/** What an executor gives back: the whole answer. */
export class TaskOutput extends Schema.Class<TaskOutput>("molecule-effect/TaskOutput")({
  text: Schema.String,
  /** The answer, where it is more than that text. */
  parts: Schema.optionalKey(Schema.NonEmptyArray(Part))
}) {}

/** The parts of an answer; none if it is empty, because everything was said by events. */
export const answerParts = ({ parts, text }: TaskOutput): ReadonlyArray<Part> =>
  parts ?? (text === "" ? [] : [textPart(text)])

/** Annotates a workflow whose unfinished executions somebody else takes up again, not the engine by itself. */
export const ResumedByCaller = Context.Reference<boolean>(
  "molecule-effect/services/durable/AgentTask/ResumedByCaller",
  {
    defaultValue: () => false
  }
)

/**
 * The version of the body of {@link AgentTask}: raised whenever what it journals, or in which order, changes. It is stored
 * with each task, which is run by a body of that version only.
 */
export const agentTaskVersion = 1

/** An execution of {@link AgentTask} that has done as much as one may: the task goes on in the next. */
export class Continued extends Schema.TaggedClass<Continued>()("Continued", {
  segment: Schema.Int
}) {}

/**
 * The workflow of one task, or of a segment of one that takes many steps. Its execution is `<task>/<segment>`.
 *
 * **Details**
 *
 * `llm_call` is a phase and not an activity: its turns and tools are the activities (see `Step`), and its checkpoint is
 * written when the phase ends. The checkpoints are saved under the task's id with index 0, 1 and 2; those of the steps
 * under `<task>/llm_call`. All versions have this one name: which body runs a task is for its record to say.
 */
export const AgentTask = Workflow.make("AgentTask", {
  payload: { input: TaskInput, segment: Schema.Int },
  success: Schema.Union([TaskOutput, Continued]),
  error: ExecutorError,
  idempotencyKey: ({ input, segment }) => executionId(input.taskId, segment)
}).annotate(ResumedByCaller, true)

/** The id of the execution that a task is in. */
export const executionId = (taskId: string, segment: number): string => `${taskId}/${segment}`
