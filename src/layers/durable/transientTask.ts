/**
 * One task of `TaskRunnerTransient`: its record, what it has said, and who follows it. Nothing here is waited for, so that
 * no other fiber sees half of a change.
 *
 * @module
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Pull from "effect/Pull"
import type * as Schema from "effect/Schema"
import { isTerminal, type NewTaskEvent, type TaskEvent, type TaskRecord } from "../../services/durable/TaskStore.ts"
import type { OpenWait } from "../../services/durable/Waits.ts"
import { pageSize } from "./taskFeed.ts"
import * as TaskRecords from "./taskRecords.ts"

/** A wait that is open. */
export interface Waiting extends Pick<OpenWait, "wait" | "kind" | "reason"> {
  /** Gives the value; false where it does not fit. */
  readonly give: (value: Schema.Json) => boolean
}

/** A task. */
export interface TransientTask {
  record: TaskRecord
  readonly events: Array<TaskEvent>
  /** A signal for each of those who wait for something new. */
  readonly followers: Set<Deferred.Deferred<void>>
  readonly waits: Map<string, Waiting>
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** A task that nothing is said of yet. */
export const make = (record: TaskRecord): TransientTask => ({
  record,
  events: [],
  followers: new Set(),
  waits: new Map(),
  fiber: undefined
})

/** Has it ended? */
export const hasEnded = ({ record }: TransientTask): boolean => isTerminal(record.state)

const tell = ({ followers }: TransientTask) => {
  if (followers.size === 0) return
  const told = Array.from(followers)
  followers.clear()
  for (const news of told) Deferred.doneUnsafe(news, Effect.void)
}

const push = (task: TransientTask, event: NewTaskEvent, at: DateTime.Utc) => {
  task.events.push({ ...event, sequence: task.events.length + 1, at })
}

/** Records what was said. What comes after the end is not part of the task. */
export const append = (task: TransientTask, event: NewTaskEvent, at: DateTime.Utc): void => {
  if (hasEnded(task)) return
  push(task, event, at)
  tell(task)
}

/** Moves the task on; false where that leads nowhere new. */
export const advance = (task: TransientTask, change: TaskRecords.Change, at: DateTime.Utc): boolean => {
  const next = TaskRecords.advance(task.record, change, at)
  if (Option.isNone(next)) return false
  task.record = next.value
  push(task, TaskRecords.stateEvent(next.value.input.taskId, task.events.length + 1, change), at)
  tell(task)
  return true
}

const news = (task: TransientTask) =>
  Effect.suspend(() => {
    const one = Deferred.makeUnsafe<void>()
    task.followers.add(one)
    return Effect.onInterrupt(Deferred.await(one), () => Effect.sync(() => task.followers.delete(one)))
  })

/** The record, as soon as it is as wanted. */
export const when = (task: TransientTask, wanted: (record: TaskRecord) => boolean): Effect.Effect<TaskRecord> =>
  Effect.suspend(() =>
    wanted(task.record) ? Effect.succeed(task.record) : Effect.flatMap(news(task), () => when(task, wanted))
  )

/** What was said from the position on, page by page, and then what is said, up to the end. */
export const read = (task: TransientTask, from: number): Pull.Pull<Arr.NonEmptyReadonlyArray<TaskEvent>> => {
  let position = from
  const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<TaskEvent>> = Effect.suspend(() => {
    const page = task.events.slice(position, position + pageSize)
    if (!Arr.isArrayNonEmpty(page)) return hasEnded(task) ? Cause.done() : Effect.flatMap(news(task), () => pull)
    position += page.length
    return Effect.succeed(page)
  })
  return pull
}
