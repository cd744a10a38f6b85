/**
 * `npm run bench -- a2a`: how fast the A2A server is beside one made with the A2A project's own SDK.
 *
 * @module
 */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { machine, scratch } from "../support/machine.ts"
import { significant } from "../support/statistics.ts"
import { Report } from "./model.ts"
import { picture } from "./picture.ts"
import { ratiosOf, rowsOf, summary, table } from "./report.ts"
import { measureFleets, measureLoad, measureRelay, type Size } from "./run.ts"

/** The whole bench. */
const whole: Size = {
  connections: 32,
  rounds: 3,
  warmUpSeconds: 3,
  seconds: 2,
  fleet: { streams: 1000, events: 100, every: 100, delay: 2000 },
  relay: { requests: 1500, rounds: 3 }
}

const results = (name: string) => fileURLToPath(new URL(`../results/${name}`, import.meta.url))

/** Measures, in rounds of this size. */
export const measure = Effect.fnUntraced(function* (size: Size) {
  const folder = yield* scratch
  const rows = rowsOf(yield* measureLoad(folder, size))
  const relay = yield* measureRelay(folder, size)
  const fleets = yield* measureFleets(folder, size)
  const report: Report = {
    bench: "a2a",
    at: DateTime.formatIso(yield* DateTime.now),
    machine: machine(folder),
    rows,
    ratios: ratiosOf(rows),
    fleets,
    relay: { p50_ms: significant(relay.p50_ms, 3), p99_ms: significant(relay.p99_ms, 3) }
  }
  return report
}, Effect.scoped)

/** Runs it all, prints the table, and keeps `results/a2a.json` and `results/a2a.svg`. */
export const a2a = Effect.fnUntraced(function* (options: { readonly json: boolean }) {
  const started = yield* Clock.currentTimeMillis
  const report = yield* measure(whole)
  const kept = yield* Schema.encodeEffect(Report)(report)
  yield* Effect.sync(() => {
    writeFileSync(results("a2a.json"), `${JSON.stringify(kept, undefined, 2)}\n`)
    writeFileSync(results("a2a.svg"), picture(report))
  })
  const took = Math.round(((yield* Clock.currentTimeMillis) - started) / 1000)
  yield* Effect.sync(() => {
    process.stdout.write(`${table(report)}\nThe run took ${took} s; kept in bench/results/a2a.json and a2a.svg.\n`)
    if (options.json) process.stdout.write(`${summary(report)}\n`)
  })
})
