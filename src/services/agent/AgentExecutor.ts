/**
 * The brain of a workspace.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { TaskInput, TaskOutput } from "../durable/AgentTask.ts"
import type { ExecutorError, Step } from "../durable/Step.ts"

/**
 * Turns a task into an answer.
 *
 * **Details**
 *
 * An executor is an Effect over a task: what it does through `Step.step` is durable, what it says through `Step.emit` is
 * streamed, and there is no second way. It is interrupted when its task is cancelled and must then leave nothing running.
 *
 * **Example**
 *
 * ```ts
 * const shout = ExecutorFunction.layer((task) => Effect.succeed(new TaskOutput({ text: task.text.toUpperCase() })))
 * ```
 */
export class AgentExecutor extends Context.Service<
  AgentExecutor,
  {
    /** For the agent card and the logs. */
    readonly name: string
    /**
     * Names the code: the executor with its version and the schemas of its tools. It is stored with each task, which is
     * never replayed into other code. The name, if not given; change it whenever the order or meaning of steps changes.
     */
    readonly code?: string
    /** Code of older tasks that can still be run, by its name. */
    readonly previous?: Readonly<Record<string, (task: TaskInput) => Effect.Effect<TaskOutput, ExecutorError, Step>>>
    /** Media types of parts that it takes (`image/*` and the like are allowed): text only, if not given. */
    readonly inputModes?: ReadonlyArray<string>
    /** Media types of what it answers: text, if not given. */
    readonly outputModes?: ReadonlyArray<string>
    /** Is this message answered by a message, without a task to follow? Never, if not given. */
    readonly replies?: (task: TaskInput) => boolean
    readonly execute: (task: TaskInput) => Effect.Effect<TaskOutput, ExecutorError, Step>
  }
>()("molecule-effect/services/agent/AgentExecutor") {}
