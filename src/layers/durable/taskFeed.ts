/**
 * The task store together with the news that something was written to it.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Cursor, Gap } from "../../services/durable/Cursor.ts"
import {
  isTerminal,
  type NewTaskEvent,
  type TaskEvent,
  type TaskRecord,
  type TaskState,
  TaskStore,
  type TaskStoreError
} from "../../services/durable/TaskStore.ts"
import * as TaskRecords from "./taskRecords.ts"

/** Writes tell those who follow a task; what they read is always the store, so that a slow reader loses nothing. */
export interface TaskFeed {
  readonly append: (event: NewTaskEvent) => ReturnType<TaskStore["Service"]["append"]>
  readonly setState: (taskId: string, change: TaskRecords.Change) => ReturnType<TaskStore["Service"]["setState"]>
  /** `append` without waiting for the disk: whoever follows the task is told when the event can be read. */
  readonly say: (event: NewTaskEvent, written?: () => void) => ReturnType<TaskStore["Service"]["append"]>
  /** `setState` without waiting for the disk. */
  readonly move: (taskId: string, change: TaskRecords.Change) => ReturnType<TaskStore["Service"]["setState"]>
  /** What was said after the cursor, then what is said, until the task's end; see `TaskRunner.events`. */
  readonly events: (taskId: string, after: Cursor | "start") => Stream.Stream<TaskEvent | Gap, TaskStoreError>
  /** The record once its state is as wanted, or has ended; `None` if there is no such task. */
  readonly reached: (
    taskId: string,
    wanted: (state: TaskState) => boolean
  ) => Effect.Effect<Option.Option<TaskRecord>, TaskStoreError>
  /** Has the store read again for those who follow the task. Call it when a write by another way can be read. */
  readonly notify: (taskId: string) => Effect.Effect<void>
}

/** How many events a follower reads at a time, and so the most that it holds. */
export const pageSize = 256

const isEnd = (event: TaskEvent) => event.event._tag === "State" && isTerminal(event.event.state)

// Those who follow one task, each with a signal of its own: that one of them goes takes nobody else's away.
const makeNews = () => {
  const followers = new Map<string, Set<Deferred.Deferred<void>>>()

  // In one go: who is told looks, and joins anew, and whoever walked through the living set would never come to its end.
  const notify = (taskId: string) => {
    const those = followers.get(taskId)
    if (those === undefined) return
    for (const news of Array.from(those)) Deferred.doneUnsafe(news, Effect.void)
  }

  const join = (taskId: string) =>
    Effect.sync(() => {
      const news = Deferred.makeUnsafe<void>()
      followers.set(taskId, (followers.get(taskId) ?? new Set()).add(news))
      return news
    })

  const leave = (taskId: string, news: Deferred.Deferred<void>) =>
    Effect.sync(() => {
      const those = followers.get(taskId)
      those?.delete(news)
      if (those?.size === 0) followers.delete(taskId)
    })

  // The signal is up before the store is looked at: a write that comes between the look and the waiting sets it.
  const when = Effect.fnUntraced(function* <A, E>(taskId: string, look: Effect.Effect<Option.Option<A>, E>) {
    while (true) {
      const found = yield* Effect.acquireUseRelease(
        join(taskId),
        (news) => Effect.tap(look, (seen) => (Option.isSome(seen) ? Effect.void : Deferred.await(news))),
        (news) => leave(taskId, news)
      )
      if (Option.isSome(found)) return found.value
    }
  })

  return { notify, when }
}

/** Makes the feed of the store in context. */
export const make: Effect.Effect<TaskFeed, never, TaskStore> = Effect.gen(function* () {
  const store = yield* TaskStore
  const { notify, when } = makeNews()
  // Who waits for a state does not look again for all that is said meanwhile.
  const states = makeNews()
  const moved = (taskId: string) => {
    notify(taskId)
    states.notify(taskId)
  }
  const at = (sequence: number): Cursor => ({ epoch: store.epoch, sequence })

  const hasEnded = (task: Option.Option<TaskRecord>) => Option.isNone(task) || isTerminal(task.value.state)

  // Where reading begins, and the gap to tell of first. What was trimmed is noticed by the numbers, while reading.
  const open = Effect.fnUntraced(function* (taskId: string, after: Cursor | "start") {
    if (after === "start") return { gap: [], from: 0 }
    const beginAgain = (reason: Gap["reason"], oldest: number) => ({
      gap: [{ _tag: "Gap", reason, from: after, to: at(oldest - 1) } satisfies Gap],
      from: oldest - 1
    })
    if (after.epoch !== store.epoch) return beginAgain("epoch", yield* store.firstKept(taskId))
    const { sequence } = after
    if (sequence === 0) return { gap: [], from: 0 }
    const [known] = yield* store.events(taskId, sequence - 1, 1)
    // Nothing follows an end, whatever came too late to be part of the task.
    if (known !== undefined)
      return known.sequence === sequence && isEnd(known) ? undefined : { gap: [], from: sequence }
    return beginAgain("unknown", yield* store.firstKept(taskId))
  })

  // The next page after `position`, waited for if need be, and where the one after it begins.
  const page = (taskId: string, position: number) => {
    const look = Effect.gen(function* () {
      // Asked for first: what was said before the end can be read once the end can.
      const ended = hasEnded(yield* store.get(taskId))
      const events = yield* store.events(taskId, position, pageSize)
      const [first] = events
      const last = events.at(-1)
      if (first === undefined || last === undefined) {
        // Pruned while it was read: that there is nothing more is not its end.
        if (Option.isNone(yield* store.get(taskId))) return yield* TaskRecords.unknownTask("events", taskId)
        return ended ? Option.some([[], Option.none<number>()] as const) : Option.none()
      }
      const trimmed: ReadonlyArray<Gap> =
        first.sequence === position + 1
          ? []
          : [{ _tag: "Gap", reason: "trimmed", from: at(position), to: at(first.sequence - 1) }]
      const end = events.findIndex(isEnd)
      return end < 0
        ? Option.some([[...trimmed, ...events], Option.some(last.sequence)] as const)
        : Option.some([[...trimmed, ...events.slice(0, end + 1)], Option.none<number>()] as const)
    })
    return when<readonly [ReadonlyArray<TaskEvent | Gap>, Option.Option<number>], TaskStoreError>(taskId, look)
  }

  const events: TaskFeed["events"] = (taskId, after) =>
    Stream.unwrap(
      Effect.map(open(taskId, after), (opened) =>
        opened === undefined
          ? Stream.empty
          : Stream.concat(
              Stream.fromIterable<TaskEvent | Gap>(opened.gap),
              Stream.paginate(opened.from, (position) => page(taskId, position))
            )
      )
    )

  return {
    append: (event) => Effect.tap(store.append(event), () => Effect.sync(() => notify(event.taskId))),
    setState: (taskId, change) => Effect.tap(store.setState(taskId, change), () => Effect.sync(() => moved(taskId))),
    say: (event, written) =>
      store.append(event, () => {
        written?.()
        notify(event.taskId)
      }),
    move: (taskId, change) => store.setState(taskId, change, () => moved(taskId)),
    events,
    reached: (taskId, wanted) =>
      states.when(
        taskId,
        Effect.map(store.get(taskId), (task) =>
          hasEnded(task) || Option.exists(task, ({ state }) => wanted(state)) ? Option.some(task) : Option.none()
        )
      ),
    notify: (taskId) => Effect.sync(() => moved(taskId))
  }
})
