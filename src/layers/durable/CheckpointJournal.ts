/**
 * Checkpoints in the journal, forwarded to the platform in the background: an outage delays them and loses none.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import {
  Checkpoint,
  type CheckpointError,
  type CheckpointInput,
  CheckpointRejected
} from "../../services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../services/durable/CheckpointOutbox.ts"
import { InFlight } from "../../services/durable/InFlight.ts"
import { Journal, type JournalEntry, Staging } from "../../services/durable/Journal.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { fnIfTraced } from "../tracing/spanIfTraced.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"
import * as CheckpointForwarder from "./checkpointForwarder.ts"
import * as CheckpointPlatform from "./CheckpointPlatform.ts"
import * as CheckpointRows from "./checkpointRows.ts"
import * as CheckpointRules from "./checkpointRules.ts"
import * as CheckpointSender from "./checkpointSender.ts"
import * as InFlightSlots from "./inFlight.ts"
import type * as Pace from "./pace.ts"

/** The bounds of the outbox, and how fast it sends. */
export interface Options extends CheckpointForwarder.Bounds {
  readonly pace: Pace.Options
}

/**
 * 10,000 changes, 64 MiB.
 *
 * The platform grants a token 600 requests a minute, and heartbeats are among them: a long backlog takes at most 480 of
 * these (the burst and a minute at the rate), so that it never makes its workspace look dead.
 */
export const defaults: Options = {
  maxEntries: 10_000,
  maxBytes: 64 * 1024 * 1024,
  maxOwnRows: 10_000,
  pace: { burst: 120, perSecond: 6 }
}

/** How often a flush looks whether everything has gone out. */
const flushInterval = "20 millis"

const make = Effect.fnUntraced(function* (remote: Checkpoint["Service"], options: Options) {
  const journal = yield* Journal
  const { workspaceId } = yield* PlatformConfig
  const clock = yield* Clock.Clock
  const rows = yield* CheckpointRows.make
  const waiting = new Map<string, Deferred.Deferred<void, CheckpointRejected>>()
  // Tasks whose place in the index the platform has refused.
  const unindexed = new Map<string, CheckpointRejected>()

  const conclude = (taskId: string, refused: Option.Option<CheckpointRejected>) => {
    const deferred = waiting.get(taskId)
    if (deferred === undefined) return
    waiting.delete(taskId)
    Deferred.doneUnsafe(deferred, Option.isSome(refused) ? Effect.fail(refused.value) : Effect.void)
  }

  const acceptance = (taskId: string) => rows.acceptance({ workspaceId, workflowId: taskId })

  const forwarder: CheckpointForwarder.Forwarder = yield* CheckpointForwarder.make({
    ...options,
    rows,
    send: yield* CheckpointSender.make({ remote, rows, pace: options.pace }),
    answered: Effect.fnUntraced(function* (entry, refused) {
      const { step_name: step, workflow_id: workflow } = entry
      if (workflow !== CheckpointEntries.inFlightWorkflow) {
        if (step === "task_receive" || step === "task_complete") conclude(workflow, refused)
        if (step === "task_complete") unindexed.delete(workflow)
      } else if (Option.isSome(refused)) {
        const { payload } = yield* Effect.orDie(rows.payloadOf(entry))
        const taskId = InFlightSlots.taskIn(payload)
        if (taskId !== undefined) unindexed.set(taskId, refused.value)
        if (taskId !== undefined) conclude(taskId, refused)
      }
    }),
    // Of a task that has ended the acceptance may have been left out.
    compacted: Effect.suspend(() =>
      Effect.forEach(
        Array.from(waiting.keys()),
        (taskId) =>
          Effect.map(acceptance(taskId), (found) => {
            if (Option.isSome(found) && !found.value.waits) conclude(taskId, Option.none())
          }),
        { discard: true }
      )
    ).pipe(Effect.orDie)
  })
  const index = yield* InFlightSlots.make(rows, forwarder.wake)

  const keep = Effect.fnUntraced(function* (entry: JournalEntry) {
    const staging = yield* Staging
    if (staging === undefined) yield* journal.append([entry])
    else staging.push(entry)
    forwarder.wake()
  })

  const failure = (operation: string) => Effect.mapError(CheckpointRules.unavailable(operation))

  const checkpoint = Checkpoint.of({
    save: fnIfTraced("Checkpoint.save")(
      Effect.fnUntraced(function* (input: CheckpointInput) {
        const accepted = yield* CheckpointRules.accept(input)
        const now = clock.currentTimeMillisUnsafe()
        yield* keep(CheckpointEntries.saved(accepted, { at: now }))
        return CheckpointEntries.toStep(journal.epoch, accepted, now)
      })
    ),
    latest: Effect.fn("Checkpoint.latest")((workspace) => failure("latest")(rows.latest(workspace))),
    list: Effect.fn("Checkpoint.list")((workspace, workflowId) =>
      failure("list")(rows.list({ workspaceId: workspace, workflowId }))
    ),
    clear: Effect.fn("Checkpoint.clear")(function* (workspace, workflowId) {
      const places = yield* failure("clear")(rows.places({ workspaceId: workspace, workflowId }))
      yield* keep(CheckpointEntries.cleared(workspace, workflowId))
      return places.length
    })
  })

  const pending = Effect.suspend(() => rows.count(forwarder.sent())).pipe(
    Effect.map(({ entries }) => entries),
    failure("pending")
  )
  const outbox = CheckpointOutbox.of({
    pending,
    flush: Effect.andThen(
      journal.settled,
      Effect.repeat(pending, { schedule: Schedule.spaced(flushInterval), until: (left) => left === 0 })
    ).pipe(
      Effect.catch((error) => Effect.logError(error.message)),
      Effect.asVoid,
      Effect.withSpan("CheckpointOutbox.flush")
    ),
    alarm: forwarder.alarm,
    confirmed: Effect.fn("CheckpointOutbox.confirmed")(function* (taskId): Effect.fn.Return<void, CheckpointError> {
      const unknown = unindexed.get(taskId)
      if (unknown !== undefined) return yield* unknown
      const answer = waiting.get(taskId) ?? Deferred.makeUnsafe<void, CheckpointRejected>()
      // Before looking: what is answered while we look must not be missed.
      waiting.set(taskId, answer)
      const found = yield* failure("confirmed")(acceptance(taskId))
      if (Option.isSome(found)) {
        const { position, refused, waits } = found.value
        if (refused !== null)
          conclude(taskId, Option.some(new CheckpointRejected({ operation: "save", detail: refused })))
        else if (!waits || position <= forwarder.sent()) conclude(taskId, Option.none())
      }
      yield* Deferred.await(answer)
    })
  })
  return Context.make(Checkpoint, checkpoint).pipe(Context.add(CheckpointOutbox, outbox), Context.add(InFlight, index))
})

/**
 * `Checkpoint` and `CheckpointOutbox` on the journal in context, whose projections must include `checkpointProjection`,
 * and the index of tasks in flight (`InFlight`). What is saved is forwarded to `remote` in the order of saving.
 *
 * **Details**
 *
 * A save is on disk when it answers; within an activity of the journal engine (see `Staging`) it is so together with the
 * result of the activity. A caller never waits for the platform and never fails because of it. While it is away its
 * changes are tried again for ever (from 100 ms apart to 5 s); what it refuses is logged, noted and passed over. What is
 * unsent survives a restart. `latest` and `list` answer from the journal.
 *
 * What goes out is sealed (see `checkpointPayload`). More than `maxEntries` changes or `maxBytes` of them are compacted
 * (see `checkpointProjection`) with an alarm. What unfinished tasks need stays, even if that is more.
 */
export const layerWith = <E, R>({
  remote,
  ...options
}: Partial<Options> & { readonly remote: Layer.Layer<Checkpoint, E, R> }) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const built = yield* Layer.build(Layer.fresh(remote))
      return yield* make(Context.get(built, Checkpoint), { ...defaults, ...options })
    })
  )

/** {@link layerWith} the platform as the remote. */
export const layer = layerWith({ remote: CheckpointPlatform.layer })
