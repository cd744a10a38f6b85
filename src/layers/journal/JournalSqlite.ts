/**
 * The journal in one SQLite file, with one writer and group commit.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as SecureRandom from "effect/crypto/SecureRandom"
import {
  Journal,
  type JournalEntry,
  type JournalState,
  type JournalUnavailable
} from "../../services/durable/Journal.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import * as JournalFile from "./journalFile.ts"
import type { Projection } from "./projection.ts"
import { encodeRecord } from "./rowCodec.ts"

/** Where the journal is, and what is derived from it. */
export interface Options {
  readonly filename: string
  readonly projections: ReadonlyArray<Projection>
}

/** How long a staged row waits for somebody to commit it, at least, before it is committed for its own sake; at most twice. */
const lazyCommit = "5 millis"

/** After two fibers were seen to wait at once, so many commits in a row of one alone make an end of the crowd. */
const crowdedCommits = 32

/** After so many commits alone, it is looked whether others would come. */
const aloneCommits = 16

/** While the disk refuses, the commit is tried again this often. */
const retryEvery = "500 millis"

/** A second process that opens the file has the owner's lock to pass first; this is only for a backup that copies it. */
const busyTimeout = 1000

/** What is staged and not yet committed. */
interface Batch {
  readonly entries: Array<JournalFile.Staged>
  /** Who is to be called when it is written. */
  readonly written: Array<() => void>
  readonly done: Deferred.Deferred<void>
  /** How many fibers wait for it. */
  waiting: number
}

const newBatch = (): Batch => ({ entries: [], written: [], done: Deferred.makeUnsafe(), waiting: 0 })

const make = Effect.fnUntraced(function* (options: Options) {
  const { filename } = options
  const random = yield* SecureRandom.SecureRandom
  const makeEpoch = Effect.map(random.uuidV4(), (uuid) => uuid.replaceAll("-", "").slice(0, 12))
  const newEpoch = yield* makeEpoch
  const unavailable = (cause: unknown) => JournalFile.failureOf(filename, cause)
  const failure = (cause: unknown) => JournalFile.readFailure(filename, cause)
  const file = yield* Effect.acquireRelease(
    Effect.try({
      try: () => JournalFile.open({ ...options, newEpoch, busyTimeout }),
      catch: failure
    }),
    ({ close }) => Effect.sync(close)
  )
  const clock = yield* Clock.Clock
  const work = yield* Latch.make(false)
  const wanted = yield* Latch.make(false)
  let pending = newBatch()
  let refused: JournalUnavailable | undefined

  // Written and closed in one synchronous go, so that nobody stages into a batch that is written already.
  const writeUnsafe = () => {
    const batch = pending
    if (batch.entries.length === 0) return
    const written = Result.try({ try: () => file.commit(batch.entries), catch: unavailable })
    if (Result.isSuccess(written)) {
      pending = newBatch()
      refused = undefined
      for (const tellWritten of batch.written) tellWritten()
      Deferred.doneUnsafe(batch.done, Effect.void)
    } else {
      refused = written.failure
      work.openUnsafe()
    }
  }
  const tell = (before: JournalUnavailable | undefined) => {
    if (before?.message === refused?.message) return Effect.void
    return refused === undefined ? Effect.logInfo("the journal can be written again") : Effect.logError(refused.message)
  }
  const commit = Effect.suspend((): Effect.Effect<void, JournalUnavailable> => {
    const before = refused
    writeUnsafe()
    const told = tell(before)
    return refused === undefined || pending.entries.length === 0 ? told : Effect.andThen(told, Effect.fail(refused))
  })

  // Who waits first, commits for all: it lets every other fiber that can run now stage its rows before. Where nobody else
  // has been waiting lately, it spares itself the turn, and looks again whether that still holds every so many commits.
  let crowd = 0
  let alone = 0
  const settled = Effect.suspend(() => {
    const batch = pending
    if (batch.entries.length === 0) return Effect.void
    batch.waiting++
    if (batch.waiting > 1) crowd = crowdedCommits
    if (refused === undefined && crowd === 0 && ++alone < aloneCommits) {
      writeUnsafe()
      // Most often it is on disk now.
      if (refused === undefined) return Effect.void
      return Effect.andThen(tell(undefined), Deferred.await(batch.done))
    }
    const wait = Deferred.await(batch.done)
    if (refused !== undefined) return wait
    alone = 0
    return Effect.yieldNow.pipe(
      Effect.andThen(
        Effect.suspend(() => {
          if (pending !== batch || refused !== undefined) return Effect.void
          if (batch.waiting === 1 && crowd > 0) crowd--
          return Effect.ignore(commit)
        })
      ),
      Effect.andThen(wait)
    )
  })

  // A record that cannot be written is a defect of whoever stages it, and never comes between others and the disk.
  const encoded = (entries: ReadonlyArray<JournalEntry>) => {
    const now = clock.currentTimeMillisUnsafe()
    return entries.map(({ at = now, record, stream }) => ({
      stream,
      record,
      at: Math.trunc(at),
      data: encodeRecord(record)
    }))
  }

  const stageUnsafe = (entries: ReadonlyArray<JournalEntry>, written?: () => void) => {
    if (entries.length === 0) return
    pending.entries.push(...encoded(entries))
    if (written !== undefined) {
      pending.written.push(written)
      wanted.openUnsafe()
    }
    work.openUnsafe()
  }
  const stage = (entries: ReadonlyArray<JournalEntry>) => Effect.sync(() => stageUnsafe(entries))

  const accept = (entries: ReadonlyArray<JournalEntry>) =>
    Effect.suspend((): Effect.Effect<void, JournalUnavailable> => {
      if (entries.length === 0) return Effect.void
      if (refused !== undefined) return Effect.fail(refused)
      const batch = pending
      const ours = encoded(entries)
      batch.entries.push(...ours)
      work.openUnsafe()
      const withdraw = (error: JournalUnavailable) =>
        Effect.suspend(() => {
          const from = ours[0] === undefined ? -1 : batch.entries.indexOf(ours[0])
          if (from >= 0) batch.entries.splice(from, ours.length)
          return Effect.fail(error)
        })
      return Effect.yieldNow.pipe(
        Effect.andThen(
          Effect.suspend(() => {
            if (Deferred.isDoneUnsafe(batch.done)) return Effect.void
            return refused === undefined ? Effect.catch(commit, withdraw) : withdraw(refused)
          })
        ),
        Effect.uninterruptible
      )
    })

  // What nobody waits for is committed too; and while the disk refuses, this is who tries again. What was staged only
  // meanwhile is left to its own time: most often somebody is about to wait for it.
  const commitOld = (batch: Batch) =>
    Effect.suspend(() => {
      if (pending === batch || refused !== undefined) return Effect.ignore(commit)
      if (pending.entries.length > 0) work.openUnsafe()
      return Effect.void
    })
  yield* work.await.pipe(
    Effect.andThen(work.close),
    Effect.andThen(
      Effect.suspend(() => {
        const batch = pending
        return Effect.andThen(Effect.sleep(refused === undefined ? lazyCommit : retryEvery), commitOld(batch))
      })
    ),
    Effect.forever,
    Effect.forkScoped
  )
  // What somebody wants to hear of, without waiting for it himself, is committed as soon as all that can run now has run.
  yield* wanted.await.pipe(
    Effect.andThen(wanted.close),
    Effect.andThen(Effect.yieldNow),
    Effect.andThen(Effect.suspend(() => (refused === undefined ? Effect.ignore(commit) : Effect.void))),
    Effect.forever,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => Effect.ignore(commit))

  return Journal.of({
    file: filename,
    get epoch() {
      return file.epoch()
    },
    renew: Effect.flatMap(makeEpoch, (epoch) => Effect.try({ try: () => file.renew(epoch), catch: unavailable })),
    stage,
    stageUnsafe,
    settled,
    append: (entries) => Effect.andThen(stage(entries), settled),
    accept,
    remove: (streams, limit) =>
      Effect.suspend(() =>
        refused === undefined
          ? Effect.try({ try: () => file.remove(streams, limit), catch: unavailable })
          : Effect.fail(refused)
      ),
    read: (stream, after = 0, limit) => Effect.try({ try: () => file.read(stream, after, limit), catch: failure }),
    state: Effect.sync((): JournalState => ({ refused, staged: pending.entries.length }))
  })
})

/**
 * The journal in the file, which is made if it is missing, and a read-only `SqlClient` for what is derived from it.
 *
 * **Details**
 *
 * `synchronous=FULL`: what is acknowledged survives a power cut. Fibers that wait for a commit at the same time share it.
 * The file has one writer, this one: the lock of the state directory sees to that. Where the projections' versions have
 * changed they are derived again first.
 *
 * A full disk or a file that cannot be written makes `accept` fail and everybody else wait; the commit is tried again
 * twice a second, and all go on when there is room.
 *
 * **Example**
 *
 * ```ts
 * const Durable = JournalSqlite.layerWith({ filename: state.file("workspace.db"), projections: [TaskProjection.projection] })
 * ```
 */
export const layerWith = (options: Options) =>
  Layer.unwrap(
    Effect.map(make(options), (journal) =>
      Layer.merge(Layer.succeed(Journal, journal), SqliteClient.layer({ filename: options.filename, readonly: true }))
    )
  )
