/**
 * `docs/a2a-conformance.md` is as the catalogue makes it, and the catalogue tells the truth about the tests that there are.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { titlesIn } from "../support/titles.ts"
import { document, texts } from "./document.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const specification = (file: string) => `${root}../shared/spec/a2a/${file}`

const all = texts.flatMap(({ sections }) => sections.flatMap(({ requirements }) => requirements))

describe("the conformance table", () => {
  it("is as its catalogue makes it (npm run conformance)", () => {
    assert.strictEqual(readFileSync(`${root}docs/a2a-conformance.md`, "utf8"), document())
  })

  it("names tests that there are, and reasons where there are none", () => {
    for (const { line, shown } of all) {
      if (typeof shown === "string") assert.isAbove(shown.length, 20, String(line))
      else for (const { file, title } of shown) assert.isTrue(titlesIn(file).has(title), `${file}: ${title}`)
    }
  })

  it("has each line once, in order", () => {
    for (const { name, sections } of texts) {
      const lines = sections.flatMap(({ requirements }) => requirements.map(({ line }) => line))
      assert.deepStrictEqual(
        lines,
        Array.from(new Set(lines)).toSorted((one, other) => one - other),
        name
      )
    }
  })

  for (const { file, name, sections, words } of texts) {
    it.skipIf(!existsSync(specification(file)))(`has every line of ${name} that binds somebody`, () => {
      const binding = readFileSync(specification(file), "utf8")
        .split("\n")
        .flatMap((text, index) => (words.test(text) ? [index + 1] : []))
      const known = sections.flatMap(({ requirements }) => requirements.map(({ line }) => line))
      assert.deepStrictEqual(known, binding)
    })
  }
})
