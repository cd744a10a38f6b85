/**
 * One run of an activity: its result is staged together with what its body wants in the same commit.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { type Journal, type JournalEntry, Staging } from "../../services/durable/Journal.ts"
import type { Execution } from "./execution.ts"
import { encodeExit } from "./exitCodec.ts"

/** Runs the activity; its result is known to the execution, and on disk when the journal has settled. */
export const make = (
  journal: Journal["Service"],
  execution: Execution,
  { interrupted, workflow }: WorkflowInstance["Service"],
  activity: Activity.Any,
  attempt: number
): Effect.Effect<Workflow.Result<unknown, unknown>, never, WorkflowInstance> =>
  Effect.suspend(() => {
    const { name } = activity
    const instance = WorkflowInstance.initial(workflow, execution.id)
    instance.interrupted = interrupted
    const staged: Array<JournalEntry> = []
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off -- the engine's contract has erased the types
    return activity.executeEncoded.pipe(
      Workflow.intoResult,
      Effect.updateContext((context: Context.Context<never>) =>
        Context.add(Context.add(context, WorkflowInstance, instance), Staging, staged)
      ),
      Effect.map((result) => {
        // An interruption is no result: the next replay runs it again.
        if (result._tag === "Suspended") return result
        if (Exit.isFailure(result.exit) && Cause.hasInterruptsOnly(result.exit.cause)) return result
        const exit = Exit.map(result.exit, (value) => value ?? null)
        const row = { _tag: "ActivityCompleted", name, attempt, exit: encodeExit(exit) } as const
        journal.stageUnsafe([...staged, { stream: execution.id, record: row }])
        execution.activities.set(`${name}/${attempt}`, exit)
        execution.unsettled = true
        return result
      })
    )
  })
