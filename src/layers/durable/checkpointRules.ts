/**
 * What every checkpoint store refuses, in the same words.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CheckpointInput, CheckpointRejected, CheckpointUnavailable } from "../../services/durable/Checkpoint.ts"

const decode = Schema.decodeUnknownEffect(CheckpointInput)

/** A payload as the text of its JSON, which is how stores keep it. */
export const PayloadJson = Schema.fromJsonString(Schema.Json)

/** The input if it fits its schema, else {@link CheckpointRejected}. */
export const accept = Effect.fnUntraced(function* (input: CheckpointInput) {
  const accepted = yield* decode(input).pipe(
    Effect.mapError(({ message }) => new CheckpointRejected({ operation: "save", detail: message }))
  )
  // Half of a surrogate pair has no UTF-8: it would come back from a file or a URL as another character.
  if (accepted.workflowId.isWellFormed() && accepted.stepName.isWellFormed()) return accepted
  return yield* new CheckpointRejected({
    operation: "save",
    detail: "workflowId and stepName must be well-formed Unicode"
  })
})

/** Every failure of a store that is not its refusal: the same call may succeed later. */
export const unavailable = (operation: string) => (cause: unknown) => new CheckpointUnavailable({ operation, cause })
