/**
 * The index of tasks in flight: rows of a reserved workflow, each with the id of one task or none, used again and again.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { InFlight } from "../../services/durable/InFlight.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"
import type { CheckpointRows } from "./checkpointRows.ts"
import * as TaskReceive from "./taskReceive.ts"

const Slot = Schema.Struct({ task: Schema.NullOr(Schema.String) })
const decodeSlot = Schema.decodeUnknownOption(Slot)

/** The task that a row of the index names, if it names one. */
export const taskIn = (payload: Schema.Json): string | undefined =>
  Option.getOrUndefined(decodeSlot(payload))?.task ?? undefined

const slotName = (slot: number) => `slot-${String(slot).padStart(3, "0")}`

/** The number of a row of the index, which its name tells. */
export const slotOf = (stepName: string): number | undefined => {
  const [, digits] = /^slot-(\d{3,})$/.exec(stepName) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** Who has which place. */
export interface Slots {
  /** The task's place: the one that it has, else one that is free, else a new one. */
  readonly take: (taskId: string) => number
  /** The place that the task had, if it had one. */
  readonly release: (taskId: string) => number | undefined
  /** The tasks that have a place. */
  readonly tasks: () => ReadonlyArray<string>
}

/** The places where these are taken. There are never more than there were tasks at once. */
export const makeSlots = (taken: Iterable<readonly [taskId: string, slot: number]>): Slots => {
  const slots = new Map(taken)
  const used = new Set(slots.values())
  let next = Math.max(-1, ...used) + 1
  const free = Array.from({ length: next }, (_, slot) => slot).filter((slot) => !used.has(slot))
  return {
    take: (taskId) => {
      const slot = slots.get(taskId) ?? free.shift() ?? next++
      slots.set(taskId, slot)
      return slot
    },
    release: (taskId) => {
      const slot = slots.get(taskId)
      if (slot === undefined) return undefined
      slots.delete(taskId)
      free.push(slot)
      return slot
    },
    tasks: () => Array.from(slots.keys())
  }
}

/** A row of the index. */
export const slotEntry = (
  workspaceId: WorkspaceId,
  slot: number,
  task: string | null,
  options?: CheckpointEntries.SavedOptions
) =>
  CheckpointEntries.saved(
    {
      workspaceId,
      workflowId: CheckpointEntries.inFlightWorkflow,
      stepName: slotName(slot),
      stepIndex: slot,
      payload: { task }
    },
    options
  )

/** The index as the journal has it; `wake` tells the outbox of new rows. */
export const make = Effect.fnUntraced(function* (rows: CheckpointRows, wake: () => void) {
  const { workspaceId } = yield* PlatformConfig
  const index = yield* rows.list({ workspaceId, workflowId: CheckpointEntries.inFlightWorkflow })
  const slots = makeSlots(
    index.flatMap(({ payload, stepName }) => {
      const task = taskIn(payload)
      const slot = slotOf(stepName)
      return task === undefined || slot === undefined ? [] : [[task, slot] as const]
    })
  )
  const ended = (taskId: string) => {
    const slot = slots.release(taskId)
    if (slot === undefined) return []
    wake()
    return [slotEntry(workspaceId, slot, null)]
  }
  const inFlight: (typeof InFlight)["Service"] = {
    isKept: true,
    accepted: (record, at) => {
      wake()
      return [
        // The place first: who has the checkpoint of the task's beginning has its place in the index, too.
        slotEntry(workspaceId, slots.take(record.input.taskId), record.input.taskId, { at }),
        CheckpointEntries.saved(TaskReceive.checkpoint(workspaceId, record), { at })
      ]
    },
    withdrawn: (taskId) => {
      slots.release(taskId)
    },
    ended,
    stale: (unfinished) => slots.tasks().flatMap((taskId) => (unfinished.has(taskId) ? [] : ended(taskId)))
  }
  return inFlight
})
