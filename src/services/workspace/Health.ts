/**
 * Whether a workspace gets on: the age of the oldest work that is due, not that its process is up.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { JournalUnavailable } from "../durable/Journal.ts"
import { HoldReason, type TaskStoreError } from "../durable/TaskStore.ts"

/**
 * What may be wrong. `overdue`: work that is due has not gone on for longer than is allowed; `journal`: nothing can be written;
 * `held`: a task is set aside; `outbox`: it was full, and the platform does not have yet what it held then; `store`: what is on
 * the disk cannot be read, so that nothing else is known.
 */
export const Trouble = Schema.Literals(["overdue", "journal", "held", "outbox", "store"])
/** The type of {@link Trouble}. */
export type Trouble = typeof Trouble.Type

/** By what a workspace is not well. `store` always counts. */
export interface HealthRule {
  readonly failsOn: ReadonlyArray<Exclude<Trouble, "store">>
  /** Milliseconds by which work may be overdue. */
  readonly maxOverdue: number
}

const work = {
  status: Schema.Literals(["ok", "starting", "draining"]),
  /** What is wrong by the workspace's rule; nothing, if it is well. */
  wrong: Schema.Array(Trouble),
  running: Schema.Int,
  queued: Schema.Int,
  /** Milliseconds: how long the oldest due work is overdue; 0 if none is. */
  oldestDue: Schema.Finite
}

const outbox = Schema.Struct({
  /** Checkpoints that the platform does not have yet. */
  pending: Schema.Int,
  /** Why somebody should look at it, if somebody should. */
  alarm: Schema.optionalKey(Schema.String)
})

/** How the work of a running workspace is getting on, for its operator. */
export const WorkspaceHealth = Schema.Struct({
  /** The process that owns the state directory. */
  pid: Schema.Int,
  ...work,
  /** Tasks that are set aside. */
  held: Schema.Array(Schema.Struct({ taskId: Schema.String, reason: HoldReason, detail: Schema.String })),
  journal: Schema.Struct({
    file: Schema.String,
    /** Rows on their way to the disk. */
    staged: Schema.Int,
    /** Why it cannot be written now, if it cannot. */
    refused: Schema.optionalKey(Schema.String)
  }),
  outbox
})
/** The type of {@link WorkspaceHealth}. */
export type WorkspaceHealth = typeof WorkspaceHealth.Type

/** The same for everybody who can reach the workspace: without ids, paths and details. */
export const PublicHealth = Schema.Struct({
  ...work,
  /** How many tasks are set aside. */
  held: Schema.Int,
  journal: Schema.Struct({ staged: Schema.Int, refused: Schema.optionalKey(JournalUnavailable.fields.reason) }),
  outbox
})
/** The type of {@link PublicHealth}. */
export type PublicHealth = typeof PublicHealth.Type

/**
 * The workspace's health.
 *
 * **Details**
 *
 * Where the store cannot be read, `forOperator` fails, and `forAll` tells it as the trouble `store`.
 *
 * **Example**
 *
 * ```ts
 * const { wrong } = yield* Effect.flatMap(Health, (health) => health.forAll)
 * ```
 */
export class Health extends Context.Service<
  Health,
  {
    readonly forOperator: Effect.Effect<WorkspaceHealth, TaskStoreError>
    readonly forAll: Effect.Effect<PublicHealth>
  }
>()("molecule-effect/services/workspace/Health") {}
