/**
 * What an adapter in `systems/` gives.
 *
 * @module
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { PostgresAddress } from "./model.ts"
import type { Steps } from "./steps.ts"

/** What a system gets to work with. */
export interface Place {
  /** An empty folder on a disk. */
  readonly directory: string
  /** An empty database, for the systems that need one. */
  readonly postgres: PostgresAddress | undefined
  readonly steps: Steps
}

/** A system that is ready for tasks. */
export interface Running {
  /** How it keeps what it acknowledges. */
  readonly durability: string
  /** Runs one task to its end and answers its result. */
  readonly run: (id: string) => Effect.Effect<string, unknown>
}

/** Starts a system; it runs until the scope is closed. */
export type System = (place: Place) => Effect.Effect<Running, unknown, Scope.Scope>
