import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as StepExit from "../../../src/layers/durable/stepExit.ts"
import { ExecutorError } from "../../../src/services/durable/Step.ts"

const Value = Schema.Struct({
  at: Schema.Date,
  count: Schema.optionalKey(Schema.Int),
  words: Schema.Array(Schema.String)
})
const codec = StepExit.of(Value)

describe("stepExit", () => {
  it.effect.prop("gives back what a step answered", [Value], ([value]) =>
    Effect.gen(function* () {
      const encoded = yield* codec.encode(Exit.succeed(value))
      assert.deepStrictEqual(yield* codec.decode(encoded), value)
    })
  )

  it.effect("and what it failed with, and nothing", () =>
    Effect.gen(function* () {
      const error = new ExecutorError({ reason: "failed", detail: "d", remedy: "r" })
      assert.deepStrictEqual(yield* Effect.flip(codec.decode(yield* codec.encode(Exit.fail(error)))), error)
      const nothing = StepExit.of(Schema.Void)
      assert.isUndefined(yield* nothing.decode(yield* nothing.encode(Exit.void)))
    })
  )

  it.effect("a result that does not fit the schema is a defect: the code has changed", () =>
    Effect.gen(function* () {
      for (const encoded of [{ _tag: "Success", value: { at: 1, words: [] } }, { _tag: "Success" }, "Success", null]) {
        const exit = yield* Effect.exit(codec.decode(encoded))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }
    })
  )
})
