/**
 * Journal rows of one task, numbered as the journal does it.
 */
import { executionId } from "../../src/services/durable/AgentTask.ts"
import type { JournalRecord, JournalRow } from "../../src/services/durable/Journal.ts"

export const input = { taskId: "t", contextId: "", messageId: "m", caller: "me", text: "hello" }

const executionKinds = new Set<JournalRecord["_tag"]>([
  "ExecutionStarted",
  "ActivityCompleted",
  "DeferredCompleted",
  "ClockScheduled",
  "InterruptRequested",
  "ExecutionCompleted"
])

/** The rows of these records, one every 10 milliseconds unless a record says when. */
export const rowsOf = (
  records: ReadonlyArray<JournalRecord | { readonly at: number; readonly record: JournalRecord }>
): ReadonlyArray<JournalRow> => {
  const sequences = new Map<string, number>()
  let segment = 0
  return records.map((given, index) => {
    const { at, record } = "record" in given ? given : { at: (index + 1) * 10, record: given }
    if (record._tag === "SegmentBegan") segment = record.segment
    const stream = executionKinds.has(record._tag) ? executionId(input.taskId, segment) : input.taskId
    const sequence = (sequences.get(stream) ?? 0) + 1
    sequences.set(stream, sequence)
    return { position: index + 1, stream, sequence, at, record }
  })
}

const acceptedAs = (restored: boolean): JournalRecord => ({
  _tag: "TaskAccepted",
  input,
  messageKey: "k",
  digest: "d",
  version: 1,
  code: "c",
  restored
})
export const accepted = acceptedAs(false)
export const restored = acceptedAs(true)
export const moved = (state: "working" | "completed" | "failed" | "canceled"): JournalRecord => ({
  _tag: "TaskMoved",
  sequence: 1,
  state
})
export const began = (step: string, attempt: number): JournalRecord => ({ _tag: "StepBegan", step, attempt })
export const succeeded = (name: string, value: null | string | number): JournalRecord => ({
  _tag: "ActivityCompleted",
  name,
  attempt: 1,
  exit: { _tag: "Success", value }
})
export const failed = (name: string, detail: string): JournalRecord => ({
  _tag: "ActivityCompleted",
  name,
  attempt: 1,
  exit: {
    _tag: "Failure",
    cause: [{ _tag: "Fail", error: { _tag: "ExecutorError", reason: "timeout", detail } }]
  }
})
export const resumed: JournalRecord = { _tag: "TaskResumed", boot: "start" }
export const said = (step: string, attempt: number, number: number, text: string): JournalRecord => ({
  _tag: "TaskSaid",
  sequence: number,
  step,
  attempt,
  number,
  event: { _tag: "Output", text }
})
export const waitBegan = (wait: string, deadline: number): JournalRecord => ({
  _tag: "WaitBegan",
  wait,
  kind: "signal",
  reason: "a reason",
  from: "somebody",
  deadline
})
