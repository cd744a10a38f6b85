/**
 * `Restore` over the platform's checkpoints.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { Checkpoint, type CheckpointError, type SavedStep } from "../../services/durable/Checkpoint.ts"
import { Journal, type JournalEntry } from "../../services/durable/Journal.ts"
import {
  type CutTail,
  type Found,
  type LostTask,
  Restore,
  type RestoredStep,
  type RestoredTask
} from "../../services/durable/Restore.ts"
import { KnownSecrets } from "../../services/workspace/KnownSecrets.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import * as CheckpointEntries from "./checkpointEntries.ts"
import * as CheckpointPayload from "./checkpointPayload.ts"
import * as CheckpointPlatform from "./CheckpointPlatform.ts"
import * as CheckpointRows from "./checkpointRows.ts"
import * as CheckpointSnapshot from "./checkpointSnapshot.ts"
import * as InFlightSlots from "./inFlight.ts"
import * as SecretText from "./secretText.ts"
import * as TaskReceive from "./taskReceive.ts"
import * as TaskRecords from "./taskRecords.ts"

/** The stream that says that a journal has taken over what the platform knew. */
const marker = "~restore"

/** So many tasks are asked for at once. */
const concurrency = 4

/** Between two attempts while the platform is away. */
const retrySchedule = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

interface Row extends CheckpointPayload.Opened {
  readonly index: number
  readonly at: number
}

const byTime = Order.mapInput(Order.Number, ({ at }: Row) => at)
const byPosition = Order.mapInput(Order.Number, ({ origin }: Row) => origin?.position ?? 0)
/** As they were written: the platform keeps no order, but the time of the last write of each. */
const asWritten = Order.combine(byTime, byPosition)

// The payload of a step as it was last written, alone or in a snapshot.
const stepsIn = (rows: ReadonlyArray<Row>): ReadonlyArray<RestoredStep> => {
  const steps = new Map<string, RestoredStep>()
  for (const { index, payload, stepName } of rows.toSorted(asWritten)) {
    const packed = CheckpointSnapshot.unpack(stepName, payload)
    const found = Option.getOrElse(packed, () => [{ name: stepName, index, payload }])
    for (const step of found) steps.set(step.name, step)
  }
  return Array.from(steps.values()).toSorted((a, b) => a.index - b.index)
}

const isUnauthorized = (error: CheckpointError) =>
  error._tag === "CheckpointUnavailable" &&
  Predicate.hasProperty(error.cause, "_tag") &&
  error.cause._tag === "Unauthorized"

const make = Effect.fnUntraced(function* (remote: Checkpoint["Service"]) {
  const journal = yield* Journal
  const { workspaceId } = yield* PlatformConfig
  const secrets = SecretText.make(yield* KnownSecrets)
  const local = yield* CheckpointRows.make

  const openRow = (step: SavedStep): Result.Result<Row, string> =>
    Result.map(CheckpointPayload.open(secrets, step), (opened) => ({
      ...opened,
      index: step.stepIndex,
      at: DateTime.toEpochMillis(step.completedAt)
    }))
  const openAll = (steps: ReadonlyArray<SavedStep>): Result.Result<ReadonlyArray<Row>, string> =>
    Result.all(
      steps.map((step) => Result.mapError(openRow(step), (detail) => `checkpoint ${step.stepName}: ${detail}`))
    )

  const rebuilt = (slot: number, phases: ReadonlyArray<SavedStep>, steps: ReadonlyArray<SavedStep>) =>
    Result.gen(function* () {
      const [receive] = yield* openAll(phases.filter(({ stepName }) => stepName === "task_receive"))
      const received = receive === undefined ? undefined : TaskReceive.read(receive.payload)
      if (receive === undefined || received === undefined) {
        return yield* Result.fail("checkpoint task_receive: it does not say what the task was")
      }
      return { slot, ...received, acceptedAt: receive.at, steps: stepsIn(yield* openAll(steps)) }
    })

  const rebuild = Effect.fnUntraced(function* (slot: number, taskId: string) {
    const phases = yield* remote.list(workspaceId, taskId)
    const known = (name: string) => phases.some(({ stepName }) => stepName === name)
    const found: { tasks: Array<RestoredTask>; lost: Array<LostTask> } = { tasks: [], lost: [] }
    // An acceptance that has not arrived was not confirmed; an end that has is the end.
    if (!known("task_receive") || known("task_complete")) return found
    const steps = yield* remote.list(workspaceId, CheckpointEntries.stepsOf(taskId))
    const task = rebuilt(slot, phases, steps)
    if (Result.isFailure(task)) {
      found.lost.push({ slot, taskId, detail: task.failure })
    } else {
      const messageKey = yield* TaskRecords.messageKey(task.success.input)
      found.tasks.push({ ...task.success, messageKey, digest: TaskRecords.digestOf(task.success.input) })
    }
    return found
  })

  const find = Effect.gen(function* () {
    const index = yield* remote.list(workspaceId, CheckpointEntries.inFlightWorkflow)
    const named = new Map(
      index.flatMap((step) => {
        const slot = InFlightSlots.slotOf(step.stepName)
        const taskId = Result.getOrUndefined(Result.map(openRow(step), ({ payload }) => InFlightSlots.taskIn(payload)))
        return slot === undefined || taskId === undefined ? [] : [[taskId, slot] as const]
      })
    )
    const each = yield* Effect.forEach(named, ([taskId, slot]) => rebuild(slot, taskId), { concurrency })
    const tasks = each.flatMap((found) => found.tasks)
    // One message is one task.
    const byMessage = new Map(tasks.map((task) => [task.messageKey, task] as const))
    return {
      tasks: Array.from(byMessage.values()).toSorted((a, b) => a.acceptedAt - b.acceptedAt),
      lost: each.flatMap((found) => found.lost)
    } satisfies Found
  }).pipe(Effect.withSpan("Restore.find"))

  const known = (at: number) => ({ at, known: true })

  const entriesOf = (task: RestoredTask): ReadonlyArray<JournalEntry> => {
    const { acceptedAt, code, digest, input, messageKey, slot, steps, version } = task
    const record = { _tag: "TaskAccepted", input, messageKey, digest, version, code, restored: true } as const
    const { taskId } = input
    return [
      { stream: taskId, record, at: acceptedAt },
      InFlightSlots.slotEntry(workspaceId, slot, taskId, known(acceptedAt)),
      CheckpointEntries.saved(TaskReceive.checkpoint(workspaceId, record), known(acceptedAt)),
      ...steps.map(({ index, name, payload }) =>
        CheckpointEntries.saved(
          {
            workspaceId,
            workflowId: CheckpointEntries.stepsOf(taskId),
            stepName: name,
            stepIndex: index,
            payload
          },
          known(acceptedAt)
        )
      )
    ]
  }

  const nothing: Found = { tasks: [], lost: [] }

  const takeOver = Effect.fnUntraced(function* () {
    const found = yield* find.pipe(
      Effect.tapError((error) => Effect.logDebug("unfinished tasks not read yet", { detail: error.message })),
      Effect.retry({
        schedule: retrySchedule,
        while: (error) => error._tag === "CheckpointUnavailable" && !isUnauthorized(error)
      })
    )
    for (const { detail, taskId } of found.lost) {
      yield* Effect.logError("an unfinished task cannot be rebuilt from its checkpoints", { taskId, detail })
    }
    // The place of a task that cannot be rebuilt stays its own: nothing of it is written over.
    const lost = found.lost.map(({ slot, taskId }) =>
      InFlightSlots.slotEntry(workspaceId, slot, taskId, { known: true })
    )
    const end: JournalEntry = {
      stream: marker,
      record: { _tag: "PlatformRestored", tasks: found.tasks.length }
    }
    yield* journal.append([...found.tasks.flatMap(entriesOf), ...lost, end])
    if (found.tasks.length > 0) yield* Effect.logInfo("unfinished tasks rebuilt", { count: found.tasks.length })
    return found
  })

  const run = Effect.gen(function* () {
    const done = yield* journal.read(marker, 0, 1)
    const { position } = yield* local.lastPosition()
    if (done.length > 0 || position > 0) return nothing
    return yield* takeOver()
  }).pipe(
    Effect.catchTags({
      CheckpointRejected: (error) => told(error.message),
      CheckpointUnavailable: (error) => told(error.message)
    }),
    Effect.orDie,
    Effect.withSpan("Restore.run")
  )
  const told = (detail: string) =>
    Effect.as(Effect.logWarning("the platform does not say what tasks it knows; none is rebuilt", { detail }), nothing)

  // Of the rows that this journal has sent.
  const greatest = (steps: ReadonlyArray<SavedStep>) =>
    Math.max(
      0,
      ...steps.flatMap((step) => {
        const origin = Result.getOrUndefined(openRow(step))?.origin
        return origin?.epoch === journal.epoch ? [origin.position] : []
      })
    )
  const compared = (steps: ReadonlyArray<SavedStep>) =>
    local.lastPosition().pipe(
      Effect.orDie,
      Effect.map(({ position }) => {
        const platform = greatest(steps)
        return platform > position ? Option.some<CutTail>({ platform, local: position }) : Option.none<CutTail>()
      })
    )

  return Restore.of({
    find,
    run,
    laterOnPlatform: Effect.fn("Restore.laterOnPlatform")(function* (taskId) {
      const phases = yield* remote.list(workspaceId, taskId)
      const steps = yield* remote.list(workspaceId, CheckpointEntries.stepsOf(taskId))
      return yield* compared([...phases, ...steps])
    }),
    cutTail: remote.latest(workspaceId).pipe(
      Effect.flatMap((latest) => compared(Option.toArray(latest))),
      Effect.withSpan("Restore.cutTail")
    )
  })
})

/**
 * `Restore` over a store that has what `CheckpointJournal` sent, and the journal in context.
 *
 * **Details**
 *
 * Call `run` before anything else is written into the journal, and before `CheckpointJournal` and the task store are
 * built: they begin with what they find. `cutTail` and `laterOnPlatform` tell something only as long as nothing was written
 * since the start.
 */
export const layerWith = <E, R>({ remote }: { readonly remote: Layer.Layer<Checkpoint, E, R> }) =>
  Layer.effect(
    Restore,
    Effect.gen(function* () {
      const built = yield* Layer.build(Layer.fresh(remote))
      return yield* make(Context.get(built, Checkpoint))
    })
  )

/** {@link layerWith} the platform. */
export const layer = layerWith({ remote: CheckpointPlatform.layer })

/** How long a start waits to hear whether the journal lost its end. */
const compareTime = "3 seconds"

/**
 * What a start does: it tells when the journal lost its end, and a new journal takes over what the platform knows.
 *
 * **Details**
 *
 * A cut tail counts as a crash: the tasks go on from what is there. It is logged as an error, with what was lost, and
 * the journal has another epoch from then on, so that whoever follows a stream is told of the gap.
 */
export const start = Effect.gen(function* () {
  const journal = yield* Journal
  const restore = yield* Restore
  const cut = yield* restore.cutTail.pipe(
    Effect.timeoutOption(compareTime),
    Effect.map(Option.flatten),
    Effect.catch((error) =>
      Effect.as(
        Effect.logDebug("the journal's end could not be compared with the platform", { detail: error.message }),
        Option.none()
      )
    )
  )
  if (Option.isSome(cut)) {
    yield* Effect.logError(
      `the journal ${journal.file} has lost its end: the platform has seen row ${cut.value.platform}, the last one here is ${cut.value.local}; unfinished tasks go on from there, messages acknowledged after it are lost here`,
      cut.value
    )
    yield* journal.renew
  }
  return yield* restore.run
}).pipe(Effect.withSpan("Restore.start"))

/** {@link start} over the platform, before anything that is provided with it is built. */
export const atStart = Layer.provide(Layer.effectDiscard(start), layer)
