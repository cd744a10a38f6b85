/**
 * The executor that says what it was told.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../services/durable/AgentTask.ts"
import { output, Step } from "../../services/durable/Step.ts"

/** The most chunks that one message gets. */
export const maxChunks = 100_000

const chunksOf = (text: string): ReadonlyArray<string> => {
  const count = Number(/^chunks ([1-9]\d{0,5})$/.exec(text.trim())?.[1] ?? 0)
  return count === 0 || count > maxChunks ? [text] : Array.from({ length: count }, (_, index) => `chunk ${index + 1}\n`)
}

/**
 * Answers the message's own text, in one event; for tests, benches and a first look. The text `chunks N` is answered by
 * N lines in N events, N being at most {@link maxChunks}.
 *
 * **Details**
 *
 * It has no step: what it says is outside of any, and is recognised as said when a task is replayed.
 */
export const layer = Layer.succeed(
  AgentExecutor,
  AgentExecutor.of({
    name: "echo",
    execute: Effect.fn("ExecutorEcho.execute")(function* (task) {
      const { emit } = yield* Step
      const chunks = chunksOf(task.text)
      yield* Effect.forEach(chunks, (chunk) => emit(output(chunk)), { discard: true })
      return new TaskOutput({ text: chunks.join("") })
    })
  })
)
