/**
 * The bench of the A2A server in tiny rounds: that it runs, that every answer was right, and that what it says has the form
 * that it promises. How fast anything was is not looked at.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { measure } from "../../bench/a2a/bench.ts"
import { picture } from "../../bench/a2a/picture.ts"
import { Relay, Row, Ratios } from "../../bench/a2a/model.ts"
import { cells, summary, table } from "../../bench/a2a/report.ts"

const tiny = {
  connections: 4,
  rounds: 1,
  warmUpSeconds: 0.1,
  seconds: 0.2,
  fleet: { streams: 8, events: 5, every: 5, delay: 500 },
  relay: { requests: 20, rounds: 1 }
}

const Summary = Schema.fromJsonString(
  Schema.Struct({ bench: Schema.Literal("a2a"), rows: Schema.Array(Row), ratios: Ratios, relay: Relay })
)

describe("bench a2a", () => {
  it.live(
    "measures every cell, loses no event, and sums up on one line",
    () =>
      Effect.gen(function* () {
        const report = yield* measure(tiny)
        assert.deepStrictEqual(
          report.rows.map(({ kind, system }) => ({ kind, system })),
          cells
        )
        assert.deepStrictEqual(
          report.fleets.map(({ events, lost, streams }) => ({ events, lost, streams })),
          Array.from({ length: 6 }, () => ({ events: 40, lost: 0, streams: 8 }))
        )
        const line = summary(report)
        assert.notInclude(line, "\n")
        const said = yield* Schema.decodeUnknownEffect(Summary, { onExcessProperty: "error" })(line)
        assert.deepStrictEqual(said.ratios, report.ratios)
        assert.include(table(report), report.machine)
        assert.include(picture(report), "</svg>")
      }).pipe(Effect.provide(NodeServices.layer)),
    180_000
  )
})
