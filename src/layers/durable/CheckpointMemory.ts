/**
 * Checkpoints in memory, for tests and for agents that need not survive their process.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { Checkpoint, SavedStep } from "../../services/durable/Checkpoint.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as CheckpointRules from "./checkpointRules.ts"

const encode = Schema.encodeEffect(CheckpointRules.PayloadJson)
const decode = Schema.decodeEffect(CheckpointRules.PayloadJson)

interface Entry {
  readonly step: SavedStep
  /** Order of writing: times may be equal, this is not. */
  readonly sequence: number
}

const newestFirst = Order.flip(Order.mapInput(Order.Number, (entry: Entry) => entry.sequence))
const highestStepFirst = Order.flip(Order.mapInput(Order.Number, (entry: Entry) => entry.step.stepIndex))
const listOrder = Order.combine(highestStepFirst, newestFirst)

const make = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  let entries: ReadonlyArray<Entry> = []
  let sequence = 0

  const ofWorkflow = (workspaceId: WorkspaceId, workflowId: string) => (entry: Entry) =>
    entry.step.workspaceId === workspaceId && entry.step.workflowId === workflowId

  return Checkpoint.of({
    save: Effect.fn("Checkpoint.save")(function* (input) {
      const accepted = yield* CheckpointRules.accept(input)
      // Through its text, as a store on disk would: what comes back is a copy, and plain JSON.
      const payload = yield* encode(accepted.payload).pipe(
        Effect.flatMap(decode),
        Effect.mapError(CheckpointRules.unavailable("save"))
      )
      const freshId = yield* random.uuidV4()
      const completedAt = yield* DateTime.now
      const isSame = (entry: Entry) =>
        ofWorkflow(accepted.workspaceId, accepted.workflowId)(entry) && entry.step.stepName === accepted.stepName
      const id = entries.find(isSame)?.step.id ?? freshId
      const step = new SavedStep({ ...accepted, payload, id, completedAt })
      sequence += 1
      entries = [...entries.filter((entry) => !isSame(entry)), { step, sequence }]
      return step
    }),

    latest: Effect.fn("Checkpoint.latest")((workspaceId) =>
      Effect.sync(() => {
        const [newest] = entries.filter(({ step }) => step.workspaceId === workspaceId).toSorted(newestFirst)
        return Option.fromUndefinedOr(newest?.step)
      })
    ),

    list: Effect.fn("Checkpoint.list")((workspaceId, workflowId) =>
      Effect.sync(() =>
        entries
          .filter(ofWorkflow(workspaceId, workflowId))
          .toSorted(listOrder)
          .map(({ step }) => step)
      )
    ),

    clear: Effect.fn("Checkpoint.clear")((workspaceId, workflowId) =>
      Effect.sync(() => {
        const before = entries.length
        entries = entries.filter((entry) => !ofWorkflow(workspaceId, workflowId)(entry))
        return before - entries.length
      })
    )
  })
})

/** Checkpoints that live as long as the layer. */
export const layer = Layer.effect(Checkpoint, make)
