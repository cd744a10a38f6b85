/**
 * Checkpoints on the local disk, forwarded to the platform in the background: an outage delays them and loses none.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { Checkpoint, CheckpointKey, type CheckpointRejected } from "../../services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../services/durable/CheckpointOutbox.ts"
import { migrate } from "../sql/migrate.ts"
import * as CheckpointPlatform from "./CheckpointPlatform.ts"
import * as CheckpointRules from "./checkpointRules.ts"
import * as CheckpointSql from "./CheckpointSql.ts"
import * as Pace from "./pace.ts"

const migrations = {
  "1_create": Effect.gen(function* () {
    const sql = yield* SqlClient
    // What is sent is the change as it was made, not the row as it is now: the platform sees the same history.
    yield* sql`CREATE TABLE checkpoint_outbox (
      sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      workspace_id TEXT NOT NULL,
      workflow_id TEXT NOT NULL,
      step_name TEXT NOT NULL,
      step_index INTEGER NOT NULL,
      payload TEXT NOT NULL,
      rejected TEXT
    ) STRICT`
    yield* sql`CREATE INDEX checkpoint_outbox_pending ON checkpoint_outbox (sequence) WHERE rejected IS NULL`
  })
}

const Change = Schema.Struct({
  kind: Schema.Literals(["save", "clear"]),
  workspace_id: CheckpointKey.fields.workspaceId,
  workflow_id: Schema.String,
  step_name: Schema.String,
  step_index: Schema.Int,
  payload: CheckpointRules.PayloadJson
})
const Pending = Schema.Struct({ ...Change.fields, sequence: Schema.Int })

/** Between two attempts while the platform is away: from 100 ms, doubling, to 5 s. */
const retrySchedule = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/**
 * The platform grants a token 600 requests a minute, and heartbeats are among them: a long backlog takes at most 480 of
 * these (the burst and a minute at the rate), so that it never makes its workspace look dead.
 */
const pace: Pace.Options = { burst: 120, perSecond: 6 }

/** How often a flush looks whether everything has gone out. */
const flushInterval = "20 millis"

/** How long the forwarder waits after a failure that is not the platform's, such as one of the local database. */
const storeRetry = "1 second"

const make = Effect.fnUntraced(function* (local: Checkpoint["Service"], remote: Checkpoint["Service"]) {
  const sql = yield* SqlClient
  yield* migrate("checkpoint_outbox_migrations", migrations)
  const work = yield* Latch.make(true)

  const enqueue = SqlSchema.void({
    Request: Change,
    execute: (change) => sql`INSERT INTO checkpoint_outbox ${sql.insert(change)}`
  })
  const first = SqlSchema.findOneOption({
    Request: Schema.Void,
    Result: Pending,
    execute: () => sql`
      SELECT sequence, kind, workspace_id, workflow_id, step_name, step_index, payload FROM checkpoint_outbox
      WHERE rejected IS NULL ORDER BY sequence LIMIT 1`
  })
  const count = SqlSchema.findOne({
    Request: Schema.Void,
    Result: Schema.Struct({ pending: Schema.Int }),
    execute: () => sql`SELECT COUNT(*) AS pending FROM checkpoint_outbox WHERE rejected IS NULL`
  })

  // The change and its place in the queue are one commit; the forwarder is woken by it, whatever then becomes of the
  // caller.
  const recorded = <A, E>(operation: string, change: Effect.Effect<A, E>, entry: typeof Change.Type) =>
    change.pipe(
      Effect.tap(() => Effect.mapError(enqueue(entry), CheckpointRules.unavailable(operation))),
      Effect.tap(() => sql.afterCommit(work.open)),
      sql.withTransaction,
      Effect.catchTag("SqlError", (error) => Effect.fail(CheckpointRules.unavailable(operation)(error)))
    )

  const send = (entry: typeof Pending.Type) =>
    entry.kind === "clear"
      ? Effect.asVoid(remote.clear(entry.workspace_id, entry.workflow_id))
      : Effect.asVoid(
          remote.save({
            workspaceId: entry.workspace_id,
            workflowId: entry.workflow_id,
            stepName: entry.step_name,
            stepIndex: entry.step_index,
            payload: entry.payload
          })
        )

  const reject = Effect.fnUntraced(function* (entry: typeof Pending.Type, refusal: CheckpointRejected) {
    yield* Effect.logError("the platform refuses a checkpoint; it is kept here", {
      workspaceId: entry.workspace_id,
      workflowId: entry.workflow_id,
      kind: entry.kind,
      stepName: entry.step_name,
      stepIndex: entry.step_index,
      sequence: entry.sequence,
      detail: refusal.detail
    })
    yield* sql`UPDATE checkpoint_outbox SET rejected = ${refusal.detail} WHERE sequence = ${entry.sequence}`
  })

  const { turn } = yield* Pace.make(pace)

  // One change, as often as it takes. What comes behind it waits: the order is part of what is told.
  const forward = Effect.fnUntraced(function* (entry: typeof Pending.Type) {
    yield* turn
    const sent = yield* send(entry).pipe(
      Effect.as(Option.none<CheckpointRejected>()),
      Effect.catchTag("CheckpointRejected", Effect.succeedSome),
      Effect.tapError((error) => Effect.logDebug("checkpoint not sent yet", { detail: error.message })),
      Effect.retry(retrySchedule)
    )
    if (Option.isSome(sent)) return yield* reject(entry, sent.value)
    yield* sql`DELETE FROM checkpoint_outbox WHERE sequence = ${entry.sequence}`
  })

  const next = Effect.gen(function* () {
    yield* work.await
    // Closed before looking: a change that is recorded while we look opens it again.
    yield* work.close
    const entry = yield* first()
    if (Option.isNone(entry)) return
    yield* work.open
    yield* forward(entry.value)
  }).pipe(
    // Defects too: nobody watches this loop, and without it nothing would go out any more.
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) =>
        Effect.logError("the checkpoint outbox cannot go on for now", cause).pipe(
          Effect.andThen(work.open),
          Effect.delay(storeRetry)
        )
    )
  )
  yield* Effect.forkScoped(Effect.forever(next))

  const pending = count().pipe(
    Effect.map((row) => row.pending),
    Effect.mapError(CheckpointRules.unavailable("pending"))
  )

  const checkpoint = Checkpoint.of({
    save: (input) =>
      recorded("save", local.save(input), {
        kind: "save",
        workspace_id: input.workspaceId,
        workflow_id: input.workflowId,
        step_name: input.stepName,
        step_index: input.stepIndex,
        payload: input.payload
      }),
    latest: local.latest,
    list: local.list,
    clear: (workspaceId, workflowId) =>
      recorded("clear", local.clear(workspaceId, workflowId), {
        kind: "clear",
        workspace_id: workspaceId,
        workflow_id: workflowId,
        step_name: "",
        step_index: 0,
        payload: null
      })
  })
  const outbox = CheckpointOutbox.of({
    alarm: Effect.succeedNone,
    confirmed: () => Effect.void,
    pending,
    flush: pending.pipe(
      Effect.repeat({ schedule: Schedule.spaced(flushInterval), until: (left) => left === 0 }),
      Effect.catch((error) => Effect.logError(error.message)),
      Effect.asVoid,
      Effect.withSpan("CheckpointOutbox.flush")
    )
  })
  return Context.make(Checkpoint, checkpoint).pipe(Context.add(CheckpointOutbox, outbox))
})

/**
 * Saves to the database in context first, and forwards to `remote` in the order of saving.
 *
 * **Details**
 *
 * A caller never waits for the platform and never fails because of it. While it is away its changes are tried again for
 * ever (from 100 ms apart to 5 s); what it refuses is logged, kept and passed over. What is unsent survives a restart.
 * `latest` and `list` answer from the local database.
 */
export const layerWith = <E, R>(options: { readonly remote: Layer.Layer<Checkpoint, E, R> }) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const local = Context.get(yield* Layer.build(CheckpointSql.layer), Checkpoint)
      const remote = Context.get(yield* Layer.build(Layer.fresh(options.remote)), Checkpoint)
      return yield* make(local, remote)
    })
  )

/** {@link layerWith} the platform as the remote. */
export const layer = layerWith({ remote: CheckpointPlatform.layer })
