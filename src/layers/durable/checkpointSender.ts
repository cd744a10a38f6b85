/**
 * One change on its way to the platform: sealed, in parts where it is a snapshot, tried until there is an answer.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import {
  type Checkpoint,
  type CheckpointError,
  type CheckpointInput,
  CheckpointRejected
} from "../../services/durable/Checkpoint.ts"
import { Journal } from "../../services/durable/Journal.ts"
import { KnownSecrets } from "../../services/workspace/KnownSecrets.ts"
import * as CheckpointPayload from "./checkpointPayload.ts"
import type { CheckpointRows, Pending } from "./checkpointRows.ts"
import * as CheckpointSnapshot from "./checkpointSnapshot.ts"
import * as Pace from "./pace.ts"
import * as SecretText from "./secretText.ts"

/** Between two attempts while the platform is away: from 100 ms, doubling, to 5 s. */
const retrySchedule = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** The way to the platform. */
export interface Options {
  readonly remote: Checkpoint["Service"]
  readonly rows: CheckpointRows
  readonly pace: Pace.Options
}

type Answer = Option.Option<CheckpointRejected>
const taken: Answer = Option.none()
const refused = (detail: string): Answer => Option.some(new CheckpointRejected({ operation: "save", detail }))

/** Makes the way out: for a change it gives the reason why the platform refused it, if it did. */
export const make = Effect.fnUntraced(function* ({ pace, remote, rows }: Options) {
  const { epoch } = yield* Journal
  const secrets = SecretText.make(yield* KnownSecrets)
  const { turn } = yield* Pace.make(pace)

  const untilAnswered = <A>(request: Effect.Effect<A, CheckpointError>) =>
    Effect.andThen(turn, request).pipe(
      Effect.as(taken),
      Effect.catchTag("CheckpointRejected", Effect.succeedSome),
      Effect.tapError((error) => Effect.logDebug("checkpoint not sent yet", { detail: error.message })),
      Effect.retry(retrySchedule)
    )

  const save = Effect.fnUntraced(function* (input: CheckpointInput, position: number) {
    const sealed = CheckpointPayload.seal(secrets, input, { epoch, position })
    if (Result.isFailure(sealed)) return refused(sealed.failure)
    if (sealed.success.stepName.includes("\u0000")) return refused("a name with NUL in it is not kept everywhere")
    return yield* untilAnswered(remote.save({ ...input, ...sealed.success }))
  })

  const saveSnapshot = Effect.fnUntraced(function* (entry: Pending, since: number) {
    const { position, workflow_id: workflowId, workspace_id: workspaceId } = entry
    const steps = yield* rows.between({ workspaceId, workflowId, since, position })
    const answers = yield* Effect.forEach(CheckpointSnapshot.pack(steps, epoch, position), (part) =>
      save({ workspaceId, workflowId, ...part }, position)
    )
    return answers.find(Option.isSome) ?? taken
  })

  return Effect.fnUntraced(function* (entry: Pending) {
    const { position, step_name: stepName, workflow_id: workflowId, workspace_id: workspaceId } = entry
    if (entry.clears) return yield* untilAnswered(remote.clear(workspaceId, workflowId))
    if (entry.since !== null) return yield* saveSnapshot(entry, entry.since)
    const { index, payload } = yield* rows.payloadOf(entry)
    return yield* save({ workspaceId, workflowId, stepName, stepIndex: index, payload }, position)
  })
})

/** Sends a change. */
export type Send = Effect.Success<ReturnType<typeof make>>
