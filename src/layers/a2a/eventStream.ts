/**
 * A stream of items as server-sent events.
 *
 * @module
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Writable } from "node:stream"
import { A2AError } from "../../services/a2a/A2AError.ts"
import type { Events } from "../../services/a2a/A2AOperations.ts"
import type { StreamResponse } from "../../services/a2a/A2AProtocol.ts"

/** How idle and stuck streams are treated. */
export interface Options {
  /** A comment goes out on a stream that has been silent for so long: nothing between shall take it for dead. */
  readonly keepAlive: Duration.Input
  /** A stream whose client has taken nothing for so long, though there was something, is ended. */
  readonly stall: Duration.Input
}

/** How the items of a stream become events. */
export interface Form {
  readonly events: Events
  readonly encode: (item: StreamResponse) => Exit.Exit<string, A2AError>
  /** What goes around an encoded item in `data:`. */
  readonly before: string
  readonly after: string
  /** Whether events have ids. */
  readonly resumable: boolean
  /** The last event, where the stream has failed: whole, with its empty line. */
  readonly failed: (error: A2AError) => string
  readonly headers: Record<string, string> | undefined
}

/** An open stream, as the sweep sees it. */
interface Open {
  readonly response: Writable
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Whether it waits for the next item; otherwise for its client. */
  waiting: boolean
  /** Sweeps since anything has happened. */
  idle: number
}

/** Parts of the shorter of the two times: how exactly they are kept. */
const sweepsIn = 4

const comment = ": keep-alive\n\n"

const brokeOff = new A2AError({
  reason: "INTERNAL",
  message: "Internal error: the stream broke off; ask for the task, or subscribe to it again"
})

const headers = { "cache-control": "no-store", "x-accel-buffering": "no" }
const utf8 = new TextEncoder()

/**
 * Makes what answers with streams.
 *
 * **Details**
 *
 * An item is pulled when the one before has been handed to the connection, and the connection waits while its buffer is
 * full: a slow reader costs one page of items. One fiber looks after all open streams, instead of a timer in each: it
 * writes the comments of those that are silent, between two events and past the stream, and ends those whose client has
 * stopped reading.
 */
export const make = Effect.fnUntraced(function* (options: Options) {
  const open = new Set<Open>()
  const keepAlive = Duration.toMillis(options.keepAlive)
  const stall = Duration.toMillis(options.stall)
  const pause = Math.min(keepAlive, stall) / sweepsIn

  const sweep = Effect.sync(() => {
    for (const one of open) {
      one.idle++
      if (!one.waiting || one.response.writableNeedDrain) {
        if (one.idle * pause >= stall) one.fiber.interruptUnsafe()
      } else if (one.idle * pause >= keepAlive) {
        one.idle = 0
        one.response.write(comment)
      }
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(pause), sweep)))

  const write = (form: Form) => {
    const before = `data: ${form.before}`
    const after = `${form.after}\n\n`
    return (items: ReadonlyArray<{ readonly cursor?: string; readonly item: StreamResponse }>) => {
      let text = ""
      for (const { cursor, item } of items) {
        const encoded = form.encode(item)
        if (encoded._tag === "Failure") {
          const failure = Cause.findError(encoded.cause)
          return { text, failure: Result.isSuccess(failure) ? failure.success : brokeOff }
        }
        text += `${form.resumable && cursor !== undefined ? `id: ${cursor}\n` : ""}${before}${encoded.value}${after}`
      }
      return { text, failure: undefined }
    }
  }

  const bytes = (request: HttpServerRequest.HttpServerRequest, form: Form) =>
    Stream.transformPull(form.events, (pull, scope) =>
      Effect.withFiber((fiber) => {
        const lines = write(form)
        const one: Open = {
          response: NodeHttpServerRequest.toServerResponse(request),
          fiber,
          waiting: true,
          idle: 0
        }
        let ended = false
        const last = (text: string, error: A2AError): [Uint8Array] => {
          ended = true
          return [utf8.encode(text + form.failed(error))]
        }
        const next = Effect.matchCauseEffect(pull, {
          onSuccess: (items) => {
            one.waiting = false
            one.idle = 0
            const { failure, text } = lines(items)
            return Effect.succeed<[Uint8Array]>(failure === undefined ? [utf8.encode(text)] : last(text, failure))
          },
          onFailure: (cause) => {
            if (Pull.isDoneCause(cause) || Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
            const failure = Cause.findError(cause)
            one.waiting = false
            if (Result.isSuccess(failure) && failure.success._tag === "A2AError") {
              return Effect.succeed(last("", failure.success))
            }
            return Effect.as(Effect.logError("an event stream broke off", cause), last("", brokeOff))
          }
        })
        open.add(one)
        return Effect.as(
          Scope.addFinalizer(
            scope,
            Effect.sync(() => open.delete(one))
          ),
          Effect.suspend(() => {
            if (ended) return Cause.done()
            one.waiting = true
            return next
          })
        )
      })
    )

  return (request: HttpServerRequest.HttpServerRequest, form: Form): HttpServerResponse.HttpServerResponse =>
    HttpServerResponse.stream(bytes(request, form), {
      contentType: "text/event-stream",
      headers: { ...headers, ...form.headers }
    })
})

/** What {@link make} makes. */
export type EventStream = Effect.Success<ReturnType<typeof make>>
