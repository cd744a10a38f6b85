/**
 * Tables, times and durations for people.
 *
 * @module
 */
import { displayWidth } from "effect/cli/CliOutput"
import * as DateTime from "effect/DateTime"

// Control characters, and those that change the direction of what follows: what an agent or a sender wrote must not move
// the cursor, colour the screen or pass for another text.
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/** A text of somebody else's on one line: without control characters, cut to `max` characters. */
export const clean = (text: string, max: number): string => {
  const line = text.replace(/\s+/g, " ").trim().replace(unsafe, "\ufffd")
  return line.length > max ? `${line.slice(0, max - 1).toWellFormed()}…` : line
}

/** A text of somebody else's with its line breaks and tabs kept. */
export const cleanLines = (text: string): string =>
  text.replace(unsafe, (found) => (/[\n\t]/.test(found) ? found : "\ufffd"))

const pad = (text: string, width: number) => text + " ".repeat(Math.max(0, width - displayWidth(text)))

/** Rows under their heads, columns two blanks apart; the last one is as long as it is. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ""))))
  return all
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** `2026-11-23 21:58:59Z`. */
export const time = (at: DateTime.Utc): string => `${DateTime.formatIso(at).slice(0, 19).replace("T", " ")}Z`

/** `2026-11-23 21:58:59.574`, in UTC. */
export const exactTime = (at: DateTime.Utc): string => DateTime.formatIso(at).slice(0, 23).replace("T", " ")

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** A duration in its two largest units: `3 ms`, `1.2 s`, `2 min 5 s`, `6 d 4 h`. */
export const duration = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (millis < 60_000) return `${Math.floor(millis / 100) / 10} s`
  const index = units.findIndex(([, size]) => millis >= size)
  const [first, second] = [units[index], units[index + 1]]
  if (first === undefined || second === undefined) return `${Math.floor(millis / 1000)} s`
  const rest = Math.floor((millis % first[1]) / second[1])
  return `${Math.floor(millis / first[1])} ${first[0]}${rest === 0 ? "" : ` ${rest} ${second[0]}`}`
}
