/**
 * What is printed and kept of a run.
 *
 * @module
 */
import { significant } from "../support/statistics.ts"
import type { FleetRow, Kind, LoadResult, Ratios, Report, Row, SystemName } from "./model.ts"

/** What was measured in one cell in one round. */
export interface Measured {
  readonly system: SystemName
  readonly kind: Kind
  readonly result: LoadResult
}

/** The servers, in the order of the table, and what each is called in print. */
export const titles: Readonly<Record<SystemName, string>> = {
  sdk: "@a2a-js/sdk + Express, in memory",
  memory: "molecule-effect, in memory",
  durable: "molecule-effect, durable"
}

/** The kinds of request, and what each is called in print. */
export const kinds: Readonly<Record<Kind, string>> = {
  message: "Message answers",
  task: "Tasks",
  stream: "streams of 10 pieces"
}

const systemNames: ReadonlyArray<SystemName> = ["sdk", "memory", "durable"]
const kindNames: ReadonlyArray<Kind> = ["message", "task", "stream"]

/** All cells, in the order of the table. */
export const cells = kindNames.flatMap((kind) => systemNames.map((system) => ({ kind, system })))

const perSecond = ({ result }: Measured) => (result.requests / result.elapsed) * 1000

/** One row for each cell: its best round. */
export const rowsOf = (measured: ReadonlyArray<Measured>): ReadonlyArray<Row> =>
  cells.flatMap(({ kind, system }) => {
    const rounds = measured.filter((one) => one.kind === kind && one.system === system)
    const best = rounds.toSorted((a, b) => perSecond(b) - perSecond(a))[0]
    if (best === undefined) return []
    const { clientCpu, p50, p99, rss, serverCpu } = best.result
    return [
      {
        system,
        kind,
        per_second: significant(perSecond(best), 4),
        p50_ms: significant(p50, 3),
        p99_ms: significant(p99, 3),
        rss_mb: Math.round(rss),
        server_cpu: significant(serverCpu, 2),
        client_cpu: significant(clientCpu, 2),
        rounds: rounds.map((round) => significant(perSecond(round), 4))
      }
    ]
  })

/** Compares rows; a row that is missing counts as 0 a second. */
export const ratiosOf = (rows: ReadonlyArray<Row>): Ratios => {
  const of = (system: SystemName, kind: Kind) =>
    rows.find((row) => row.system === system && row.kind === kind)?.per_second ?? 0
  const ratio = (system: SystemName, kind: Kind) => significant(of(system, kind) / Math.max(of("sdk", kind), 1), 3)
  return {
    message_vs_sdk: ratio("memory", "message"),
    task_vs_sdk: ratio("memory", "task"),
    stream_vs_sdk: ratio("memory", "stream"),
    durable_vs_sdk: ratio("durable", "task")
  }
}

const grid = (lines: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n")
}

const millis = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

const lineOf = (row: Row, previous: Row | undefined) => [
  row.kind === previous?.kind ? "" : kinds[row.kind],
  titles[row.system],
  row.per_second.toFixed(0),
  millis(row.p50_ms),
  millis(row.p99_ms),
  String(row.rss_mb),
  row.server_cpu.toFixed(2),
  row.client_cpu.toFixed(2)
]

const fleetLine = (row: FleetRow) => [
  row.kind === "streams" ? `${row.streams} tasks, a stream each` : `1 task, ${row.streams} subscribers`,
  titles[row.system],
  String(row.events),
  String(row.lost),
  millis(row.lagP50),
  millis(row.lagP99),
  row.kbPerStream.toFixed(0)
]

/** For people. */
export const table = ({ fleets, machine, ratios, relay, rows }: Report): string =>
  [
    machine,
    "",
    grid([
      ["", "", "per s", "p50 ms", "p99 ms", "MB", "server CPU", "client CPU"],
      ...rows.map((row, index) => lineOf(row, rows[index - 1]))
    ]),
    "",
    grid([["", "", "events", "lost", "lag p50", "p99 ms", "KB a stream"], ...fleets.map(fleetLine)]),
    "",
    `Compared with the SDK: messages ${ratios.message_vs_sdk} ×, tasks ${ratios.task_vs_sdk} ×, streams ${ratios.stream_vs_sdk} ×; durable tasks ${ratios.durable_vs_sdk} ×.`,
    `The relay adds ${millis(relay.p50_ms)} ms (p50), ${millis(relay.p99_ms)} ms (p99).`,
    ""
  ].join("\n")

/** For programs, on one line. */
export const summary = ({ bench, ratios, relay, rows }: Report): string =>
  JSON.stringify({ bench, rows, ratios, relay })
