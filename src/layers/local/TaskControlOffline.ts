/**
 * `TaskControl` of a workspace that nobody runs: by the rows that its next start finds.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ProcessRegistry } from "../../services/agent/ProcessRegistry.ts"
import { AgentTask, executionId, phases } from "../../services/durable/AgentTask.ts"
import { Journal, type JournalEntry, type JournalRow } from "../../services/durable/Journal.ts"
import { TaskNotCancelable, TaskNotFound, TaskNotHeld } from "../../services/durable/TaskRunner.ts"
import { isTerminal, TaskStore, TaskStoreError } from "../../services/durable/TaskStore.ts"
import { NobodyRuns, TaskControl } from "../../services/local/TaskControl.ts"
import { codecOf } from "../journal/exitCodec.ts"

const storeError = (operation: string) => (cause: unknown) => new TaskStoreError({ operation, cause })

// The end of the execution that the task was in, so that it is not counted among the unfinished.
const endOf = Effect.fnUntraced(function* (execution: string, rows: ReadonlyArray<JournalRow>) {
  const has = (tag: JournalRow["record"]["_tag"]) => rows.some(({ record }) => record._tag === tag)
  if (!has("ExecutionStarted") || has("ExecutionCompleted")) return []
  const exit = yield* codecOf(AgentTask).encodeResult(Exit.interrupt())
  return [
    { stream: execution, record: { _tag: "InterruptRequested", unsafe: true } },
    { stream: execution, record: { _tag: "ExecutionCompleted", exit } }
  ] satisfies ReadonlyArray<JournalEntry>
})

// The platform is told as by a running workspace, if it knows of the task: else it would have it begun again after a lost disk.
const checkpointOf = (taskId: string, rows: ReadonlyArray<JournalRow>): ReadonlyArray<JournalEntry> => {
  const saved = rows.findLast(({ record }) => record._tag === "CheckpointSaved" && record.workflowId === taskId)?.record
  if (saved?._tag !== "CheckpointSaved") return []
  const stepName = "task_complete"
  return [
    {
      stream: taskId,
      record: {
        _tag: "CheckpointSaved",
        workspaceId: saved.workspaceId,
        workflowId: taskId,
        stepName,
        stepIndex: phases.indexOf(stepName),
        payload: { task_id: taskId, status: "canceled" }
      }
    }
  ]
}

const make = Effect.gen(function* () {
  const store = yield* TaskStore
  const journal = yield* Journal
  const registry = yield* ProcessRegistry

  const get = Effect.fnUntraced(function* (taskId: string) {
    const task = yield* store.get(taskId)
    return Option.isSome(task) ? task.value : yield* new TaskNotFound({ taskId })
  })

  return TaskControl.of({
    cancel: Effect.fn("TaskControl.cancel")(function* (taskId) {
      const { state } = yield* get(taskId)
      if (isTerminal(state)) return yield* new TaskNotCancelable({ taskId, state })
      const failed = Effect.mapError(storeError("cancel"))
      yield* failed(registry.endOrphans)
      const { segment } = yield* store.standing(taskId)
      const { task } = yield* store.setState(taskId, { state: "canceled" })
      const execution = executionId(taskId, segment)
      const ended = yield* endOf(execution, yield* failed(journal.read(execution)))
      yield* journal.append([...ended, ...checkpointOf(taskId, yield* failed(journal.read(taskId)))])
      return task
    }),

    resume: Effect.fn("TaskControl.resume")(function* (taskId) {
      const task = yield* get(taskId)
      const { held } = yield* store.standing(taskId)
      if (held === undefined) return yield* new TaskNotHeld({ taskId })
      yield* store.note(taskId, { _tag: "TaskReleased" })
      return task
    }),

    retry: () => new NobodyRuns({ detail: "a task is begun again with its code" }),
    provide: () => new NobodyRuns({ detail: "a value is checked by its code" }),
    health: new NobodyRuns({ detail: "its health is that of a process" })
  })
})

/**
 * Cancels and resumes by writing what the next start of the workspace goes by. What takes the workspace's code is refused.
 *
 * **Gotchas**
 *
 * Hold the lock of the state directory: the journal has one writer.
 */
export const layer = Layer.effect(TaskControl, make)
