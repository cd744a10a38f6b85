/**
 * Carries what waits in the queue to agents that listen.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { AgentAnswer } from "../../services/platform/AgentTransport.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { type AnswerHead, type HeldEntry, RelayQueue } from "../../services/platform/RelayQueue.ts"
import * as StatusMachine from "../../services/platform/StatusMachine.ts"
import { type WorkspaceRecord, WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import * as RelayForward from "./relayForward.ts"

/** How many messages one agent is sent at once out of the queue. */
const concurrency = 4

/** Longest pause of an agent that says it is busy. Seconds. */
const longestBusy = 300

/** Between two attempts at an agent that is not there: from half a second, doubling, to half a minute. */
const backoff = (attempt: number) => Math.min(500 * 2 ** (attempt - 1), 30_000)

/** Agents that were forgotten on the way are looked for so often. */
const lookInterval = "5 seconds"

const headOf = (answer: A2AAnswer.Head): AnswerHead => ({
  status: answer.status,
  headers: {
    "content-type": answer.headers["content-type"] ?? "application/json",
    ...A2AAnswer.passedHeaders(answer)
  }
})

const make = Effect.gen(function* () {
  const queue = yield* RelayQueue
  const store = yield* WorkspaceStore
  const forward = yield* RelayForward.make
  const { agentTimeout } = yield* PlatformSettings
  const lease = Duration.toMillis(agentTimeout) + 60_000
  const workers = yield* FiberMap.make<WorkspaceId, void, never>()

  const part = (
    { id, lease: key, target }: HeldEntry,
    sequence: number,
    answer: { readonly head?: AnswerHead; readonly body: string; readonly done: boolean }
  ) =>
    queue.answer(target, id, {
      lease: key,
      sequence,
      millis: lease,
      head: answer.head,
      body: answer.body,
      done: answer.done
    })

  const keepStream = (entry: HeldEntry, answer: AgentAnswer) =>
    Effect.gen(function* () {
      yield* part(entry, 0, { head: headOf(answer), body: "", done: false })
      const next = yield* Stream.runFoldEffect(
        Stream.decodeText(answer.body),
        () => 1,
        (sequence, body) => Effect.as(part(entry, sequence, { body, done: false }), sequence + 1)
      )
      yield* part(entry, next, { body: "", done: true })
    })

  const later = (entry: HeldEntry, millis: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => queue.release(entry.id, entry.lease, now + millis))

  const close = ({ id }: HeldEntry, status: number, error: object) =>
    queue.close(id, { status, headers: { "content-type": "application/json" } }, JSON.stringify(error))

  const carry = (target: WorkspaceRecord, entry: HeldEntry) =>
    Effect.gen(function* () {
      const answer = yield* forward.begin(entry.caller, target, entry.request)
      const busy = A2AAnswer.busyFor(answer)
      if (busy !== undefined) return yield* later(entry, Math.min(Math.max(busy, 1), longestBusy) * 1000)
      if (A2AAnswer.isStream(answer)) return yield* keepStream(entry, answer)
      const body = (yield* forward.finish(answer)).toString("utf8")
      yield* part(entry, 0, { head: headOf(answer), body, done: true })
    }).pipe(
      Effect.scoped,
      Effect.catchTags({
        AgentUnreachable: ({ cause }) =>
          Effect.andThen(
            Effect.logDebug("a queued message waits: its agent cannot be reached", cause),
            later(entry, backoff(entry.attempt))
          ),
        AgentSilent: ({ cause }) =>
          Effect.andThen(
            Effect.logWarning("the answer to a queued message broke off", cause),
            close(entry, 502, { error: "failed to read agent response", delivery_confirmed: true })
          ),
        BadGateway: ({ delivery_confirmed, error }) => close(entry, 502, { error, delivery_confirmed }),
        NotAvailable: ({ busy, error, retry_after }) => close(entry, 503, { error, busy, retry_after }),
        GatewayTimeout: ({ code, error }) => close(entry, 504, { error, code })
      }),
      // Closed meanwhile, or its workspace is gone: nobody is left to tell.
      Effect.catchTags({
        EntryGone: () => Effect.void,
        EntryTaken: () => Effect.void,
        AnswerTooLarge: () => Effect.void,
        PartOutOfOrder: () => Effect.void
      }),
      Effect.catch((error) => Effect.logError("a queued message could not be carried to its agent", error))
    )

  const work = (id: WorkspaceId) =>
    Effect.gen(function* () {
      const news = yield* queue.arrivals(id)
      let running = 0
      for (;;) {
        const found = yield* store.find(id)
        if (Option.isNone(found) || found.value.status === "removed" || found.value.delivery === "poll") return
        const target = found.value
        if (StatusMachine.reachable(target.status) && target.url !== "") {
          const limit = concurrency - running
          const entries = limit > 0 ? yield* queue.take(id, { limit, lease }) : []
          for (const entry of entries) {
            running++
            yield* carry(target, entry).pipe(
              Effect.ensuring(Effect.sync(() => running--)),
              Effect.ensuring(Effect.ignore(queue.wake(id))),
              Effect.forkScoped
            )
          }
        }
        const due = yield* queue.nextDue(id)
        if (Option.isNone(due)) return
        const pause = due.value - (yield* Clock.currentTimeMillis)
        // What is due and did not go waits for something else: for the one before it, for a free place, for its agent.
        yield* Effect.timeoutOption(news, pause > 0 ? pause : 1000)
      }
    }).pipe(
      Effect.scoped,
      Effect.catch((error) => Effect.logError("the queue of an agent could not be worked off", error))
    )

  const begin = (ids: ReadonlyArray<WorkspaceId>) =>
    Effect.forEach(ids, (id) => FiberMap.run(workers, id, work(id), { onlyIfMissing: true }), { discard: true })

  const arrived = yield* queue.anyArrival
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(arrived, begin)))
  yield* Effect.forkScoped(
    Effect.flatMap(queue.waiting, begin).pipe(
      Effect.catch((error) => Effect.logError("the relay's queue could not be read", error)),
      Effect.repeat(Schedule.spaced(lookInterval))
    )
  )
})

/**
 * Works for as long as the layer lives.
 *
 * **Details**
 *
 * A message goes when its agent is online, is not busy any more, and has answered those before it in the same context. An
 * agent that cannot be reached is tried again, more and more seldom, and at once when it registers. What an agent has
 * taken and not answered is not sent a second time: its caller is told.
 */
export const layer = Layer.effectDiscard(make)
