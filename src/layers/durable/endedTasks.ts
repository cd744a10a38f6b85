/**
 * The tasks that have just ended: most often whoever sent the message asks for the answer now.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import type { LiveTask } from "./liveTask.ts"

/** How many are at hand. */
const most = 256

/** One that has said more is read from the disk. */
const mostEvents = 64

/** So long, in milliseconds: less than what pruning leaves a task after its end (`pruning.defaults.atLeast`). */
const keptFor = 10_000

/** Tasks that ended a moment ago, as they are on disk. */
export interface EndedTasks {
  readonly keep: (task: LiveTask) => void
  /** The task, if it is at hand; `now` is in milliseconds since 1970. */
  readonly get: (taskId: string, now: number) => LiveTask | undefined
  /** Somebody may write more of it. */
  readonly forget: (taskId: string) => void
}

/** None yet. */
export const make = (): EndedTasks => {
  const tasks = new Map<string, LiveTask>()
  return {
    keep: (task) => {
      if (task.recent.length > mostEvents) return
      tasks.set(task.record.input.taskId, task)
      for (const oldest of tasks.keys()) {
        if (tasks.size <= most) break
        tasks.delete(oldest)
      }
    },
    get: (taskId, now) => {
      const task = tasks.get(taskId)
      if (task === undefined) return undefined
      if (now - DateTime.toEpochMillis(task.record.updatedAt) < keptFor) return task
      tasks.delete(taskId)
      return undefined
    },
    forget: (taskId) => {
      tasks.delete(taskId)
    }
  }
}
