import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import { spanIfTraced } from "../../../src/layers/tracing/spanIfTraced.ts"

const within = Effect.map(Effect.option(Effect.currentSpan), (span) =>
  span._tag === "Some" ? span.value.name : "none"
)

describe("spanIfTraced", () => {
  it.effect("makes no span where nobody collects spans", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* spanIfTraced("TaskRunner.submit", within), "none")
    })
  )

  it.effect("names the work, and tells its end, where somebody does", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const traced = <A, E>(effect: Effect.Effect<A, E>) => Effect.provideService(effect, Tracer.Tracer, tracer)
      assert.strictEqual(yield* traced(spanIfTraced("TaskRunner.submit", within)), "TaskRunner.submit")
      yield* traced(Effect.exit(spanIfTraced("A2A.sendMessage", Effect.fail("no"))))
      assert.deepStrictEqual(
        spans.map(({ name, status }) => [name, status._tag === "Ended" ? Exit.isSuccess(status.exit) : status._tag]),
        [
          ["TaskRunner.submit", true],
          ["A2A.sendMessage", false]
        ]
      )
    })
  )
})
