/**
 * Checkpoints: save, latest, list, delete.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Checkpoint, type SavedStep } from "../../services/durable/Checkpoint.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { BadRequest, NotFound, TooMany } from "../../services/platform/PlatformErrors.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import { unavailable } from "./httpAnswers.ts"

const view = (step: SavedStep) => ({
  id: step.id,
  workspace_id: step.workspaceId,
  workflow_id: step.workflowId,
  step_name: step.stepName,
  step_index: step.stepIndex,
  completed_at: DateTime.formatIso(step.completedAt),
  payload: step.payload
})

const noneFor = (what: "workspace" | "workflow") => new NotFound({ error: `no checkpoints found for ${what}` })

const failures = {
  StoreUnavailable: unavailable,
  CheckpointUnavailable: unavailable,
  CheckpointRejected: ({ detail }: { readonly detail: string }) =>
    Effect.fail(new BadRequest({ error: "invalid request body", issues: [{ path: "", message: detail }] }))
}

/** The handlers of the group `checkpoints`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "checkpoints",
  Effect.fnUntraced(function* (handlers) {
    const checkpoint = yield* Checkpoint
    const workspaces = yield* WorkspaceStore
    const { maxCheckpoints } = yield* PlatformSettings

    return handlers.handleAll({
      save: Effect.fnUntraced(function* ({ params, payload }) {
        // The workspace's own token proves that it is there; the admin may name any.
        if (Option.isNone(yield* workspaces.find(params.id)))
          return yield* new NotFound({ error: "workspace not found" })
        // What is there already may be written over whatever the number: the index of tasks in flight lives by it.
        const isNew = !(yield* workspaces.hasCheckpoint(params.id, payload.workflow_id, payload.step_name))
        if (isNew && (yield* workspaces.countCheckpoints(params.id)) >= maxCheckpoints) {
          return yield* new TooMany({
            error: `maximum ${maxCheckpoints} checkpoints per workspace: delete those of finished workflows`
          })
        }
        const saved = yield* checkpoint.save({
          workspaceId: params.id,
          workflowId: payload.workflow_id,
          stepName: payload.step_name,
          stepIndex: payload.step_index ?? 0,
          payload: payload.payload ?? null
        })
        return {
          id: saved.id,
          workspace_id: saved.workspaceId,
          workflow_id: saved.workflowId,
          step_name: saved.stepName
        }
      }, Effect.catchTags(failures)),

      latest: Effect.fnUntraced(
        function* ({ params }) {
          const found = yield* checkpoint.latest(params.id)
          return Option.isNone(found) ? yield* noneFor("workspace") : view(found.value)
        },
        Effect.catchTags({ CheckpointUnavailable: unavailable, CheckpointRejected: failures.CheckpointRejected })
      ),

      list: Effect.fnUntraced(
        function* ({ params }) {
          const steps = yield* checkpoint.list(params.id, params.workflowId)
          return steps.length === 0 ? yield* noneFor("workflow") : steps.map(view)
        },
        Effect.catchTags({ CheckpointUnavailable: unavailable, CheckpointRejected: failures.CheckpointRejected })
      ),

      delete: Effect.fnUntraced(
        function* ({ params }) {
          const deleted = yield* checkpoint.clear(params.id, params.workflowId)
          return deleted === 0 ? yield* noneFor("workflow") : { deleted, workflow_id: params.workflowId }
        },
        Effect.catchTags({ CheckpointUnavailable: unavailable, CheckpointRejected: failures.CheckpointRejected })
      )
    })
  })
)
