/**
 * What the journal's task store remembers of a task that has not ended.
 *
 * @module
 */
import type { NewTaskEvent, TaskEvent, TaskRecord } from "../../services/durable/TaskStore.ts"

/** How many of a live task's last events are at hand for those who follow it. */
const recentEvents = 256

/** The numbers of one run of a step: all up to `through`, and those beyond it that came out of order. */
interface Said {
  through: number
  readonly beyond: Set<number>
}

/** A live task. */
export interface LiveTask {
  /** As it is on disk. */
  record: TaskRecord
  /** With changes that are on their way to the disk. */
  staged: TaskRecord
  /** The number of the last event that was staged. */
  sequence: number
  /** Runs of each step that was asked for in this process. */
  readonly attempts: Map<string, number>
  /** By `attempt/step`; what another process said is looked up when it is asked for. */
  readonly said: Map<string, Said>
  /** Nothing of it was written by another process. */
  readonly fresh: boolean
  /** The last events that are on disk, in order without a gap. */
  readonly recent: Array<TaskEvent>
  /** The number of the last event that is on disk. */
  kept: number
}

/** A task as it stands, before anything is remembered of it. */
export const make = (record: TaskRecord, sequence: number, fresh: boolean): LiveTask => ({
  fresh,
  record,
  staged: record,
  sequence,
  attempts: new Map(),
  said: new Map(),
  recent: [],
  kept: sequence
})

/** Do we know which numbers of this run were said? The numbers of a run that began in this process all come by here. */
export const knowsRun = ({ fresh, said }: LiveTask, attempt: number, step: string) =>
  fresh || said.has(`${attempt}/${step}`)

/** Makes what was said in a run known, given what is in the journal. */
export const rememberRun = (task: LiveTask, attempt: number, step: string, numbers: ReadonlyArray<number>) => {
  if (!task.said.has(`${attempt}/${step}`)) task.said.set(`${attempt}/${step}`, { through: 0, beyond: new Set() })
  for (const number of numbers) firstTime(task, { attempt, step, number })
}

/** Notes that this event was said; false if it was before. */
export const firstTime = (
  { said }: LiveTask,
  { attempt, number, step }: Pick<NewTaskEvent, "step" | "attempt" | "number">
): boolean => {
  const key = `${attempt}/${step}`
  const known = said.get(key) ?? { through: 0, beyond: new Set() }
  said.set(key, known)
  if (number <= known.through || known.beyond.has(number)) return false
  known.beyond.add(number)
  while (known.beyond.delete(known.through + 1)) known.through++
  return true
}

/** Keeps an event at hand that is on disk now. They come in order. */
export const keep = (task: LiveTask, event: TaskEvent) => {
  task.kept = event.sequence
  task.recent.push(event)
  if (task.recent.length > 2 * recentEvents) task.recent.splice(0, recentEvents)
}

/** The events after `after`, if all of them are at hand. */
export const recentAfter = ({ kept, recent }: LiveTask, after: number): ReadonlyArray<TaskEvent> | undefined => {
  if (after >= kept) return []
  const [oldest] = recent
  return oldest === undefined || after < oldest.sequence - 1 ? undefined : recent.slice(after - oldest.sequence + 1)
}
