/**
 * Plays cells of the matrix, some at a time, on one platform.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { play } from "./cell.ts"
import { check } from "./checker.ts"
import type { Cell } from "./plan.ts"
import * as World from "./world.ts"

/** What came of a cell. */
export interface Result {
  readonly id: string
  readonly problems: ReadonlyArray<string>
  readonly millis: number
  /** Where evidence and output of the cell are. */
  readonly report: string
}

/** Where cells leave their reports. */
export const reports = `${tmpdir()}/molecule-recovery`

const playCell = Effect.fnUntraced(function* (cell: Cell, platform: World.Platform, home: string) {
  const report = `${reports}/${cell.id.replaceAll("/", "-")}.txt`
  const began = yield* Clock.currentTimeMillis
  const made = (problems: ReadonlyArray<string>, millis: number): Result => ({ id: cell.id, problems, millis, report })
  if (cell.outcome._tag === "NotApplicable") return made([], 0)
  const { plan } = cell.outcome
  const address = { url: platform.url, token: platform.adminToken }
  const played = yield* Effect.result(play(address, home, plan, cell.wiped))
  const problems =
    played._tag === "Success"
      ? check(played.success.evidence, plan.expected)
      : [`the cell could not be played: ${String(played.failure)}`]
  yield* Effect.sync(() => {
    mkdirSync(reports, { recursive: true })
    const { evidence, output } = played._tag === "Success" ? played.success : { evidence: {}, output: "" }
    writeFileSync(report, [...problems, JSON.stringify({ plan, evidence }, null, 2), output].join("\n\n"))
  })
  return made(problems, (yield* Clock.currentTimeMillis) - began)
})

/** Plays the cells, so many at once; `told` hears of each as it is over. */
export const runCells = Effect.fnUntraced(function* (
  cells: ReadonlyArray<Cell>,
  concurrency: number,
  told: (result: Result) => Effect.Effect<void>
) {
  const directory = yield* World.temporary("molecule-recovery-")
  const platform = yield* World.startPlatformProcess(directory)
  return yield* Effect.forEach(
    cells,
    // A short name: the path of a socket has a hundred characters at most.
    (cell, index) =>
      playCell(cell, platform, `${directory}/${index}`).pipe(Effect.provide(platform.client), Effect.tap(told)),
    { concurrency }
  )
}, Effect.scoped)
