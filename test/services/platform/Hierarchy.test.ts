import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { closesCircle, lineage, maxDepth, mayTalk } from "../../../src/services/platform/Hierarchy.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"

const id = (n: number) => WorkspaceId.make(`00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`)

// root ─ a ─ a1 ─ deep    root ─ b ─ b1    other (a second root) ─ o
const tree: Record<string, string | null> = {
  root: null,
  a: "root",
  a1: "a",
  deep: "a1",
  b: "root",
  b1: "b",
  other: null,
  o: "other"
}
const names = Object.keys(tree)
const idOf = (name: string) => id(names.indexOf(name) + 1)
const parentOf = (at: WorkspaceId) => {
  const name = names.find((candidate) => idOf(candidate) === at)
  const parent = name === undefined ? undefined : tree[name]
  return parent === null || parent === undefined ? parent : idOf(parent)
}
const line = (name: string) => lineage(idOf(name), parentOf)

describe("Hierarchy", () => {
  const yes = [
    ["root", "a"],
    ["root", "a1"],
    ["root", "b"],
    ["root", "deep"],
    ["root", "b1"],
    ["a", "b"],
    ["a", "a1"],
    ["a", "deep"],
    ["a1", "deep"],
    ["b", "b1"],
    ["root", "other"],
    ["other", "o"]
  ]
  const connected = (one: string, two: string) =>
    yes.some(([x, y]) => (x === one && y === two) || (x === two && y === one))

  for (const one of names) {
    for (const two of names) {
      const expected = one === two || connected(one, two)
      it(`${one} ${expected ? "may" : "may not"} talk to ${two}`, () => {
        assert.strictEqual(mayTalk(line(one), line(two)), expected)
      })
    }
  }

  it("a walk ends on a stored circle, and at its greatest length", () => {
    const circle = (at: WorkspaceId) => (at === id(1) ? id(2) : id(1))
    assert.deepStrictEqual(lineage(id(1), circle).ancestors, [id(2)])
    assert.deepStrictEqual(lineage(id(9), () => id(9)).ancestors, [])
    let next = 1
    assert.strictEqual(lineage(id(0), () => id(next++)).ancestors.length, maxDepth)
  })

  it("a workspace under itself or under its descendant is a circle, under any other it is not", () => {
    assert.isTrue(closesCircle(idOf("a"), line("a")))
    assert.isTrue(closesCircle(idOf("a"), line("deep")))
    assert.isFalse(closesCircle(idOf("deep"), line("a")))
    assert.isFalse(closesCircle(idOf("a"), line("b1")))
  })

  const Parents = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 })))
  it.prop("whatever parents are stored, the walk ends and the relation is symmetric", [Parents], ([parents]) => {
    const of = (at: WorkspaceId) => {
      const parent = parents[Number.parseInt(at.slice(-4), 16)]
      return parent === undefined ? null : id(parent)
    }
    for (let a = 0; a < 12; a++) {
      for (let b = 0; b < 12; b++) {
        const [one, two] = [lineage(id(a), of), lineage(id(b), of)]
        if (one.ancestors.length > maxDepth || mayTalk(one, two) !== mayTalk(two, one)) return false
      }
    }
    return true
  })
})
