/**
 * The titles of tests as they stand in their files, for tables that name tests.
 *
 * @module
 */
import { assert } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** A test: its file under `test/`, and its title as it stands there. */
export interface Shown {
  readonly file: string
  readonly title: string
}

/** A test as a cell of a table. */
export const nameOf = ({ file, title }: Shown): string => `${file.slice(file.lastIndexOf("/") + 1)} › ${title}`

/** A row of a Markdown table. */
export const tableRow = (cells: ReadonlyArray<string | number>): string =>
  `| ${cells.map((one) => String(one).replaceAll("|", String.raw`\|`)).join(" | ")} |`

// What stands in quotes in a source, whatever quotes.
const literals = (source: string) =>
  new Set(
    Array.from(source.matchAll(/"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g), ([, one, other]) => one ?? other ?? "")
  )
const sources = new Map<string, ReadonlySet<string>>()

/** All literals of a file under `test/`, its tests' titles among them. */
export const titlesIn = (file: string): ReadonlySet<string> => {
  const known = sources.get(file)
  if (known !== undefined) return known
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  assert.isTrue(existsSync(path), `${path} is there`)
  const titles = literals(readFileSync(path, "utf8"))
  sources.set(file, titles)
  return titles
}

/** Every test file under `test/`. */
export const testFiles = (): ReadonlyArray<string> =>
  readdirSync(fileURLToPath(new URL("..", import.meta.url)), { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".test.ts"))
    .toSorted()
