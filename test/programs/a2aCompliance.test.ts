/**
 * `docs/a2a-cli-compliance.md` tells the truth about which tests there are.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const report = readFileSync(`${root}docs/a2a-cli-compliance.md`, "utf8")

/** Tier 1 of the specification, by its identifiers: so many of each area, numbered from 1. */
const tier1: ReadonlyArray<readonly [string, number]> = [
  ["CARD_GET", 1],
  ["SEND", 6],
  ["TASK_GET", 1],
  ["TASK_CANCEL", 1],
  ["INTERACT", 5],
  ["TASK_POLL", 4],
  ["OUT", 6],
  ["EXIT", 2],
  ["AUTH", 4],
  ["TX", 3],
  ["VER", 1],
  ["DEFAULT", 1],
  ["CONFIG", 1],
  ["CLI", 1],
  ["SKILL", 2]
]

// Cells of the rows of a section's tables.
const rowsOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").map((cell) => cell.trim()))

const section = (title: string) => report.split("\n## ").find((part) => part.startsWith(`${title}\n`)) ?? ""

// `file › title; file › title`
const namedIn = (cell: string) =>
  Array.from(cell.matchAll(/([\w.]+\.test\.ts) › (.*?)(?=; [\w.]+\.test\.ts › |$)/g), ([, file = "", title = ""]) => ({
    file,
    title
  }))

const requirements = rowsOf(report).filter(([, id = ""]) => /^A2ACLI_(?!ERR_)\w+_\d{3}$/.test(id))

describe("the compliance report of a2a", () => {
  it("has each requirement of Tier 1, passed or with the reason why it does not apply", () => {
    const wanted = tier1.flatMap(([area, many]) =>
      Array.from({ length: many }, (_, index) => `A2ACLI_${area}_00${index + 1}`)
    )
    assert.strictEqual(wanted.length, 39)
    const rows = rowsOf(section("Tier 1")).filter(([, id = ""]) => /^A2ACLI_(?!ERR_)\w+_\d{3}$/.test(id))
    assert.sameMembers(
      rows.map(([, id]) => id ?? ""),
      wanted
    )
    for (const [, id = "", status = "", cell = ""] of rows) {
      if (status === "pass") assert.isNotEmpty(namedIn(cell), id)
      else assert.isTrue(status === "na" && cell !== "", `${id} is ${status}`)
    }
  })

  it("names tests that there are, and that name the requirement", () => {
    let named = 0
    for (const [, , , ...cells] of rowsOf(report)) {
      for (const { file, title } of cells.flatMap(namedIn)) {
        const path = `${root}test/programs/${file}`
        assert.isTrue(existsSync(path), path)
        assert.include(readFileSync(path, "utf8"), `"${title}"`, file)
        named++
      }
    }
    assert.isAbove(named, 60)
    for (const [, id = "", , cell = ""] of requirements) {
      for (const { title } of namedIn(cell)) assert.include(title.split(":")[0], id)
    }
  })

  it("passes what is tested, and says why the rest is not", () => {
    for (const [, id = "", status = "", cell = ""] of requirements) {
      assert.include(["pass", "na", "partial", "fail"], status, id)
      assert.notStrictEqual(cell, "", id)
      assert.strictEqual(status === "pass", namedIn(cell).length > 0, id)
    }
    assert.strictEqual(requirements.length, 66)
  })
})
