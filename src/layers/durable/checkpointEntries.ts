/**
 * Checkpoints as rows of the journal.
 *
 * @module
 */
import { hash } from "node:crypto"
import * as DateTime from "effect/DateTime"
import { type CheckpointInput, reservedPrefix, SavedStep } from "../../services/durable/Checkpoint.ts"
import type { JournalEntry } from "../../services/durable/Journal.ts"

/** The stream of the workspace's own checkpoints, and of what is noted about the outbox. */
export const ownStream = "~checkpoints"

/** The workflow of the index of tasks in flight. */
export const inFlightWorkflow = `${reservedPrefix}in-flight`

/** The workflow that holds a task's steps. */
export const stepsOf = (taskId: string): string => `${taskId}/llm_call`

/** The task that a workflow belongs to. */
export const taskOf = (workflowId: string): string => workflowId.split("/", 1)[0] ?? ""

/** The stream of a workflow's checkpoints: its task's, so that they are pruned with the task. */
export const streamOf = (workflowId: string): string => {
  const task = taskOf(workflowId)
  return task === "" || task.startsWith("~") || task.startsWith(reservedPrefix) ? ownStream : task
}

/** When a checkpoint was saved, in milliseconds since 1970, if not when it is written; `known`: the platform has it. */
export interface SavedOptions {
  readonly at?: number
  readonly known?: boolean
}

/** A checkpoint to be saved. */
export const saved = (input: CheckpointInput, { at, known = false }: SavedOptions = {}): JournalEntry => ({
  stream: streamOf(input.workflowId),
  ...(at === undefined ? undefined : { at }),
  record: {
    _tag: "CheckpointSaved",
    workspaceId: input.workspaceId,
    workflowId: input.workflowId,
    stepName: input.stepName,
    stepIndex: input.stepIndex,
    payload: input.payload,
    ...(known ? { known: true } : undefined)
  }
})

/** A workflow's checkpoints to be removed. */
export const cleared = (workspaceId: string, workflowId: string): JournalEntry => ({
  stream: streamOf(workflowId),
  record: { _tag: "CheckpointsCleared", workspaceId, workflowId }
})

/** The checkpoint as it was saved. Its id follows from what it names: it stays over repeats without being looked up. */
export const toStep = (epoch: string, input: CheckpointInput, at: number): SavedStep => {
  const { payload, stepIndex, stepName, workflowId, workspaceId } = input
  const id = hash("sha256", [epoch, workspaceId, workflowId, stepName].join("\u0000"), "base64url").slice(0, 22)
  const saved = { workspaceId, workflowId, stepName, stepIndex, payload, id, completedAt: DateTime.makeUnsafe(at) }
  // The input has been checked.
  return new SavedStep(saved, { disableChecks: true })
}
