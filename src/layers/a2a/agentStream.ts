/**
 * Streams of another agent's events, taken up again where they break.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type { A2AError } from "../../services/a2a/A2AError.ts"
import type { AgentStreamItem, AgentTask } from "../../services/a2a/AgentAnswer.ts"
import {
  type AgentFailure,
  type AgentStream,
  type AgentStreamed,
  AgentUnreachable,
  InvalidAgentResponse
} from "../../services/a2a/AgentClient.ts"
import { streamItem } from "./agentAnswers.ts"
import type { Binding } from "./agentBindings.ts"
import { type AgentHttp, pause, type Request, shown } from "./agentHttp.ts"
import * as AgentView from "./agentView.ts"
import * as SseReader from "./sseReader.ts"

/** What a stream is made of. */
export interface Source {
  readonly http: AgentHttp
  readonly binding: Binding
  /** Makes a new task, or continues one; `undefined` for a stream of a task that is there. */
  readonly send: Request | undefined
  /** Whether `send` may be repeated although the agent may have received it. */
  readonly again: boolean
  /** Subscribes to a task, behind a cursor where the agent knows such. */
  readonly subscribe: (taskId: string, cursor: string | undefined) => Request
  readonly getTask: (taskId: string) => Effect.Effect<AgentTask, AgentFailure>
  /** The task and the cursor to begin with, for a stream without `send`. */
  readonly from?: { readonly taskId: string; readonly cursor: string | undefined }
}

/** An item as it came in. */
interface Received {
  readonly id: string | undefined
  readonly item: AgentStreamItem
}

const busy = (error: A2AError) => error.reason === "BUSY" || error.reason === "UNAVAILABLE"

// The task has ended, or the agent keeps no streams of tasks: what it is can be asked.
const notStreamed = (error: A2AError) =>
  error.reason === "UNSUPPORTED_OPERATION" || error.reason === "METHOD_NOT_FOUND" || error.reason === "INVALID_REQUEST"

/** The longest `Retry-After` that is waited for, in seconds. */
const longestWait = 30

const isEventStream = (response: HttpClientResponse) =>
  (response.headers["content-type"] ?? "").toLowerCase().startsWith("text/event-stream")

// The items of an answer that has begun.
const itemsOf = (source: Source, response: HttpClientResponse): Stream.Stream<Received, AgentFailure> => {
  const { binding, http } = source
  const url = shown(response.request.url)
  const broken = (detail: string) => new AgentUnreachable({ url, detail, sent: true })
  const invalid = (detail: string) => new InvalidAgentResponse({ url, detail })

  const received = (
    id: string | undefined,
    said: Result.Result<unknown, AgentFailure>
  ): Result.Result<Received, AgentFailure> =>
    Result.flatMap(said, (value) =>
      Result.match(streamItem(value), {
        onFailure: ({ message }) => Result.fail(invalid(`an event is not A2A: ${message}`)),
        onSuccess: (item) => Result.succeed({ id, item })
      })
    )

  if (!isEventStream(response)) {
    return Stream.fromEffect(
      Effect.flatMap(http.read(response), (text) =>
        Effect.fromResult(
          received(undefined, binding.answer({ status: response.status, headers: response.headers, text }))
        )
      )
    )
  }
  const reader = SseReader.make(http.limits.bytes)
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return response.stream.pipe(
    Stream.mapError(() => broken("the stream broke")),
    Stream.timeoutOrElse({
      duration: http.limits.idle,
      orElse: () => Stream.fail(broken(`nothing for ${Duration.format(Duration.fromInputUnsafe(http.limits.idle))}`))
    }),
    Stream.mapEffect((chunk) => {
      const events = reader.push(decoder.decode(chunk, { stream: true }))
      return events === undefined
        ? Effect.fail(invalid(`an event has more than ${http.limits.bytes} characters`))
        : Effect.succeed(events)
    }),
    Stream.flattenIterable,
    Stream.mapEffect(({ data, id }) => Effect.fromResult(received(id, binding.event(data))))
  )
}

/** The stream; each run of it is a request of its own. */
export const make = (source: Source): AgentStream => {
  const { http } = source

  const run = Effect.fnUntraced(function* (queue: Queue.Enqueue<AgentStreamed>) {
    const view = AgentView.make()
    let cursor = source.from?.cursor
    let known = source.from?.taskId
    // Whether what comes may have been seen before.
    let resumed = false
    let failures = 0
    let quiet = 0

    const give = Effect.fnUntraced(function* (items: ReadonlyArray<AgentStreamItem>, id: string | undefined) {
      if (id !== undefined) cursor = id
      for (const item of items) {
        quiet = 0
        yield* Queue.offer(queue, { item, ...(id !== undefined && { cursor: id }) })
      }
    })

    const take = ({ id, item }: Received) => {
      failures = 0
      if (resumed && "task" in item && view.taskId() !== undefined) return give(view.catchUp(item.task), id)
      view.take(item)
      known = view.taskId() ?? known
      return give([item], id)
    }

    // Where the agent does not stream the task (any more).
    const ask = Effect.fnUntraced(function* (taskId: string) {
      const task = yield* source.getTask(taskId)
      if (view.taskId() !== undefined) return yield* give(view.catchUp(task), undefined)
      view.take({ task })
      yield* give([{ task }], undefined)
    })

    const connect = Effect.fnUntraced(function* (request: Request) {
      const response = yield* http.open(request).pipe(
        Effect.timeoutOrElse({
          duration: http.limits.idle,
          orElse: () =>
            Effect.fail(
              new AgentUnreachable({
                url: shown(request.url),
                detail: `no answer for ${Duration.format(Duration.fromInputUnsafe(http.limits.idle))}`,
                sent: true
              })
            )
        })
      )
      yield* Stream.runForEachWhile(itemsOf(source, response), (received) =>
        Effect.map(take(received), () => !view.ended())
      )
    }, Effect.scoped)

    while (!view.ended()) {
      const subscribes = known !== undefined
      const request = known === undefined ? source.send : source.subscribe(known, cursor)
      if (request === undefined) return
      const outcome = yield* Effect.result(connect(request))
      let asked: number | undefined
      if (Result.isFailure(outcome)) {
        const { failure } = outcome
        if (failure._tag === "A2AError" && subscribes && notStreamed(failure) && known !== undefined) {
          yield* ask(known)
          // It does not stream what it is still at: only asking again and again is left, if it ever did stream it.
          if (!view.ended() && !resumed) return yield* failure
        } else if (failure._tag === "A2AError" && busy(failure) && (failure.retryAfter ?? 0) <= longestWait) {
          asked = failure.retryAfter
          if (++failures > http.limits.retries) return yield* failure
        } else if (failure._tag === "AgentUnreachable") {
          const mayRepeat = known !== undefined || !failure.sent || source.again
          if (++failures > http.limits.retries || !mayRepeat) return yield* failure
        } else {
          return yield* failure
        }
        yield* Effect.logDebug("stream broken, taking it up again", { detail: failure.message, cursor, taskId: known })
      } else if (!view.ended()) {
        if (known === undefined && (++failures > http.limits.retries || !source.again)) {
          return yield* new AgentUnreachable({
            url: shown(request.url),
            detail: "the stream ended before it began",
            sent: true
          })
        }
        yield* Effect.logDebug("stream ended early, taking it up again", { cursor, taskId: known })
      }
      if (view.ended()) return
      resumed = known !== undefined && view.taskId() !== undefined
      yield* pause(++quiet, asked)
    }
  })

  return Stream.callback<AgentStreamed, AgentFailure>((queue) => Effect.andThen(run(queue), Queue.end(queue)), {
    bufferSize: 16,
    strategy: "suspend"
  })
}
