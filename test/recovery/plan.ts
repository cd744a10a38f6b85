/**
 * What a cell of the recovery matrix says: how it is played, and what must come of it.
 *
 * @module
 */
import type { Crash } from "./crashPoint.ts"

/** The kill points, as the issue names them. */
export const points = ["before-row", "after-effect", "after-commit", "wait", "recovery", "shutdown"] as const
/** One of {@link points}. */
export type Point = (typeof points)[number]

/** What the kill points are called in the document. */
export const pointTitles: Readonly<Record<Point, string>> = {
  "before-row": "before the step's row",
  "after-effect": "after the effect, before the row",
  "after-commit": "after commit, before delivery",
  wait: "while a wait (or the acceptance) is written",
  recovery: "during recovery itself",
  shutdown: "during shutdown"
}

/** The processes of a cell. `child` is a workspace under `worker`. */
export type Role = "worker" | "child"

/** Something that has come about. `of` is the worker unless said. */
export type Condition =
  /** The effect of a step has happened. */
  | { readonly seen: string; readonly of?: Role }
  /** The row of a step's result is committed. */
  | { readonly committed: string; readonly of?: Role }
  /** A wait is open. */
  | { readonly waiting: string; readonly of?: Role }
  /** The process that is killed has said this, in this life. */
  | { readonly says: string }
  /** The client's message was acknowledged. */
  | { readonly accepted: true }
  /** The second process on the same directory was refused. */
  | { readonly refused: true }

/** What the harness does in a cell when all of `when` holds, in the lives from `from` to `to` (counted from 1). */
export interface Action {
  readonly when: ReadonlyArray<Condition>
  readonly from?: number
  readonly to?: number
  readonly act:
    | { readonly do: "open"; readonly gate: string }
    /** Gives a wait its value, until that is taken; in each life anew. */
    | { readonly do: "provide"; readonly wait: string; readonly of?: Role }
    /** Cancels the task, until that is acknowledged; in each life anew. */
    | { readonly do: "cancel" }
    | { readonly do: "term" }
    | { readonly do: "kill" }
    /** Starts a second process on the same directory. */
    | { readonly do: "second" }
}

/** One life of the process that is killed. */
export interface Life {
  readonly crash?: Crash
  /** The code of the agent; `v1` unless said. */
  readonly code?: string
}

/** How often a step has its effect: exactly, or at least and at most. */
export type Runs = number | readonly [least: number, most: number]

/** What must come of a cell. */
export interface Expected {
  readonly end: "completed" | "canceled"
  /** The answer of a completed task. */
  readonly answer: string
  /** By step, for each process. */
  readonly runs: Readonly<Partial<Record<Role, Readonly<Record<string, Runs>>>>>
  /** The task was rebuilt from what the platform knew; otherwise it goes on from its own disk, or is taken anew. */
  readonly restored: boolean
  /** A second process is refused and told who holds the directory; the task is held under other code. */
  readonly named: ReadonlyArray<"refused" | "held">
}

/** A cell that can be run. */
export interface Plan {
  /** The message. */
  readonly text: string
  readonly victim: Role
  readonly withChild: boolean
  /** The lives that end by a kill, and those that are ended otherwise; after them comes one that is left alone. */
  readonly lives: ReadonlyArray<Life>
  readonly actions: ReadonlyArray<Action>
  readonly expected: Expected
}

/** A cell of the matrix. */
export interface Cell {
  readonly id: string
  readonly history: string
  readonly point: Point
  /** The state directory is deleted after the first kill. */
  readonly wiped: boolean
  readonly outcome:
    | { readonly _tag: "Run"; readonly plan: Plan }
    | { readonly _tag: "NotApplicable"; readonly why: string }
}

/** A history: what it is called in `pitfalls.md`, who failed on it, and what happens at each point. */
export interface History {
  readonly name: string
  readonly title: string
  readonly seenIn: string
  readonly cells: ((point: Point, wiped: boolean) => Plan) | { readonly notApplicable: string }
}
