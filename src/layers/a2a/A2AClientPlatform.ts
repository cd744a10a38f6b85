/**
 * Messages to other agents through the platform's A2A proxy.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { A2AClient, ExchangeRefused, ExchangeResult, ExchangeTimeout } from "../../services/a2a/A2AClient.ts"
import * as JsonRpc from "../../services/a2a/JsonRpc.ts"
import { type Message, type methods, type Part, SendResult, Task } from "../../services/a2a/Protocol03.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

/** The connection was cut, or somebody on the way cannot work now: the same question may be asked again. */
class Cut extends Schema.TaggedError<Cut>()("Cut", { detail: Schema.String }) {}

/** The agent does not know the task any more: its state was wiped, and the message is new to it. */
class Forgotten extends Schema.TaggedError<Forgotten>()("Forgotten", {}) {}

const isCut = Predicate.isTagged("Cut")
const isForgotten = Predicate.isTagged("Forgotten")

/** Between two questions to an agent that is still working: from 50 ms, doubling, to 2 s. */
const pollSchedule = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")])

/** Between two attempts over a cut: from 200 ms, doubling, to 5 s, each moved a little at random. */
const retrySchedule = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

// What the platform answers for good; anything else (no connection, 429, 5xx, an answer cut in the middle) may pass.
const final = new Set(["BadRequest", "Unauthorized", "Forbidden", "NotFound", "PayloadTooLarge"])

const describe = (error: { readonly message: string }) =>
  Predicate.hasProperty(error, "error") && Predicate.isString(error.error) ? error.error : error.message

const textOf = (parts: ReadonlyArray<Part>) =>
  parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n")
const isTask = (result: Task | Message): result is Task => result.kind === "task"

const isOpen = ({ status: { state } }: Task) => state === "submitted" || state === "working"

// The answer is in the artifacts; an agent that has none may have said it in its last status.
const answerOf = ({ artifacts = [], status }: Task) => {
  const said = status.message === undefined ? "" : textOf(status.message.parts)
  const made = artifacts.map(({ parts }) => textOf(parts)).join("\n")
  return status.state === "completed" && made !== "" ? made : said
}

const make = Effect.gen(function* () {
  const client = yield* PlatformClient

  // One JSON-RPC exchange over HTTP.
  const call = Effect.fnUntraced(function* (target: WorkspaceId, method: keyof typeof methods, params: Schema.Json) {
    const answer = yield* client.a2a
      .proxy({ params: { id: target }, headers: {}, payload: { jsonrpc: "2.0", id: method, method, params } })
      .pipe(
        Effect.mapError((error) =>
          Predicate.hasProperty(error, "_tag") && final.has(String(error._tag))
            ? new ExchangeRefused({ target, detail: describe(error) })
            : new Cut({ detail: describe(error) })
        )
      )
    const response = yield* Effect.mapError(
      Schema.decodeUnknownEffect(JsonRpc.Response)(answer),
      () => new ExchangeRefused({ target, detail: "its answer is not JSON-RPC" })
    )
    if (!("error" in response)) return response.result
    const { code, message } = response.error
    if (code === JsonRpc.ErrorCode.Busy) return yield* new Cut({ detail: message })
    if (code === JsonRpc.ErrorCode.TaskNotFound) return yield* new Forgotten()
    return yield* new ExchangeRefused({ target, detail: `${message} (${code})` })
  })

  const decode = <A, I>(target: WorkspaceId, schema: Schema.Codec<A, I>, result: Schema.Json) =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(result),
      (error) => new ExchangeRefused({ target, detail: `its answer is not A2A 0.3: ${error.message}` })
    )

  const overCuts = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.tapError((error) => (isCut(error) ? Effect.logDebug("exchange cut, trying again", error) : Effect.void)),
      Effect.retry({ schedule: retrySchedule, while: isCut })
    )

  const poll = (target: WorkspaceId, taskId: string) =>
    Effect.repeat(
      overCuts(
        Effect.flatMap(call(target, "tasks/get", { id: taskId, historyLength: 0 }), (result) =>
          decode(target, Task, result)
        )
      ),
      { schedule: pollSchedule, while: isOpen }
    )

  const exchange = Effect.fn("A2AClient.exchange")(function* (request: {
    readonly target: WorkspaceId
    readonly messageId: string
    readonly contextId: string
    readonly text: string
    readonly timeout: Duration.Duration
  }) {
    const { contextId, messageId, target, text, timeout } = request
    yield* Effect.annotateCurrentSpan({ target, messageId })
    const message = { kind: "message", role: "user", messageId, contextId, parts: [{ kind: "text", text }] }

    const once = Effect.gen(function* () {
      const sent = yield* overCuts(call(target, "message/send", { message, configuration: { blocking: false } }))
      const first = yield* decode(target, SendResult, sent)
      if (!isTask(first)) {
        return new ExchangeResult({ taskId: first.taskId ?? messageId, state: "completed", text: textOf(first.parts) })
      }
      const ended = isOpen(first) ? yield* poll(target, first.id) : first
      const { state } = ended.status
      // `poll` ends when the task has; "unknown" is what is left to say of a state that is none of an ending.
      const end = state === "submitted" || state === "working" ? "unknown" : state
      return new ExchangeResult({ taskId: ended.id, state: end, text: answerOf(ended) })
    })

    return yield* once.pipe(
      Effect.retry({ schedule: retrySchedule, while: isForgotten }),
      Effect.catchTags({
        Cut: ({ detail }) => Effect.fail(new ExchangeRefused({ target, detail })),
        Forgotten: () => Effect.fail(new ExchangeRefused({ target, detail: "it forgets the task each time" }))
      }),
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () => Effect.fail(new ExchangeTimeout({ target, seconds: Duration.toSeconds(timeout) }))
      })
    )
  })

  return A2AClient.of({ exchange })
})

/** The client over the platform's API, under the credential that `PlatformClient` carries. */
export const layer = Layer.effect(A2AClient, make)
