/**
 * Results of activities, deferreds and executions as JSON.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Workflow from "effect/workflow/Workflow"

/** The exit of an activity or a deferred; the engine is given its values as JSON. */
export const EncodedExit = Schema.toCodecJson(Schema.Exit(Schema.Json, Schema.Json, Schema.Defect()))

// @effect-diagnostics-next-line schemaSync:off
const decodeJson = Schema.decodeUnknownSync(Schema.Json)
// Values that the engine gets were made by codecs to JSON; anything else is a bug, and found here.
// @effect-diagnostics-next-line schemaSync:off
const encodeExitSync = Schema.encodeSync(EncodedExit)
// @effect-diagnostics-next-line schemaSync:off
const decodeExitSync = Schema.decodeUnknownSync(EncodedExit)

/** Is it an encoded success, as most results are? Its value is JSON because the whole is. */
export const isSuccess = (encoded: Schema.Json): encoded is { readonly _tag: "Success"; readonly value: Schema.Json } =>
  Predicate.isObject(encoded) && encoded["_tag"] === "Success" && encoded["value"] !== undefined

const toJson = (value: unknown): Schema.Json => {
  // Most values are these, and need no interpreter.
  if (typeof value === "string" || typeof value === "boolean") return value
  return value === undefined ? null : decodeJson(value)
}

/** An exit whose values are JSON already. `undefined`, which JSON has not, becomes `null`. */
export const encodeExit = (exit: Exit.Exit<unknown, unknown>): Schema.Json =>
  Exit.isSuccess(exit)
    ? { _tag: "Success", value: toJson(exit.value) }
    : encodeExitSync(Exit.mapError(Exit.map(exit, toJson), toJson))

/** {@link encodeExit} back. */
export const decodeExit = (encoded: Schema.Json): Exit.Exit<Schema.Json, Schema.Json> =>
  isSuccess(encoded) ? Exit.succeed(encoded.value) : decodeExitSync(encoded)

/** Encodes exits by the schema of what they succeed and fail with; an exit that does not fit it is a defect. */
export const exitEncoder = <A, AI, E, EI>(success: Schema.Codec<A, AI>, error: Schema.Codec<E, EI>) => {
  const encode = Schema.encodeEffect(Schema.toCodecJson(Schema.Exit(success, error, Schema.Defect())))
  const encodeValue = Schema.encodeEffect(Schema.toCodecJson(success))
  return (exit: Exit.Exit<A, E>): Effect.Effect<Schema.Json> =>
    // A success as the schema of exits would have it, which costs some times as much.
    Exit.isSuccess(exit)
      ? Effect.orDie(Effect.map(encodeValue(exit.value), (value): Schema.Json => ({ _tag: "Success", value })))
      : Effect.orDie(encode(exit))
}

/** How the payload and the result of a workflow are written. */
export interface WorkflowCodec {
  readonly encodePayload: (payload: object) => Effect.Effect<Schema.Json>
  readonly decodePayload: (encoded: Schema.Json) => Effect.Effect<object>
  readonly encodeResult: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<Schema.Json>
  readonly decodeResult: (encoded: Schema.Json) => Effect.Effect<Exit.Exit<unknown, unknown>>
}

interface WithSchemas {
  readonly payloadSchema: Schema.Codec<object, unknown>
  readonly successSchema: Schema.Codec<unknown, unknown>
  readonly errorSchema: Schema.Codec<unknown, unknown>
}

/** The codec of a workflow's own schemas. */
export const codecOf = (workflow: Workflow.Any): WorkflowCodec => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every workflow has its schemas; the engine's contract leaves them and their types out
  const { errorSchema, payloadSchema, successSchema } = workflow as Workflow.Any & WithSchemas
  const payload = Schema.toCodecJson(payloadSchema)
  const result = Schema.toCodecJson(Schema.Exit(successSchema, errorSchema, Schema.Defect()))
  const encodePayload = Schema.encodeEffect(payload)
  const decodePayload = Schema.decodeEffect(payload)
  const decodeResult = Schema.decodeEffect(result)
  return {
    encodePayload: (value) => Effect.orDie(encodePayload(value)),
    decodePayload: (encoded) => Effect.orDie(decodePayload(encoded)),
    encodeResult: exitEncoder(successSchema, errorSchema),
    decodeResult: (encoded) => Effect.orDie(decodeResult(encoded))
  }
}
