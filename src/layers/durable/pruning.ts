/**
 * Pruning: tasks that ended long ago leave the journal, and what stays of them is that their message was here.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Journal, type JournalEntry } from "../../services/durable/Journal.ts"
import * as Prunable from "./prunable.ts"

/** What is kept, and how much is done at a time. */
export interface Options {
  /** How long a task is kept after its end. */
  readonly keepFor: Duration.Duration
  /** How many tasks that have ended are kept at most; beyond it those that were accepted first go sooner. */
  readonly keepTasks: number
  /** How long the message of a pruned task is recognised after the pruning. */
  readonly rememberFor: Duration.Duration
  /** Nothing goes before its end is this old: who waited for it has read it, and its execution has ended, too. */
  readonly atLeast: Duration.Duration
  /** How often it is looked whether something is to go. */
  readonly every: Duration.Duration
  /** How many tasks are given up in one commit, and how many rows removed in one. */
  readonly tasks: number
  readonly rows: number
  /** Between two such commits. */
  readonly pause: Duration.Duration
  /** With so many changes in the outbox no task goes, since each adds to it: two at most. */
  readonly maxPending: number
}

/**
 * Seven days: who asks again after a weekend, or a long one, is answered. 10,000 tasks: with ten steps each, whose results
 * have 800 bytes, some 650 MB. Thirty days of the messages: longer than any queue tries again.
 *
 * 64 rows are removed within a millisecond or two, which is what a task may have to wait for; with the pauses, 2,000 rows
 * go in a second. A quarter of the outbox is left to the pruning.
 */
export const defaults: Options = {
  keepFor: Duration.days(7),
  keepTasks: 10_000,
  rememberFor: Duration.days(30),
  atLeast: Duration.minutes(1),
  every: Duration.minutes(1),
  tasks: 16,
  rows: 64,
  pause: Duration.millis(25),
  maxPending: 2500
}

/** So many tasks are looked at at a time. */
const partSize = 500

/** How long whoever has just looked a task up has to read its rows. */
const readTime = "1 second"

/** The stream of what stays of a task. */
const streamOf = (taskId: string) => `~forgotten/${taskId}`

const make = Effect.fnUntraced(function* (options: Options) {
  const journal = yield* Journal
  const clock = yield* Clock.Clock
  const prunable = yield* Prunable.make
  const started = clock.currentTimeMillisUnsafe()
  const keepFor = Math.max(Duration.toMillis(options.keepFor), Duration.toMillis(options.atLeast))
  const atLeast = Duration.toMillis(options.atLeast)
  let told = false

  // What a crash left unfinished is finished by the next start.
  const remove = Effect.fnUntraced(function* (streams: ReadonlyArray<string> = []) {
    let removed = yield* journal.remove(streams, options.rows)
    while (removed > 0) {
      yield* Effect.sleep(options.pause)
      removed = yield* journal.remove([], options.rows)
    }
  })

  const forget = Effect.gen(function* () {
    while (true) {
      const names = yield* prunable.forgotten(clock.currentTimeMillisUnsafe(), options.tasks)
      if (names.length === 0) return
      yield* remove(names)
    }
  })

  const farewell = Effect.fnUntraced(function* (task: Prunable.Ended) {
    const { digest, message_key: messageKey, number, state, task_id: taskId } = task
    const stream = streamOf(taskId)
    const until = clock.currentTimeMillisUnsafe() + Duration.toMillis(options.rememberFor)
    const streams = yield* prunable.streams(taskId)
    const workflows = yield* prunable.workflows(number)
    return [
      { stream, record: { _tag: "TaskForgotten", taskId, streams, messageKey, digest, state, until } },
      ...workflows.map(({ workflow_id: workflowId, workspace_id: workspaceId }) => ({
        stream,
        record: { _tag: "CheckpointsCleared", workspaceId, workflowId } as const
      }))
    ] satisfies ReadonlyArray<JournalEntry>
  })

  // The oldest of a part of the tasks. How many were given up, and the last of them.
  const giveUp = Effect.fnUntraced(function* (after: number, upTo: number, excess: number) {
    const now = clock.currentTimeMillisUnsafe()
    const over = now - keepFor
    const found = yield* prunable.prunable({
      after,
      upTo,
      endedBefore: excess > 0 ? now - atLeast : over,
      started,
      limit: options.tasks
    })
    const going = found.filter(({ updated_at: ended }, index) => ended <= over || index < excess)
    yield* journal.accept((yield* Effect.forEach(going, farewell)).flat())
    return { count: going.length, last: found.length < options.tasks ? upTo : (found.at(-1)?.number ?? upTo) }
  })

  const room = Effect.gen(function* () {
    // A compaction weighs tasks against each other: derived again without some of them it would come out otherwise.
    const isFull = yield* prunable.isFull
    if (isFull && !told) {
      yield* Effect.logWarning("no task is pruned until the checkpoint outbox has sent what it held when it was full")
    }
    told = isFull
    return !isFull && (yield* prunable.pending) < options.maxPending
  })

  const prune = Effect.gen(function* () {
    let excess = (yield* prunable.ended) - options.keepTasks
    let after = 0
    let count = 0
    while (yield* room) {
      const { oldest, upTo } = yield* prunable.part({ after, size: partSize })
      if (upTo === null || oldest === null) break
      // Whoever came later has ended later still.
      if (excess <= 0 && oldest > clock.currentTimeMillisUnsafe() - keepFor) break
      const given = yield* giveUp(after, upTo, excess)
      after = given.last
      count += given.count
      excess -= given.count
      yield* Effect.sleep(options.pause)
    }
    if (count === 0) return
    yield* Effect.logInfo("pruned tasks that ended long ago", { count })
    yield* Effect.sleep(readTime)
    yield* remove()
  })

  const round = Effect.gen(function* () {
    yield* remove()
    if (yield* room) yield* forget
    yield* prune
  })

  yield* round.pipe(
    // While nothing can be written, nothing can be removed either; the journal has told of it.
    Effect.catchTag("JournalUnavailable", (error) => Effect.logDebug("nothing is pruned for now", error)),
    Effect.catchCause((cause) => Effect.logError("tasks could not be pruned for now", cause)),
    Effect.andThen(Effect.sleep(options.every)),
    Effect.forever,
    Effect.forkScoped
  )
})

/**
 * Prunes in the background, as long as the layer lives, and finishes what a former process began. The journal's
 * projections must be those of a workspace.
 *
 * **Details**
 *
 * That a task goes is decided by a row, `TaskForgotten`, together with the change by which the platform forgets its
 * checkpoints; from then on nobody finds it. Its rows go afterwards, a few at a time.
 *
 * **Example**
 *
 * ```ts
 * const Pruned = Pruning.layerWith({ keepTasks: 1000 }).pipe(Layer.provide(Journal))
 * ```
 */
export const layerWith = (options: Partial<Options> = {}) => Layer.effectDiscard(make({ ...defaults, ...options }))

/** {@link layerWith} with {@link defaults}. */
export const layer = layerWith()
