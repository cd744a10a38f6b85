/**
 * Results of steps as JSON: for snapshots and checkpoints.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ExecutorError } from "../../services/durable/Step.ts"

/** The encoded exit of a step that succeeded. */
export const isSuccess = (encoded: Schema.Json): encoded is { readonly _tag: "Success"; readonly value: Schema.Json } =>
  Predicate.isObject(encoded) && encoded["_tag"] === "Success" && encoded["value"] !== undefined

const make = <A, I>(schema: Schema.Codec<A, I>) => {
  const codec = Schema.toCodecJson(Schema.Exit(schema, ExecutorError, Schema.Defect()))
  const encode = Schema.encodeEffect(codec)
  const decode = Schema.decodeUnknownEffect(codec)
  const encodeValue = Schema.encodeEffect(Schema.toCodecJson(schema))
  const decodeValue = Schema.decodeUnknownResult(Schema.toCodecJson(schema))
  return {
    encode: (exit: Exit.Exit<A, ExecutorError>): Effect.Effect<Schema.Json> =>
      // As the schema of exits would, which costs some times as much.
      Exit.isSuccess(exit)
        ? Effect.orDie(Effect.map(encodeValue(exit.value), (value): Schema.Json => ({ _tag: "Success", value })))
        : Effect.orDie(encode(exit)),
    /** The result itself; a text that does not fit the schema is code that has changed, and a defect. */
    decode: (encoded: Schema.Json): Effect.Effect<A, ExecutorError> => {
      // A task that is resumed decodes thousands of these: what needs no more than its value's own schema, gets no more.
      const value = isSuccess(encoded) ? decodeValue(encoded.value) : undefined
      return value !== undefined && Result.isSuccess(value)
        ? Effect.succeed(value.success)
        : Effect.flatten(Effect.orDie(decode(encoded)))
    }
  }
}

/** How the results of a step with this schema are written and read. */
export interface StepExit<A> {
  readonly encode: (exit: Exit.Exit<A, ExecutorError>) => Effect.Effect<Schema.Json>
  readonly decode: (encoded: Schema.Json) => Effect.Effect<A, ExecutorError>
}

const known = new WeakMap<object, unknown>()

/** The codec of a schema, made once for each: executors use few schemas, and often. */
export const of = <A, I>(schema: Schema.Codec<A, I>): StepExit<A> => {
  const found = known.get(schema)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is kept under a schema was made from it
  if (found !== undefined) return found as StepExit<A>
  const made = make(schema)
  known.set(schema, made)
  return made
}
