/**
 * Messages that are come for instead of being sent: for an agent that nobody can connect to.
 *
 * @module
 */
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import { pullLimits, type QueueEntry } from "../../services/platform/RelaySchemas.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"

/** How it comes for its messages. */
export interface Options {
  /** How long one question waits at the platform, a minute at most. 30 seconds unless set. */
  readonly wait?: Duration.Input
  /** How many requests are served at once. 128 unless set: blocking ones last as long as their tasks. */
  readonly concurrency?: number
  /** What a stream says within this time goes together. 100 milliseconds unless set. */
  readonly gather?: Duration.Input
}

/** This entry is not ours any more: given out again, answered, or nobody waits for it. */
class Lost extends Schema.TaggedError<Lost>()("Lost", {}) {}

/** Between two attempts to reach the platform: from 200 ms, doubling, to 5 s, each moved a little at random. */
const retrySchedule = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** Beyond what a question waits, so much is the network's. */
const slack = Duration.seconds(5)

/** An answer goes in parts of so many characters: escaped in JSON each stays below the platform's limit for a body. */
const partSize = 128 * 1024

/** What of our own answer the caller may see; the platform decides again. */
const passedOn = ["content-type", "a2a-version", "a2a-extensions", "x-a2a-extensions", "retry-after", "etag"]

const endings = new Set(["LeaseLost", "NoLonger", "PayloadTooLarge"])
const isEnd = (error: unknown) => Predicate.hasProperty(error, "_tag") && endings.has(String(error._tag))

type Entry = typeof QueueEntry.Type

const make = Effect.fnUntraced(function* (options: Options) {
  const { inbox } = yield* PlatformClient
  const { workspaceId: id } = yield* PlatformConfig
  const http = yield* HttpClient.HttpClient
  const base = yield* HttpServer.addressFormattedWith(Effect.succeed)
  const wait = Duration.min(
    Duration.fromInputUnsafe(options.wait ?? "30 seconds"),
    Duration.seconds(pullLimits.seconds)
  )
  const concurrency = options.concurrency ?? 128
  const gather = options.gather ?? "100 millis"
  const running = yield* FiberMap.make<string>()
  const reachable = yield* Ref.make(true)

  // What must arrive is sent until it does, or until it is not wanted any more.
  const surely = <A, E>(effect: Effect.Effect<A, E>) =>
    effect.pipe(
      Effect.timeout("15 seconds"),
      Effect.retry({ schedule: retrySchedule, while: (error) => !isEnd(error) }),
      Effect.mapError(() => new Lost())
    )

  const keepLease = ({ id: entry, lease, lease_seconds: seconds }: Entry) =>
    surely(inbox.renew({ params: { id, entry }, payload: { lease } })).pipe(
      Effect.delay(Duration.seconds(seconds / 3)),
      Effect.forever
    )

  const answer = Effect.fnUntraced(function* (entry: Entry) {
    const { body, headers, method, path } = entry.request
    const request = HttpClientRequest.make(method)(`${base}${path === "" ? "/" : path}`).pipe(
      HttpClientRequest.setHeaders(headers)
    )
    const type = headers["content-type"] ?? "application/json"
    const response = yield* http.execute(
      body === "" ? request : HttpClientRequest.setBody(request, HttpBody.text(body, type))
    )
    const passed = Object.fromEntries(
      passedOn.flatMap((name) => {
        const value = response.headers[name]
        return value === undefined ? [] : [[name, value] as const]
      })
    )
    const post = (sequence: number, text: string, done: boolean) =>
      surely(
        inbox.answer({
          params: { id, entry: entry.id },
          payload: {
            lease: entry.lease,
            sequence,
            body: text,
            done,
            ...(sequence === 0 ? { status: response.status, headers: passed } : undefined)
          }
        })
      )
    const pieces = Effect.fnUntraced(function* (first: number, text: string, done: boolean) {
      let sequence = first
      let from = 0
      do {
        const to = from + partSize
        yield* post(sequence++, text.slice(from, to), done && to >= text.length)
        from = to
      } while (from < text.length)
      return sequence
    })
    if (!/^text\/event-stream\b/i.test(passed["content-type"] ?? "")) {
      return yield* pieces(0, yield* response.text, true)
    }
    yield* post(0, "", false)
    const next = yield* Stream.decodeText(response.stream).pipe(
      Stream.groupedWithin(1000, gather),
      Stream.runFoldEffect(
        () => 1,
        (sequence, texts) => pieces(sequence, texts.join(""), false)
      )
    )
    return yield* post(next, "", true)
  }, Effect.scoped)

  const serve = (entry: Entry) =>
    Effect.raceFirst(answer(entry), keepLease(entry)).pipe(
      Effect.catchTag("Lost", () => Effect.logDebug("a request is not wanted any more", { entry: entry.id })),
      // Not answered: the platform gives it to us again when the lease ends.
      Effect.catch((error) => Effect.logWarning("a request that came by the platform's queue was not served", error)),
      Effect.asVoid
    )

  // Being cut off is said once when it begins and once when it ends.
  const note = (now: boolean, detail: string) =>
    Effect.flatMap(Ref.getAndSet(reachable, now), (before) =>
      before === now
        ? Effect.void
        : now
          ? Effect.logInfo("the platform's queue can be reached again")
          : Effect.logWarning("the platform's queue cannot be reached; trying again", { detail })
    )

  const pull = Effect.gen(function* () {
    const free = concurrency - (yield* FiberMap.size(running))
    // Requests end by themselves; this is looked at seldom enough to cost nothing.
    if (free <= 0) return yield* Effect.sleep("50 millis")
    const query = {
      wait: String(Math.ceil(Duration.toSeconds(wait))),
      limit: String(Math.min(free, pullLimits.entries))
    }
    const { entries } = yield* Effect.timeout(inbox.pull({ params: { id }, query }), Duration.sum(wait, slack))
    yield* note(true, "")
    // One that we have already came again because its lease had ended: what we said of it is void, and it begins anew.
    for (const entry of entries) yield* FiberMap.run(running, entry.id, serve(entry))
  })

  yield* pull.pipe(
    Effect.tapError((error) => note(false, error.message)),
    Effect.retry(retrySchedule),
    Effect.forever,
    Effect.forkScoped
  )
})

/**
 * Comes for messages as long as the layer lives, and serves each by the HTTP server of this process, over loopback: what
 * comes by the queue meets the same routes, the same check of its caller, and the same streams as what is sent.
 *
 * **Details**
 *
 * Needs `PlatformClient`, `PlatformConfig`, `HttpServer` (listening) and `HttpClient`. At least once: a request whose
 * answer was not confirmed before its lease ended comes again. A message is known by its id, so that the task is the same.
 */
export const layerWith = (options: Options = {}) => Layer.effectDiscard(make(options))

/** {@link layerWith} nothing set. */
export const layer = layerWith()
