/**
 * An executor made of any function.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import type { TaskInput, TaskOutput } from "../../services/durable/AgentTask.ts"
import type { ExecutorError, Step } from "../../services/durable/Step.ts"

/** How the executor calls itself. */
export interface Options {
  /** For the agent card and the logs. */
  readonly name: string
}

/**
 * Makes `f` the workspace's brain. What `f` needs besides `Step` is taken when the layer is built.
 *
 * **Example**
 *
 * ```ts
 * const Shout = ExecutorFunction.layer(
 *   (task) => Effect.succeed(new TaskOutput({ text: task.text.toUpperCase() })),
 *   { name: "shout" }
 * )
 * ```
 */
export function layer<R = never>(
  f: (task: TaskInput) => Effect.Effect<TaskOutput, ExecutorError, R>,
  options?: Options
): Layer.Layer<AgentExecutor, never, Exclude<R, Step>>
/** The same with `R` for what is left without `Step`: TypeScript cannot see that `Step | Exclude<R, Step>` covers `R`. */
export function layer<R>(
  f: (task: TaskInput) => Effect.Effect<TaskOutput, ExecutorError, Step | R>,
  options: Options = { name: "function" }
): Layer.Layer<AgentExecutor, never, R> {
  return Layer.effect(
    AgentExecutor,
    Effect.map(Effect.context<R>(), (context) =>
      AgentExecutor.of({
        name: options.name,
        execute: Effect.fn("ExecutorFunction.execute")(
          (task: TaskInput) =>
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript cannot see that R without what is provided is Step
            Effect.provideContext(f(task), context) as Effect.Effect<TaskOutput, ExecutorError, Step>
        )
      })
    )
  )
}
