/**
 * Checkpoints on the platform, where its other clients see them.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { isHttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  Checkpoint,
  CheckpointInput,
  CheckpointKey,
  CheckpointRejected,
  CheckpointUnavailable,
  SavedStep
} from "../../services/durable/Checkpoint.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import type { CheckpointRow } from "../../services/platform/PlatformSchemas.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as CheckpointRules from "./checkpointRules.ts"

type Client = PlatformClient["Service"]["checkpoints"]
type ClientError = Effect.Error<ReturnType<Client[keyof Client]>>

// Answers that are not the platform's own words, from something in between: only these say that the request itself is
// at fault; any other may be gone when that something is.
const faultOfRequest = new Set([400, 413, 414, 422, 431])

const translate =
  (operation: string) =>
  (error: ClientError): CheckpointRejected | CheckpointUnavailable => {
    const unavailable = () => new CheckpointUnavailable({ operation, cause: error })
    if (isHttpClientError(error)) {
      const status = error.response?.status
      return status !== undefined && faultOfRequest.has(status)
        ? new CheckpointRejected({ operation, detail: error.message })
        : unavailable()
    }
    switch (error._tag) {
      case "PlatformUnavailable":
      case "SchemaError":
      // A token can be replaced; what waits for it is not lost by then.
      case "Unauthorized":
        return unavailable()
      case "TooMany":
        // Where waiting helps the platform says how long; without that a limit is reached.
        return error.retry_after === undefined
          ? new CheckpointRejected({ operation, detail: error.error })
          : unavailable()
      case "Gone":
        return new CheckpointRejected({ operation, detail: "the workspace was deleted" })
      case "BadRequest": {
        const issues = (error.issues ?? []).map(({ message, path }) => `${path}: ${message}`)
        return new CheckpointRejected({ operation, detail: [error.error, ...issues].join("; ") })
      }
      case "Forbidden":
      case "NotFound":
      case "PayloadTooLarge":
        return new CheckpointRejected({ operation, detail: error.error })
    }
  }

const Row = Schema.Struct({
  id: Schema.String,
  ...CheckpointKey.fields,
  stepIndex: CheckpointInput.fields.stepIndex,
  payload: Schema.Json,
  completedAt: Schema.DateTimeUtcFromString
})
const decodeRow = Schema.decodeUnknownEffect(Row)

const toStep = (row: typeof CheckpointRow.Type) =>
  Effect.map(
    decodeRow({
      id: row.id,
      workspaceId: row.workspace_id,
      workflowId: row.workflow_id,
      stepName: row.step_name,
      stepIndex: row.step_index,
      payload: row.payload,
      completedAt: row.completed_at
    }),
    (fields) => new SavedStep(fields)
  )

// A URL cannot name these workflows: dots are resolved away, and `latest` is a route of its own.
const unnameable = new Set([".", "..", "latest"])

const nameable = Effect.fnUntraced(function* (operation: string, workflowId: string) {
  if (unnameable.has(workflowId) || !workflowId.isWellFormed()) {
    return yield* new CheckpointRejected({
      operation,
      detail: `the platform has no address for a workflow named "${workflowId}"`
    })
  }
})

const make = Effect.gen(function* () {
  const { checkpoints } = yield* PlatformClient

  return Checkpoint.of({
    save: Effect.fn("Checkpoint.save")(function* (input) {
      const accepted = yield* CheckpointRules.accept(input)
      yield* nameable("save", accepted.workflowId)
      const saved = yield* checkpoints
        .save({
          params: { id: accepted.workspaceId },
          payload: {
            workflow_id: accepted.workflowId,
            step_name: accepted.stepName,
            step_index: accepted.stepIndex,
            payload: accepted.payload
          }
        })
        .pipe(Effect.mapError(translate("save")))
      // The answer has no time; what the platform noted differs from ours by the way there and the clocks.
      return new SavedStep({ ...accepted, id: saved.id, completedAt: yield* DateTime.now })
    }),

    latest: Effect.fn("Checkpoint.latest")((workspaceId: WorkspaceId) =>
      checkpoints.latest({ params: { id: workspaceId } }).pipe(
        Effect.flatMap(toStep),
        Effect.asSome,
        Effect.catchTag("NotFound", () => Effect.succeedNone),
        Effect.mapError(translate("latest"))
      )
    ),

    list: Effect.fn("Checkpoint.list")(function* (workspaceId: WorkspaceId, workflowId: string) {
      if (workflowId === "") return []
      yield* nameable("list", workflowId)
      return yield* checkpoints.list({ params: { id: workspaceId, workflowId } }).pipe(
        Effect.flatMap(Effect.forEach(toStep)),
        Effect.catchTag("NotFound", () => Effect.succeed([])),
        Effect.mapError(translate("list"))
      )
    }),

    clear: Effect.fn("Checkpoint.clear")(function* (workspaceId: WorkspaceId, workflowId: string) {
      if (workflowId === "") return 0
      yield* nameable("clear", workflowId)
      return yield* checkpoints.delete({ params: { id: workspaceId, workflowId } }).pipe(
        Effect.map(({ deleted }) => deleted),
        Effect.catchTag("NotFound", () => Effect.succeed(0)),
        Effect.mapError(translate("clear"))
      )
    })
  })
})

/**
 * Checkpoints kept by the platform, through `PlatformClient`.
 *
 * **Details**
 *
 * What the platform refuses (400, 401, 403, 404, 413, and 429 where a limit is reached) is `CheckpointRejected`; no answer,
 * a 5xx, and 429 with a time to wait are `CheckpointUnavailable`. Nothing is repeated here beyond what the client repeats.
 *
 * **Gotchas**
 *
 * `completedAt` of what `save` answers is this machine's time; `latest` and `list` have the platform's. The workflow names
 * `.`, `..` and `latest` have no address on the platform and are refused.
 */
export const layer = Layer.effect(Checkpoint, make)
