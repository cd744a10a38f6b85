/**
 * A task's events as the items of a stream, each with the cursor from which the stream can be taken up again.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Streamed } from "../../services/a2a/A2AOperations.ts"
import { type Cursor, format, isGap } from "../../services/durable/Cursor.ts"
import type { TaskNotFound, TaskRunner } from "../../services/durable/TaskRunner.ts"
import {
  isInterrupted,
  isTerminal,
  type TaskEvent,
  type TaskRecord,
  type TaskState,
  type TaskStoreError
} from "../../services/durable/TaskStore.ts"
import * as TaskSnapshot from "./taskSnapshot.ts"

/** Which run put out each artifact last, and whether what was said before is known from its beginning. */
interface Said {
  readonly runs: Map<string, string>
  readonly whole: boolean
}

const saidNothing = (): Said => ({ runs: new Map(), whole: true })

// The artifact that an event is a piece of, and the run that says it.
const pieceOf = ({ attempt, event, step }: TaskEvent) => {
  if (event._tag === "Output") return { artifact: `output/${step}`, run: `${step}/${attempt}`, append: true }
  if (event._tag !== "Artifact") return undefined
  return { artifact: `artifact/${event.artifact.artifactId}`, run: `${step}/${attempt}`, append: event.append }
}

const note = ({ runs }: Said, event: TaskEvent) => {
  const piece = pieceOf(event)
  if (piece !== undefined) runs.set(piece.artifact, piece.run)
}

const appends = ({ runs, whole }: Said, event: TaskEvent) => {
  const piece = pieceOf(event)
  if (piece === undefined || !piece.append) return false
  const known = runs.get(piece.artifact)
  // Where the beginning was trimmed away, only an event's number tells that there was something before it.
  return known === undefined && !whole ? event.number > 1 : known === piece.run
}

/** The state that these events tell of last. */
export const lastState = (events: ReadonlyArray<TaskEvent>): TaskState | undefined => {
  const last = events.findLast(({ event }) => event._tag === "State")
  return last?.event._tag === "State" ? last.event.state : undefined
}

/** Follows tasks of the runner. */
export const make = ({ epoch, events, get }: TaskRunner["Service"]) => {
  // What was said up to there, read again page by page: of it only who put out what is kept.
  const saidUpTo = (taskId: string, sequence: number) =>
    sequence === 0
      ? Effect.sync(saidNothing)
      : events(taskId, "start").pipe(
          Stream.takeUntil((said) => !isGap(said) && said.sequence >= sequence),
          Stream.runFold(saidNothing, (before, said): Said => {
            if (isGap(said)) return { ...before, whole: false }
            if (said.sequence <= sequence) note(before, said)
            return before
          })
        )

  // Read again, a question that was answered meanwhile ends nothing.
  const endsStream = Effect.fnUntraced(function* ({ event, taskId }: TaskEvent) {
    if (event._tag !== "State") return false
    if (!isInterrupted(event.state)) return isTerminal(event.state)
    return isInterrupted((yield* get(taskId)).state)
  })

  const recordFor = (task: TaskRecord, { event }: TaskEvent) =>
    event._tag === "State" && isTerminal(event.state) ? get(task.input.taskId) : Effect.succeed(task)

  /**
   * The items after the cursor, up to and with the one that says that the task has ended, or needs something.
   *
   * **Details**
   *
   * Whether a piece is appended to its artifact depends on what was said before it, which a reader from the start has
   * seen; for others it is read again when the first piece comes. After a gap the artifacts begin anew.
   */
  const follow = (task: TaskRecord, after: Cursor): Stream.Stream<Streamed, TaskNotFound | TaskStoreError> =>
    itemsOf(task, after, endsStream)

  /** The items after the cursor, up to the task's end, each with its event's number. */
  const toTheEnd = (task: TaskRecord, after: Cursor) =>
    itemsOf(task, after, ({ event }) => Effect.succeed(event._tag === "State" && isTerminal(event.state)))

  const itemsOf = (
    task: TaskRecord,
    after: Cursor,
    isLast: (event: TaskEvent) => Effect.Effect<boolean, TaskNotFound | TaskStoreError>
  ) => {
    const { taskId } = task.input
    const one = Effect.fnUntraced(function* (before: Said | undefined, said: TaskEvent) {
      const piece = pieceOf(said)
      const known = piece === undefined ? before : (before ?? (yield* saidUpTo(taskId, said.sequence - 1)))
      const item = TaskSnapshot.toItem(yield* recordFor(task, said), said, known !== undefined && appends(known, said))
      if (known !== undefined) note(known, said)
      const { sequence } = said
      const cursor = format({ epoch, sequence })
      return [known, item === undefined ? [] : [{ cursor, item, sequence }]] as const
    })
    return events(taskId, after.sequence === 0 && after.epoch === epoch ? "start" : after).pipe(
      Stream.takeUntilEffect((said) => (isGap(said) ? Effect.succeed(false) : isLast(said))),
      Stream.mapAccumEffect(
        () => (after.sequence === 0 ? saidNothing() : undefined),
        Effect.fnUntraced(function* (before: Said | undefined, said) {
          if (!isGap(said)) return yield* one(before, said)
          const item = TaskSnapshot.toGap(yield* get(taskId), said)
          return [saidNothing(), [{ cursor: format(said.to), item, sequence: said.to.sequence }]] as const
        })
      )
    )
  }

  return { follow, toTheEnd }
}
