/**
 * An agent without a model: three turns, each with a tool call, always the same.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { type TaskInput, TaskOutput } from "../../services/durable/AgentTask.ts"
import { type ExecutorError, output, progress, Step } from "../../services/durable/Step.ts"

/** How many turns a task takes. */
export const turns = 3

/** One call of the tool: what the turn asks for. */
export interface ToolCall {
  readonly task: TaskInput
  /** From 1 to {@link turns}. */
  readonly turn: number
  readonly argument: string
}

/** What the script calls out to; tests count these and crash in them. */
export interface Options<R = never> {
  /** The model's turn: what it asks of the tool. It names the turn and the length of what it knows so far unless given. */
  readonly model?: (
    call: Omit<ToolCall, "argument"> & { readonly known: string }
  ) => Effect.Effect<string, ExecutorError, R>
  /** The tool. It answers its argument in brackets unless given. */
  readonly tool?: (call: ToolCall) => Effect.Effect<string, ExecutorError, R>
}

/** The steps of a task in their order: `turn-1`, `tool-1`, `turn-2` and so on. */
export const stepNames: ReadonlyArray<string> = Array.from({ length: turns }, (_, index) => [
  `turn-${index + 1}`,
  `tool-${index + 1}`
]).flat()

/**
 * The scripted agent; for tests of engines. Its answer has a line for each turn, and depends on the message and on what
 * model and tool answer, on nothing else.
 *
 * **Details**
 *
 * Each turn and each tool call is a step. A turn says what it asks from inside its step; the tool's answer is said
 * outside, so that both kinds of event are there.
 *
 * **Example**
 *
 * ```ts
 * const Counted = ExecutorScripted.layerWith({ tool: ({ turn }) => Effect.as(Ref.update(runs, (n) => n + 1), `${turn}`) })
 * ```
 */
export const layerWith = <R = never>(options: Options<R> = {}) => {
  const model = options.model ?? (({ known, turn }) => Effect.succeed(`turn ${turn} knows ${known.length}`))
  const tool = options.tool ?? (({ argument }) => Effect.succeed(`[${argument}]`))

  return Layer.effect(
    AgentExecutor,
    Effect.map(Effect.context<R>(), (context) =>
      AgentExecutor.of({
        name: "scripted",
        execute: Effect.fn("ExecutorScripted.execute")(function* (task) {
          const { emit, step } = yield* Step
          let known = task.text
          let answer = ""
          for (let turn = 1; turn <= turns; turn++) {
            const before = known
            const argument = yield* step(
              `turn-${turn}`,
              Schema.String,
              model({ task, turn, known: before }).pipe(
                Effect.provideContext(context),
                Effect.tap((asked) => emit(progress(`calling the tool with ${asked}`)))
              )
            )
            const answered = yield* step(
              `tool-${turn}`,
              Schema.String,
              Effect.provideContext(tool({ task, turn, argument }), context)
            )
            const line = `${turn}: ${answered}\n`
            yield* emit(output(line))
            known += line
            answer += line
          }
          return new TaskOutput({ text: answer })
        })
      })
    )
  )
}

/** {@link layerWith} without options. */
export const layer = layerWith()
