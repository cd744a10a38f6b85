/** The operations over a task runner on a journal in a file, with an agent that does as the message says. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as OperationsDurable from "../../../src/layers/a2a/OperationsDurable.ts"
import * as PushJournal from "../../../src/layers/a2a/PushJournal.ts"
import { A2AOperations, type Call, type Events } from "../../../src/services/a2a/A2AOperations.ts"
import type * as P from "../../../src/services/a2a/A2AProtocol.ts"
import type { PushConfigs } from "../../../src/services/a2a/PushConfigs.ts"
import type { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { type Message, textOf } from "../../../src/services/durable/Content.ts"
import { artifact, ExecutorError, output, progress, question, Step } from "../../../src/services/durable/Step.ts"
import { boot, type Execute } from "../../support/runner.ts"

/** `ask` asks once, `reject` does not do it, `parts` answers with two artifacts in pieces, all else is echoed. */
export const execute: Execute = Effect.fnUntraced(function* ({ text }) {
  const { ask, emit, step } = yield* Step
  if (text.startsWith("ask")) {
    const answer = yield* ask({ name: "colour", parts: question("which colour?") })
    const size = text === "ask twice" ? yield* ask({ name: "size", parts: question("which size?") }) : undefined
    return new TaskOutput({
      text: [answer, ...(size === undefined ? [] : [size])].map((one) => textOf(one.parts)).join(" ")
    })
  }
  if (text === "reject") return yield* new ExecutorError({ reason: "rejected", detail: "not this" })
  if (text === "stay") return yield* Effect.never
  if (text === "parts") {
    yield* emit(progress("drawing"))
    yield* step(
      "draw",
      Schema.Null,
      Effect.gen(function* () {
        yield* emit(artifact({ artifactId: "picture", parts: [{ raw: "aGk=", mediaType: "image/png" }] }))
        yield* emit(artifact({ artifactId: "table", parts: [{ data: { rows: [1] } }] }, { lastChunk: false }))
        yield* emit(
          artifact({ artifactId: "table", parts: [{ data: { rows: [2] } }] }, { append: true, lastChunk: true })
        )
        return null
      })
    )
    return new TaskOutput({ text: "" })
  }
  yield* emit(output(text))
  return new TaskOutput({ text })
})

/** One start of the operations on this file. */
export const run = <A, E>(
  filename: string,
  use: Effect.Effect<A, E, A2AOperations | PushConfigs | TaskRunner>,
  executor: Partial<AgentExecutor["Service"]> = {},
  push: Partial<PushJournal.Options> = {}
) => {
  const whole = { execute, inputModes: ["text/plain", "application/json"], ...executor }
  return boot(
    filename,
    whole,
    use.pipe(
      Effect.provide(
        OperationsDurable.layer.pipe(
          Layer.provideMerge(PushJournal.layerWith(push)),
          Layer.provide(Layer.succeed(AgentExecutor, { name: "test", ...whole }))
        )
      )
    )
  )
}

export const call = (more: Partial<Call> = {}): Call => ({ caller: "me", version: "1.0", extensions: [], ...more })

let count = 0
export const messageOf = (text: string, more: Partial<Message> = {}): Message => ({
  messageId: `m-${++count}`,
  role: "ROLE_USER",
  parts: [{ text }],
  ...more
})

export const taskIn = (response: P.SendMessageResponse): P.Task => {
  if (!("task" in response)) throw new Error("the answer is no task")
  return response.task
}

export const send = Effect.fnUntraced(function* (
  message: Message,
  configuration?: P.SendMessageRequest["configuration"]
) {
  const { sendMessage } = yield* A2AOperations
  return taskIn(
    yield* sendMessage(call(), { message, ...(configuration === undefined ? undefined : { configuration }) })
  )
})

/** What a stream says, in short. */
export const told = (events: Events) =>
  Effect.map(Stream.runCollect(events), (all) =>
    all.map(({ item }) => {
      if ("task" in item) return `task ${item.task.status.state}`
      if ("message" in item) return `message ${textOf(item.message.parts)}`
      if ("statusUpdate" in item) {
        const { message, state } = item.statusUpdate.status
        return `${state}${message === undefined ? "" : ` ${textOf(message.parts)}`}`
      }
      const { append, artifact: piece } = item.artifactUpdate
      return `${append === true ? "+" : "="}${piece.artifactId}`
    })
  )
