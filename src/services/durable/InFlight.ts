/**
 * The index of the tasks in flight, which the platform keeps: by it a workspace that has lost its disk finds them again.
 *
 * @module
 */
import * as Context from "effect/Context"
import type { JournalEntry, JournalRecord } from "./Journal.ts"

/** The record of a task's acceptance. */
export type Accepted = Extract<JournalRecord, { readonly _tag: "TaskAccepted" }>

/**
 * What a task store adds to the commits of a task's beginning and end.
 *
 * **Details**
 *
 * - `accepted` gives the rows that belong into the commit of the task's acceptance: its place in the index, and its
 *   checkpoint `task_receive`, which holds what starting it again needs. `at` is the time of the acceptance, in
 *   milliseconds since 1970.
 * - `withdrawn` takes that back where the commit was refused.
 * - `ended` gives the rows that belong into the commit of the task's end. Stage them in the same synchronous go: its place
 *   may be given to the next task at once, whose row must stand behind.
 * - `stale` gives the rows that free the places of tasks other than these unfinished ones: of those that were ended while
 *   nobody ran the workspace.
 *
 * Where nobody provides it, there is no index, it gives no rows (`isKept` is false), and whoever runs a task saves its
 * checkpoint `task_receive`.
 */
export const InFlight = Context.Reference<{
  readonly isKept: boolean
  readonly accepted: (record: Accepted, at: number) => ReadonlyArray<JournalEntry>
  readonly withdrawn: (taskId: string) => void
  readonly ended: (taskId: string) => ReadonlyArray<JournalEntry>
  readonly stale: (unfinished: ReadonlySet<string>) => ReadonlyArray<JournalEntry>
}>("molecule-effect/services/durable/InFlight", {
  defaultValue: () => ({
    isKept: false,
    accepted: () => [],
    withdrawn: () => undefined,
    ended: () => [],
    stale: () => []
  })
})
