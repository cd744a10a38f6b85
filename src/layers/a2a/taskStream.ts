/**
 * A task's events as the results of a stream, each with the cursor from which the stream can be taken up again.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { StreamResult } from "../../services/a2a/Protocol03.ts"
import { type Cursor, isGap } from "../../services/durable/Cursor.ts"
import type { TaskNotFound, TaskRunner } from "../../services/durable/TaskRunner.ts"
import { isTerminal, type TaskEvent, type TaskRecord, type TaskStoreError } from "../../services/durable/TaskStore.ts"
import * as TaskView from "./taskView.ts"

/** One result and where the stream stands after it. */
export interface Streamed {
  readonly cursor: Cursor
  readonly result: StreamResult
}

/** Which run of each step put out something so far, and whether what was said before is known from its beginning. */
interface Said {
  readonly attempts: Map<string, number>
  readonly whole: boolean
}

const isFirstPiece = ({ attempts, whole }: Said, { attempt, number, step }: TaskEvent) => {
  const known = attempts.get(step)
  // Where the beginning was trimmed away, only an event's number tells that there was something before it.
  return known === undefined && !whole ? number === 1 : known !== attempt
}

const note = ({ attempts }: Said, { attempt, event, step }: TaskEvent) => {
  if (event._tag === "Output") attempts.set(step, attempt)
}

const saidNothing = (): Said => ({ attempts: new Map(), whole: true })

/** Follows tasks of the runner. */
export const make = ({ epoch, events, get }: TaskRunner["Service"]) => {
  const at = (sequence: number): Cursor => ({ epoch, sequence })

  // What was said up to there, read again page by page: of it only the runs of the steps are kept.
  const saidUpTo = (taskId: string, sequence: number) =>
    events(taskId, "start").pipe(
      Stream.takeUntil((said) => !isGap(said) && said.sequence >= sequence),
      Stream.runFold(
        (): Said => saidNothing(),
        (before, said) => {
          if (isGap(said)) return { ...before, whole: false }
          if (said.sequence <= sequence) note(before, said)
          return before
        }
      )
    )

  const toResult = Effect.fnUntraced(function* (task: TaskRecord, event: TaskEvent, append: boolean) {
    const isEnd = event.event._tag === "State" && isTerminal(event.event.state)
    const now = isEnd ? yield* get(task.input.taskId) : task
    return { cursor: at(event.sequence), result: TaskView.toStreamResult(now, event, append) }
  })

  /**
   * The results after the cursor.
   *
   * **Details**
   *
   * Whether a piece is appended to its artifact depends on what was said before it, which a reader from the start has
   * seen; for others it is read again when the first piece comes. After a gap the artifacts begin anew.
   */
  const follow = (
    task: TaskRecord,
    after: Cursor | "start"
  ): Stream.Stream<Streamed, TaskNotFound | TaskStoreError> => {
    const { taskId } = task.input
    return Stream.mapAccumEffect(
      events(taskId, after),
      () => (after === "start" || after.sequence === 0 ? saidNothing() : undefined),
      Effect.fnUntraced(function* (before: Said | undefined, said) {
        if (isGap(said)) {
          return [saidNothing(), [{ cursor: said.to, result: TaskView.toGapResult(yield* get(taskId), said) }]] as const
        }
        if (said.event._tag !== "Output") return [before, [yield* toResult(task, said, false)]] as const
        const known = before ?? (yield* saidUpTo(taskId, said.sequence - 1))
        const append = !isFirstPiece(known, said)
        note(known, said)
        return [known, [yield* toResult(task, said, append)]] as const
      })
    )
  }

  return { follow, at }
}
