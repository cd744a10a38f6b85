import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { Machine } from "../support/processes.ts"
import { cells } from "./matrix.ts"
import { runCells } from "./run.ts"
import * as Soak from "./soakRun.ts"

/** A part of the matrix: each history, each point, with the disk and without. */
const part = [
  "suspend/after-effect/kept",
  "suspend/after-commit/wiped",
  "child/recovery/kept",
  "parallel/before-row/wiped",
  "retry/recovery/kept",
  "signal/after-commit/kept",
  "cancel/after-commit/kept",
  "schedule/wait/kept",
  "drain/shutdown/kept",
  "code/before-row/kept"
]

describe("recovery", () => {
  it.live(
    "a part of the matrix (npm run recovery plays all of it)",
    () =>
      Effect.gen(function* () {
        const chosen = cells.filter(({ id }) => part.includes(id))
        assert.strictEqual(chosen.length, part.length)
        const results = yield* runCells(chosen, 3, () => Effect.void)
        const failed = results.filter(({ problems }) => problems.length > 0)
        for (const { id, report } of failed) yield* Effect.logError(id, readFileSync(report, "utf8").slice(0, 5000))
        assert.deepStrictEqual(
          failed.map(({ id, problems }) => [id, ...problems]),
          []
        )
      }).pipe(Effect.provide(Machine)),
    90_000
  )

  it.live(
    "a short soak (npm run soak plays a long one)",
    () =>
      Effect.gen(function* () {
        const { ended, problems } = yield* Soak.run({ seed: 4, tasks: 12, kills: 4 }, () => Effect.void)
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(ended, 12)
      }).pipe(Effect.provide(Machine)),
    90_000
  )
})
