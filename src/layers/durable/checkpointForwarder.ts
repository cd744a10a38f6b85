/**
 * The outbox at work: what was saved goes out in order, what has gone out is noted, and what grows too long is compacted.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { Journal, type JournalRecord } from "../../services/durable/Journal.ts"
import { CheckpointRejected } from "../../services/durable/Checkpoint.ts"
import type { OutboxAlarm } from "../../services/durable/CheckpointOutbox.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"
import type { CheckpointRows, Pending } from "./checkpointRows.ts"
import type { Send } from "./checkpointSender.ts"

/** How much may wait. */
export interface Bounds {
  /** Changes. */
  readonly maxEntries: number
  /** The JSON of their payloads. */
  readonly maxBytes: number
  /** Rows of the workspace's own stream, after which it begins anew. */
  readonly maxOwnRows: number
}

/** What a forwarder stands on. */
export interface Options extends Bounds {
  readonly rows: CheckpointRows
  readonly send: Send
  /** A change has been dealt with: taken, refused, or found to be of no use any more. */
  readonly answered: (entry: Pending, refused: Option.Option<CheckpointRejected>) => Effect.Effect<void>
  /** Changes may have been left out. */
  readonly compacted: Effect.Effect<void>
}

/** The forwarder. */
export interface Forwarder {
  /** Something was saved, or is on its way into the journal. */
  readonly wake: () => void
  /** The position up to which everything has been dealt with. */
  readonly sent: () => number
  readonly alarm: Effect.Effect<Option.Option<OutboxAlarm>>
}

/** So many changes are looked up at a time. */
const pageSize = 64

/** What has gone out is noted after so many changes, or so many milliseconds; what is not noted is sent again at a start. */
const noteEvery = { changes: 256, millis: 1000 }

/** After a wake it is looked again after 10 ms, doubling, to 10 s: who saves in an activity wakes before the commit. */
const lookAgain = { first: 10, last: 10_000 }

/** The size is looked at each time that such a part of the bound was saved. */
const sizeParts = 32

/** Of the bound, what a compaction leaves at most of finished tasks, and what must come in before the next is worth it. */
const keep = 0.5
const worthwhile = 0.25

/** How long the forwarder waits after a failure that is not the platform's, such as one of the local database. */
const storeRetry = "1 second"

/** Makes the forwarder, which works as long as the scope. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { maxBytes, maxEntries, rows, send } = options
  const journal = yield* Journal
  const clock = yield* Clock.Clock
  const work = yield* Latch.make(true)
  const full = yield* Latch.make(true)
  const own = (record: JournalRecord) => [{ stream: CheckpointEntries.ownStream, record }]

  let sent = 0
  let noted = 0
  let unnoted = 0
  let unnotedSince = 0
  let delay = lookAgain.first
  let saves = 0
  let wakes = 0
  let left = { entries: 0, bytes: 0 }
  let alarm: { readonly since: number; readonly position: number } | undefined

  const standing = yield* rows.alarm()
  if (Option.isSome(standing)) alarm = { since: standing.value.at, position: standing.value.position }

  const note = Effect.suspend(() => {
    if (sent === noted) return Effect.void
    noted = sent
    unnoted = 0
    return journal.stage(own({ _tag: "CheckpointsForwarded", upTo: sent }))
  })

  const relieved = Effect.suspend(() => {
    if (alarm === undefined || sent < alarm.position) return Effect.void
    alarm = undefined
    left = { entries: 0, bytes: 0 }
    return Effect.logInfo("the checkpoint outbox has sent what it held when it was full")
  })

  const done = Effect.fnUntraced(function* (entry: Pending, refused: Option.Option<CheckpointRejected>) {
    if (Option.isSome(refused)) {
      const { detail } = refused.value
      yield* Effect.logError("the platform has not taken a checkpoint; it is kept here", {
        workflowId: entry.workflow_id,
        stepName: entry.step_name,
        position: entry.position,
        detail
      })
      yield* journal.stage(own({ _tag: "CheckpointRefused", position: entry.position, detail }))
    }
    if (unnoted === 0) unnotedSince = clock.currentTimeMillisUnsafe()
    unnoted++
    sent = entry.position
    yield* options.answered(entry, refused)
    if (unnoted >= noteEvery.changes || clock.currentTimeMillisUnsafe() - unnotedSince >= noteEvery.millis) yield* note
    yield* relieved
  })

  const wait = Effect.suspend(() => {
    const untilNote = unnotedSince + noteEvery.millis - clock.currentTimeMillisUnsafe()
    const pause = unnoted > 0 ? Math.min(delay, Math.max(0, untilNote)) : delay
    delay = Math.min(2 * delay, lookAgain.last)
    return Effect.timeoutOption(work.await, pause)
  })

  // All that is noted here would else stay for ever. What is staged meanwhile would be left out: then it is for another time.
  const restate = Effect.gen(function* () {
    const upTo = sent
    const seen = wakes
    if (upTo === 0 || noted !== upTo || alarm !== undefined) return
    yield* journal.settled
    const length = yield* rows.ownLength
    if (length < options.maxOwnRows || (yield* rows.count(0)).entries > 0) return
    const kept = yield* rows.own
    const refused = yield* rows.refused()
    if (length < 4 * (kept.length + refused.length)) return
    if ((yield* journal.state).staged > 0 || wakes !== seen || sent !== upTo) return
    journal.stageUnsafe([...own({ _tag: "CheckpointsRestated", upTo, refused }), ...kept])
  })

  // One change after the other, each as often as it takes. The order is part of what is told.
  const round = Effect.gen(function* () {
    // Closed before looking: what is saved while we look opens it again.
    yield* work.close
    const page = yield* rows.pending({ after: sent, limit: pageSize })
    yield* Effect.forEach(
      page,
      (entry) =>
        send(entry).pipe(
          // Nothing can be sent of a row that is damaged, nor of one that is gone.
          Effect.catchTag("JournalDamaged", (error) =>
            Effect.succeedSome(new CheckpointRejected({ operation: "save", detail: error.message }))
          ),
          Effect.flatMap((refused) => done(entry, refused))
        ),
      { discard: true }
    )
    if (page.length > 0) return
    if (unnoted > 0 && clock.currentTimeMillisUnsafe() - unnotedSince >= noteEvery.millis) yield* note
    yield* Effect.catchTags(restate, {
      JournalDamaged: (error) => Effect.logWarning("the stream of the outbox cannot begin anew", error),
      JournalUnavailable: (error) => Effect.logDebug("the stream of the outbox does not begin anew for now", error)
    })
    yield* wait
  })

  const raise = Effect.fnUntraced(function* (entries: number, bytes: number, upTo: number) {
    const since = alarm?.since ?? clock.currentTimeMillisUnsafe()
    if (alarm === undefined) {
      yield* Effect.logError("the checkpoint outbox is full and is compacted: unfinished tasks lose nothing", {
        entries,
        bytes,
        maxEntries,
        maxBytes,
        remedy: "see that the platform can be reached, and that it is not slower than the work in the long run"
      })
    }
    alarm = { since, position: upTo }
  })

  const look = Effect.gen(function* () {
    yield* full.await
    yield* full.close
    yield* journal.settled
    const { bytes, entries, last } = yield* rows.size(sent)
    const tooMany = entries > Math.max(maxEntries, left.entries + maxEntries * worthwhile)
    const tooMuch = bytes > Math.max(maxBytes, left.bytes + maxBytes * worthwhile)
    if (!tooMany && !tooMuch) return
    yield* raise(entries, bytes, last)
    yield* journal.append(
      own({
        _tag: "OutboxCompacted",
        upTo: last,
        keepEntries: Math.floor(maxEntries * keep),
        keepBytes: Math.floor(maxBytes * keep)
      })
    )
    left = yield* rows.size(sent)
    yield* options.compacted
  })

  // Defects too: nobody watches these loops, and without them nothing would go out any more.
  const forever = <E>(loop: Effect.Effect<void, E>, again: Effect.Effect<unknown>) =>
    loop.pipe(
      Effect.catchCauseIf(
        (cause) => !Cause.hasInterrupts(cause),
        (cause) =>
          Effect.logError("the checkpoint outbox cannot go on for now", cause).pipe(
            Effect.andThen(again),
            Effect.delay(storeRetry)
          )
      ),
      Effect.forever,
      Effect.forkScoped
    )
  yield* Effect.addFinalizer(() => note)
  yield* forever(round, work.open)
  yield* forever(look, full.open)

  const forwarder: Forwarder = {
    wake: () => {
      wakes++
      delay = lookAgain.first
      work.openUnsafe()
      if (++saves < maxEntries / sizeParts) return
      saves = 0
      full.openUnsafe()
    },
    sent: () => sent,
    alarm: Effect.sync(() =>
      alarm === undefined
        ? Option.none()
        : Option.some({
            since: DateTime.makeUnsafe(alarm.since),
            detail:
              "the checkpoint outbox was full and has been compacted: the platform is away, or slower than the work"
          })
    )
  }
  return forwarder
})
