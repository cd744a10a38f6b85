/**
 * Unfinished tasks as the platform knows them: for a workspace whose disk was lost, or whose journal lost its end.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { TaskInput } from "./AgentTask.ts"
import type { CheckpointError } from "./Checkpoint.ts"

/** A step whose result the platform has. `payload` is its encoded exit. */
export interface RestoredStep {
  readonly name: string
  readonly index: number
  readonly payload: Schema.Json
}

/** A task that the platform knows as begun and not ended. */
export interface RestoredTask {
  /** Its place in the index of tasks in flight. */
  readonly slot: number
  readonly input: TaskInput
  readonly messageKey: string
  readonly digest: string
  readonly version: number
  readonly code: string
  /** When it was accepted, in milliseconds since 1970. */
  readonly acceptedAt: number
  readonly steps: ReadonlyArray<RestoredStep>
}

/** A task that cannot be rebuilt, and why. */
export interface LostTask {
  readonly slot: number
  readonly taskId: string
  readonly detail: string
}

/** What the platform knows. */
export interface Found {
  readonly tasks: ReadonlyArray<RestoredTask>
  readonly lost: ReadonlyArray<LostTask>
}

/** The platform has seen rows of this journal that are not in it: its end was cut off. */
export interface CutTail {
  /** The greatest position that the platform has seen, and the greatest that is here. */
  readonly platform: number
  readonly local: number
}

/**
 * Asks the platform what it knows of this workspace's tasks.
 *
 * **Details**
 *
 * - `find` reads the index of tasks in flight, and what there is of each task in it.
 * - `run` does so once in a journal's life, while it is new, and writes what it found into it, in one commit: each task
 *   as accepted (`restored: true`), with the checkpoints of the steps that it had completed. It waits for a platform that
 *   is away. Where the platform does not accept the token, nothing is restored now: the next start tries again if
 *   nothing was accepted by then.
 * - `laterOnPlatform` compares the checkpoints of one task, `cutTail` the last that the platform has of the workspace,
 *   with the journal; both give `None` for a journal that has everything.
 */
export class Restore extends Context.Service<
  Restore,
  {
    readonly find: Effect.Effect<Found, CheckpointError>
    readonly run: Effect.Effect<Found>
    readonly laterOnPlatform: (taskId: string) => Effect.Effect<Option.Option<CutTail>, CheckpointError>
    readonly cutTail: Effect.Effect<Option.Option<CutTail>, CheckpointError>
  }
>()("molecule-effect/services/durable/Restore") {}
