/**
 * The picture for the README: tasks per second as bars, on a logarithmic scale.
 *
 * @module
 */
import { order, titles } from "./cells.ts"
import type { Report, Row, SystemName } from "./model.ts"

const width = 760
const labels = 296
const right = 52
const bar = 16
const gap = 6
const top = 58
/** The scale begins here, in tasks per second. */
const least = 10

const shown: ReadonlyArray<SystemName> = order.filter((system) => !system.endsWith("-effects"))

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
const number = (value: number) => Math.round(value).toLocaleString("en-US")

const style = `
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
    .title { font-size: 14px; font-weight: 600 }
    .quiet { fill: #59636e; font-size: 11px }
    .ours-text { font-weight: 600 }
    .line { stroke: #d1d9e0; stroke-width: 1 }
    .ours { fill: #0969da } .peer { fill: #8c959f } .bound { fill: #d0d7de }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .quiet { fill: #9198a1 } .line { stroke: #3d444d }
      .ours { fill: #4493f8 } .peer { fill: #767e87 } .bound { fill: #3d444d }
    }`

const kindOf = (system: SystemName) =>
  system === "journal" ? "ours" : system === "sqlite-commits" || system === "memory" ? "bound" : "peer"

const decades = (most: number) => {
  const steps = Math.ceil(Math.log10(most / least))
  return Array.from({ length: steps + 1 }, (_, index) => least * 10 ** index)
}

const panel = (rows: ReadonlyArray<Row>, title: string, y: number, x: (perSecond: number) => number) => {
  const bars = shown.flatMap((system) => rows.filter((row) => row.system === system))
  const lines = bars.map((row, index) => {
    const up = y + 14 + index * (bar + gap)
    const kind = kindOf(row.system)
    const end = Math.max(x(row.per_second), labels + 1)
    const text = kind === "ours" ? ' class="ours-text"' : ""
    return [
      `  <text x="${labels - 10}" y="${up + 12}" text-anchor="end"${text}>${escape(titles[row.system])}</text>`,
      `  <rect x="${labels}" y="${up}" width="${(end - labels).toFixed(1)}" height="${bar}" rx="2" class="${kind}"/>`,
      `  <text x="${(end + 6).toFixed(1)}" y="${up + 12}"${text}>${number(row.per_second)}</text>`
    ].join("\n")
  })
  const height = 14 + bars.length * (bar + gap)
  return { height, svg: [`  <text x="${labels + 6}" y="${y + 4}" class="quiet">${title}</text>`, ...lines].join("\n") }
}

/** Draws the bars of the pure steps, one panel for one at a time and one for 32 at a time. */
export const picture = ({ machine, rows }: Report): string => {
  const most = Math.max(least * 10, ...rows.map((row) => row.per_second))
  const ticks = decades(most)
  const last = ticks.at(-1) ?? most
  const x = (perSecond: number) =>
    labels + ((width - labels - right) * Math.log10(Math.max(perSecond, least) / least)) / Math.log10(last / least)
  const one = panel(
    rows.filter(({ concurrency }) => concurrency === 1),
    "one at a time",
    top,
    x
  )
  const many = panel(
    rows.filter(({ concurrency }) => concurrency === 32),
    "32 at a time",
    top + one.height + 18,
    x
  )
  const bottom = top + one.height + 18 + many.height + 4
  const grid = ticks.map((tick) => {
    const at = x(tick).toFixed(1)
    const line = `<line x1="${at}" y1="${top - 12}" x2="${at}" y2="${bottom}" class="line"/>`
    return `  ${line}<text x="${at}" y="${bottom + 14}" text-anchor="middle" class="quiet">${number(tick)}</text>`
  })
  const height = bottom + 40
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Tasks of three durable steps per second">`,
    `  <style>${style}\n  </style>`,
    `  <text x="4" y="16" class="title">Tasks of three durable steps, per second</text>`,
    `  <text x="4" y="33" class="quiet">Every step is on disk (fsync) before the next begins, but for layerMemory. Logarithmic scale.</text>`,
    ...grid,
    one.svg,
    many.svg,
    `  <text x="4" y="${height - 6}" class="quiet">${escape(machine)}</text>`,
    "</svg>",
    ""
  ].join("\n")
}
