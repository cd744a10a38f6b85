/**
 * The picture for the README: requests per second as bars, one panel for each kind of request.
 *
 * @module
 */
import type { Kind, Report, Row } from "./model.ts"
import { kinds, titles } from "./report.ts"

const width = 760
const labels = 236
const right = 64
const bar = 16
const gap = 6
const top = 58

const number = (value: number) => Math.round(value).toLocaleString("en-US")
const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

const style = `
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
    .title { font-size: 14px; font-weight: 600 }
    .quiet { fill: #59636e; font-size: 11px }
    .ours-text { font-weight: 600 }
    .ours { fill: #0969da } .peer { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .quiet { fill: #9198a1 }
      .ours { fill: #4493f8 } .peer { fill: #767e87 }
    }`

const panel = (kind: Kind, rows: ReadonlyArray<Row>, y: number) => {
  const most = Math.max(1, ...rows.map((row) => row.per_second))
  const lines = rows.map((row, index) => {
    const up = y + 14 + index * (bar + gap)
    const end = labels + ((width - labels - right) * row.per_second) / most
    const ours = row.system === "sdk" ? "" : ' class="ours-text"'
    return [
      `  <text x="${labels - 10}" y="${up + 12}" text-anchor="end"${ours}>${escape(titles[row.system])}</text>`,
      `  <rect x="${labels}" y="${up}" width="${(end - labels).toFixed(1)}" height="${bar}" rx="2" class="${row.system === "sdk" ? "peer" : "ours"}"/>`,
      `  <text x="${(end + 6).toFixed(1)}" y="${up + 12}"${ours}>${number(row.per_second)}</text>`
    ].join("\n")
  })
  return [`  <text x="${labels}" y="${y + 6}" class="quiet">${kinds[kind]}</text>`, ...lines].join("\n")
}

/** Draws the bars; each panel has a scale of its own. */
export const picture = ({ machine, rows }: Report): string => {
  const panelHeight = 20 + 3 * (bar + gap)
  const shown = ["message", "task", "stream"] as const
  const height = top + shown.length * panelHeight + 24
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A2A requests per second">`,
    `  <style>${style}\n  </style>`,
    `  <text x="4" y="16" class="title">A2A 1.0 over JSON-RPC: requests per second, 32 connections</text>`,
    `  <text x="4" y="33" class="quiet">Durable: each task is on disk (fsync) before its answer. Each panel has its own scale.</text>`,
    ...shown.map((kind, index) =>
      panel(
        kind,
        rows.filter((row) => row.kind === kind),
        top + index * panelHeight
      )
    ),
    `  <text x="4" y="${height - 6}" class="quiet">${escape(machine)}</text>`,
    "</svg>",
    ""
  ].join("\n")
}
