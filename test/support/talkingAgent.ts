/**
 * An executor for tests of clients. What it does with a message depends on its first word: `say` answers with a message;
 * `task` makes an artifact of every kind of part; `chunks <n>` says n pieces; `wait` works until it is cancelled; `ask` and
 * `auth` need something, and go on with what they get; `fail` and `reject` do not do it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { textPart } from "../../src/services/durable/Content.ts"
import { artifact, ExecutorError, output, question, Step } from "../../src/services/durable/Step.ts"

const saying = Effect.fnUntraced(function* (many: number) {
  const { emit, step } = yield* Step
  // In several steps, of which a restart repeats none that is done.
  for (let n = 0; n < many; n += 10) {
    const numbers = Array.from({ length: Math.min(10, many - n) }, (_, index) => n + index)
    const piece = (number: number) => Effect.andThen(emit(output(`${number};`)), Effect.sleep("10 millis"))
    yield* step(`from ${n}`, Schema.Void, Effect.forEach(numbers, piece, { discard: true }))
  }
})

const execute: AgentExecutor["Service"]["execute"] = Effect.fnUntraced(function* ({ text }) {
  const { ask, emit } = yield* Step
  const [word = "", ...rest] = text.split(" ")
  switch (word) {
    case "say":
      return new TaskOutput({ text: rest.join(" ") })
    case "chunks":
      yield* saying(Number(rest[0]))
      return new TaskOutput({ text: "" })
    case "wait":
      return yield* Effect.never
    case "ask":
    case "auth": {
      const { parts } = yield* ask({
        name: "which",
        parts: question("which one?"),
        kind: word === "auth" ? "auth" : "input"
      })
      const given = parts.map((part) => ("text" in part ? part.text : "")).join(" ")
      return new TaskOutput({ text: `done: ${given}` })
    }
    case "fail":
      return yield* new ExecutorError({ reason: "failed", detail: "it broke" })
    case "reject":
      return yield* new ExecutorError({ reason: "rejected", detail: "not mine" })
    default:
      yield* emit(
        artifact({
          artifactId: "all",
          parts: [
            textPart(`done: ${rest.join(" ")}`),
            { data: { answer: 42 } },
            { raw: "Ynl0ZXM=", filename: "a.bin", mediaType: "application/octet-stream" },
            { url: "https://files.example/b.txt", filename: "b.txt", mediaType: "text/plain" }
          ]
        })
      )
      return new TaskOutput({ text: "" })
  }
})

// oxlint-disable-next-line import/no-default-export -- the contract of MOLECULE_EXECUTOR_MODULE
export default {
  name: "talking",
  inputModes: ["*/*"],
  outputModes: ["*/*"],
  replies: ({ text }: { readonly text: string }) => text.startsWith("say "),
  execute
}
