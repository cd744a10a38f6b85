/**
 * A caller that waits for the answer to a request in the queue.
 *
 * @module
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { NotAvailable, NotFound } from "../../services/platform/PlatformErrors.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { type AnswerHead, type NewEntry, RelayQueue } from "../../services/platform/RelayQueue.ts"
import type { StoreUnavailable } from "../../services/platform/StoreUnavailable.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import * as A2AEnvelope from "./a2aEnvelope.ts"
import type { RelayStream } from "./relayStream.ts"

/** Seconds after which a caller that was not answered may ask again. */
const retryAfter = 5

const gone = () => new NotFound({ error: "workspace not found" })

const stillQueued = (id: string, depth: number) =>
  new NotAvailable({
    error:
      "the message is queued for the agent and not answered yet: send the same message (the same messageId) again to wait for its answer",
    code: "queued",
    queue_id: id,
    queue_depth: depth,
    retry_after: retryAfter
  })

/** An answer's stream was void and began anew with somebody else: what was sent of it cannot be taken back. */
const beganAnew = new Error("the agent was given the message again while its answer was on the way")

/** Makes what puts requests into the queue and waits for what becomes of them. */
export const make = Effect.fnUntraced(function* (held: RelayStream) {
  const queue = yield* RelayQueue
  const settings = yield* PlatformSettings

  const wholeBody = Effect.fnUntraced(function* (id: string, count: number) {
    const parts: Array<string> = []
    while (parts.length < count) {
      const more = yield* queue.parts(id, parts.length)
      if (more.length === 0) return yield* gone()
      parts.push(...more)
    }
    return parts.join("")
  })

  const pieces = (id: string, generation: number, changed: Effect.Effect<void>) =>
    Stream.paginate(0, (from: number) =>
      Effect.gen(function* () {
        for (;;) {
          const status = yield* queue.status(id)
          if (Option.isNone(status) || status.value.generation !== generation) return yield* Effect.die(beganAnew)
          const parts = yield* queue.parts(id, from)
          if (parts.length > 0) return [parts, Option.some(from + parts.length)] as const
          if (status.value.complete) return [parts, Option.none<number>()] as const
          yield* changed
        }
      })
    )

  const respond = (
    head: AnswerHead,
    options: {
      readonly binding: A2AAnswer.Binding
      readonly newId: string | undefined
      readonly whole: Effect.Effect<string, NotFound | StoreUnavailable>
      readonly parts: Stream.Stream<string, unknown>
    }
  ) => {
    const { newId } = options
    if (!A2AAnswer.isStream(head)) {
      return Effect.map(options.whole, (text) =>
        A2AAnswer.toResponse(
          head,
          Buffer.from(newId === undefined ? text : A2AEnvelope.withRpcId(text, newId)),
          options.binding
        )
      )
    }
    const renamed =
      newId === undefined
        ? options.parts
        : options.parts.pipe(
            Stream.splitLines,
            Stream.map((line) => {
              const [, data] = /^data: ?(.*)$/s.exec(line) ?? []
              return data === undefined ? `${line}\n` : `data: ${A2AEnvelope.withRpcId(data, newId)}\n`
            })
          )
    const bytes = Stream.filter(Stream.encodeText(renamed), (piece) => piece.length > 0)
    return Effect.succeed(A2AAnswer.toStream(head, held(bytes)))
  }

  /**
   * Waits for the answer, `limit` milliseconds at most, or what the platform allows.
   *
   * The scope is the request's: when the caller goes, it ends.
   */
  return Effect.fnUntraced(function* (entry: NewEntry, binding: A2AAnswer.Binding, limit: number | undefined) {
    const { body, id, isNew } = yield* queue.enqueue(entry)
    yield* queue.attend(id)
    const changed = yield* queue.changes(id)
    const wanted = isNew || binding === "rest" ? undefined : A2AEnvelope.rpcIdOf(entry.request.body)
    const newId = wanted === undefined || wanted === A2AEnvelope.rpcIdOf(body) ? undefined : wanted
    const deadline =
      (yield* Clock.currentTimeMillis) + Math.min(limit ?? Infinity, Duration.toMillis(settings.queueWait))
    for (;;) {
      const found = yield* queue.status(id)
      if (Option.isNone(found)) return yield* gone()
      const { answer, byPlatform, complete, depth, generation, parts } = found.value
      if (answer !== undefined && byPlatform) {
        return HttpServerResponse.text(yield* wholeBody(id, parts), {
          status: answer.status,
          contentType: "application/json"
        })
      }
      if (answer !== undefined && (complete || A2AAnswer.isStream(answer))) {
        return yield* respond(answer, {
          binding,
          newId,
          whole: wholeBody(id, parts),
          parts: pieces(id, generation, changed)
        })
      }
      const left = deadline - (yield* Clock.currentTimeMillis)
      if (left <= 0) return yield* stillQueued(id, depth)
      yield* Effect.timeoutOption(changed, left)
    }
  })
})

/** What {@link make} makes. */
export type RelayWait = Effect.Success<ReturnType<typeof make>>
