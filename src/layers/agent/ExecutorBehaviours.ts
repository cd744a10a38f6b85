/**
 * An agent for tests of clients and for test kits: what it does with a message stands in a file.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { type Action, behaviourFor, Behaviours, BehavioursError } from "../../services/agent/Behaviours.ts"
import { TaskOutput } from "../../services/durable/AgentTask.ts"
import { type Part, textOf } from "../../services/durable/Content.ts"
import { artifact, ExecutorError, Step } from "../../services/durable/Step.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(Behaviours), { errors: "all" })

const answerOf = (parts: readonly [Part, ...ReadonlyArray<Part>] | undefined) =>
  parts === undefined ? new TaskOutput({ text: "" }) : new TaskOutput({ text: textOf(parts), parts })

const says = (text: string, word: string) => text.split(/[^\p{L}\p{N}-]+/u).includes(word)

// The answer where the action is the end.
const perform = Effect.fnUntraced(function* (action: Action, place: number) {
  const { ask, emit, sleep } = yield* Step
  switch (action.do) {
    case "artifact":
      return yield* emit(artifact(action.artifact, action))
    case "remark":
      return yield* emit({ _tag: "Remark", parts: action.parts })
    case "work":
      return yield* sleep(`work ${place}`, action.seconds * 1000)
    case "ask": {
      for (let round = 1; ; round++) {
        const { parts } = yield* ask({
          name: `question ${place}, ${round}`,
          parts: action.parts,
          kind: action.for ?? "input"
        })
        if (action.until === undefined || says(textOf(parts), action.until)) return undefined
      }
    }
    case "answer":
    case "complete":
      return answerOf(action.parts)
    case "fail":
      return yield* new ExecutorError({ reason: "failed", detail: action.detail })
    case "reject":
      return yield* new ExecutorError({ reason: "rejected", detail: action.detail })
  }
})

/** The executor of these behaviours. */
export const make = (behaviours: Behaviours): AgentExecutor["Service"] => ({
  name: "test-agent",
  inputModes: ["*/*"],
  outputModes: ["*/*"],
  replies: (task) => behaviourFor(behaviours, task)[0].do === "answer",
  execute: Effect.fn("ExecutorBehaviours.execute")(function* (task) {
    for (const [place, action] of behaviourFor(behaviours, task).entries()) {
      const answer = yield* perform(action, place)
      if (answer !== undefined) return answer
    }
    return answerOf(undefined)
  })
})

/** Reads the file; what is wrong with it is told with its place. */
export const read = Effect.fn("ExecutorBehaviours.read")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const wrong = (remedy: string) => (error: { readonly message: string }) =>
    new BehavioursError({ file, detail: error.message, remedy })
  const text = yield* Effect.mapError(fs.readFileString(file), wrong("name a file that can be read (--behaviours)"))
  return yield* Effect.mapError(decode(text), wrong("docs/a2a-test-agent.md tells what may stand there"))
})

/**
 * The agent of a file, as `docs/a2a-test-agent.md` describes it.
 *
 * **Example**
 *
 * ```ts
 * const Agent = ExecutorBehaviours.layerWith({ file: "behaviours.json" })
 * ```
 */
export const layerWith = ({ file }: { readonly file: string }) =>
  Layer.effect(AgentExecutor, Effect.map(read(file), make))
