/**
 * The agent of our servers. What it does is the message's first word; `sdkServer.mjs` does the same with the SDK.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { artifact, output, Step } from "../../src/services/durable/Step.ts"

const nothingMore = new TaskOutput({ text: "" })

/** Now, in milliseconds with fractions, on a clock that all processes share. */
const now = () => performance.timeOrigin + performance.now()

/**
 * - `say`: a message.
 * - `task`: a task with one artifact.
 * - `chunks <n>`: an artifact in `n` pieces.
 * - `paced <n> <every> <delay>`: the same, with pauses in milliseconds; each piece is its number and the time.
 */
export const layer = Layer.succeed(AgentExecutor, {
  name: "bench",
  replies: ({ text }) => text.startsWith("say"),
  execute: Effect.fnUntraced(function* ({ text }) {
    const [word, ...numbers] = text.split(" ")
    if (word === "say") return new TaskOutput({ text: "hello" })
    const { emit } = yield* Step
    if (word === "task") {
      yield* emit(artifact({ artifactId: "answer", parts: [{ text: "hello" }] }))
      return nothingMore
    }
    const [count = 10, every = 0, delay = 0] = numbers.map(Number)
    if (word === "paced") yield* Effect.sleep(delay)
    for (let piece = 0; piece < count; piece++) {
      yield* emit(output(word === "paced" ? `${piece} ${now()};` : `piece ${piece};`))
      if (word === "paced") yield* Effect.sleep(every)
    }
    return nothingMore
  })
})
