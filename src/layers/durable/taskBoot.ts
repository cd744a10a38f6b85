/**
 * Taking up the unfinished tasks at a start: which of them, and in which order.
 *
 * @module
 */
import type { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import type { History, HoldReason, Standing } from "../../services/durable/TaskStore.ts"
import { codeOf } from "./agentTaskWorkflow.ts"

/** A task that brought the process down at so many starts in a row, without getting on, is set aside. */
export const maxBoots = 3

/** What a start does with an unfinished task. */
export type Decision =
  | { readonly _tag: "Resume" }
  /** It may have brought the process down: it is taken up alone. */
  | { readonly _tag: "Trial" }
  | { readonly _tag: "Release" }
  | { readonly _tag: "Leave" }
  /** Its code is not here: it is set aside, with {@link missingCode}. */
  | { readonly _tag: "Orphaned" }
  | { readonly _tag: "Hold"; readonly reason: typeof HoldReason.Type; readonly detail: string }

/** What this program ships: its executor with older code of it, and the versions of the workflow's body. */
export interface Shipped {
  readonly executor: AgentExecutor["Service"]
  readonly bodies: ReadonlyMap<number, unknown>
}

/** Is the code that began the task still here? */
export const hasCode = ({ bodies, executor }: Shipped, { code, version }: Standing): boolean =>
  bodies.has(version) && (code === "" || code === codeOf(executor) || Object.hasOwn(executor.previous ?? {}, code))

/** What to say of a task whose code is not here: its last step, and the versions on both sides. */
export const missingCode = (
  { bodies, executor }: Shipped,
  { code, segment, version }: Standing,
  { completed, steps }: History
) => {
  const last = completed.at(-1) ?? Object.keys(steps).at(-1) ?? "none"
  const shipped = [codeOf(executor), ...Object.keys(executor.previous ?? {})].join(", ")
  return `begun by workflow version ${version} with code ${code}, last completed step ${last} (segment ${segment}); this program has version ${Array.from(bodies.keys()).join(", ")} with code ${shipped}: start it with the old code, or ship that as AgentExecutor.previous`
}

/** Decides. */
export const decide = (shipped: Shipped, standing: Standing): Decision => {
  const { boots, held } = standing
  if (held !== undefined) {
    return held.reason === "code" && hasCode(shipped, standing) ? { _tag: "Release" } : { _tag: "Leave" }
  }
  if (!hasCode(shipped, standing)) {
    return { _tag: "Orphaned" }
  }
  if (boots >= maxBoots) {
    return {
      _tag: "Hold",
      reason: "crashes",
      detail: `the process ended ${boots} times in a row after taking it up, before it got on`
    }
  }
  return boots === 0 ? { _tag: "Resume" } : { _tag: "Trial" }
}
