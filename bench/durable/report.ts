/**
 * From what the cells measured to the table.
 *
 * @module
 */
import { percentile, significant } from "../support/statistics.ts"
import { type Cell, order, titles } from "./cells.ts"
import type { CellResult, Ratios, Report, Resume, Row, SystemName } from "./model.ts"

/** What one round of one cell has found. */
export interface Measured extends Cell {
  readonly result: CellResult
}

const perSecond = ({ result }: Measured) => (result.tasks / result.elapsed) * 1000

const rowOf = (rounds: ReadonlyArray<Measured>): ReadonlyArray<Row> => {
  // Whoever else uses the machine can make a round slower, never faster.
  const best = rounds.toSorted((a, b) => perSecond(b) - perSecond(a))[0]
  if (best === undefined) return []
  const { concurrency, result, system } = best
  const ms = (times: ReadonlyArray<number>, p: number) => significant(percentile(times, p), 4)
  return [
    {
      system,
      concurrency,
      per_second: significant(perSecond(best), 4),
      p50_ms: ms(result.taskTimes, 0.5),
      p99_ms: ms(result.taskTimes, 0.99),
      p50_step_ms: ms(result.stepTimes, 0.5),
      p99_step_ms: ms(result.stepTimes, 0.99),
      rss_mb: Math.round(result.rss),
      ...(result.serverRss === undefined ? undefined : { server_mb: Math.round(result.serverRss) }),
      tasks: result.tasks,
      rounds: rounds.map((round) => significant(perSecond(round), 4)),
      durability: result.durability
    }
  ]
}

/** One row for each cell: its best round. */
export const rowsOf = (measured: ReadonlyArray<Measured>): ReadonlyArray<Row> =>
  order.flatMap((system) =>
    [1, 32].flatMap((concurrency) =>
      rowOf(measured.filter((one) => one.system === system && one.concurrency === concurrency))
    )
  )

/** Compares rows; a row that is missing counts as 0 tasks a second. */
export const ratiosOf = (rows: ReadonlyArray<Row>): Ratios => {
  const of = (system: SystemName, concurrency: number) =>
    rows.find((row) => row.system === system && row.concurrency === concurrency)?.per_second ?? 0
  return {
    vs_dbos_1: significant(of("journal", 1) / of("dbos-postgres", 1), 3),
    vs_dbos_32: significant(of("journal", 32) / of("dbos-postgres", 32), 3),
    floor_1: significant(of("sqlite-commits", 1) / of("journal", 1), 3)
  }
}

/** The best of the rounds, as in {@link rowsOf}. */
export const resumeOf = (steps: number, rounds: ReadonlyArray<number>): Resume => ({
  steps,
  ms: significant(Math.min(...rounds), 3),
  rounds: rounds.map((ms) => significant(ms, 3))
})

const header = ["", "at once", "tasks/s", "task p50", "p99 ms", "step p50", "p99 ms", "MB", "server MB"]

const grid = (lines: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n")
}

const millis = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

const lineOf = (row: Row, previous: Row | undefined) => [
  row.system === previous?.system ? "" : titles[row.system],
  String(row.concurrency),
  row.per_second.toFixed(0),
  ...[row.p50_ms, row.p99_ms, row.p50_step_ms, row.p99_step_ms].map(millis),
  String(row.rss_mb),
  row.server_mb === undefined ? "" : String(row.server_mb)
]

/** For people. */
export const table = ({ machine, ratios, resume, rows }: Report): string => {
  const settings = order.flatMap((system) => {
    const row = rows.find((one) => one.system === system)
    return row === undefined ? [] : [`  ${system}: ${row.durability}`]
  })
  return [
    machine,
    "",
    grid([header, ...rows.map((row, index) => lineOf(row, rows[index - 1]))]),
    "",
    "How each keeps what it has acknowledged:",
    ...settings,
    "",
    `Tasks per second compared with DBOS: ${ratios.vs_dbos_1} × one at a time, ${ratios.vs_dbos_32} × 32 at a time.`,
    `One at a time, a task takes ${ratios.floor_1} × as long as the floor.`,
    `Resume of ${resume.steps} steps: ${millis(resume.ms)} ms from the boot to the step that was in flight.`,
    ""
  ].join("\n")
}

/** For programs, on one line. */
export const summary = ({ bench, ratios, resume, rows }: Report): string =>
  JSON.stringify({ bench, rows, ratios, resume })
