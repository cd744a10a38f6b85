/**
 * Results of steps as JSON: for snapshots and checkpoints.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ExecutorError } from "../../services/durable/Step.ts"
import { exitEncoder, isSuccess } from "../journal/exitCodec.ts"

const make = <A, I>(schema: Schema.Codec<A, I>) => {
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(Schema.Exit(schema, ExecutorError, Schema.Defect())))
  const decodeValue = Schema.decodeUnknownResult(Schema.toCodecJson(schema))
  return {
    encode: exitEncoder(schema, ExecutorError),
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
