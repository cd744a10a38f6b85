import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { chains } from "../../../src/layers/local/waitChains.ts"
import type { WaitLink } from "../../../src/services/local/TaskBook.ts"

const now = DateTime.makeUnsafe(0)
const open = (id: string, from: string, wait = `of ${id}`) => ({
  id,
  wait: { wait, kind: "child" as const, reason: "", from, since: now, deadline: now, overdue: 0, retries: 0 }
})
const working = (...ids: ReadonlyArray<string>) => new Map(ids.map((id) => [id, { state: "working" as const }]))

const draw = ({ circle, id, next, state, wait }: WaitLink): string => {
  const own = `${id}${wait === undefined ? ` (${state})` : ""}${circle ? " circle" : ""}`
  return next.length === 0 ? own : `${own} > ${next.map(draw).join(" | ")}`
}

describe("waitChains", () => {
  it("puts what an awaited task waits for behind the wait, and shows it there only", () => {
    const all = [open("c", "person"), open("a", "b"), open("b", "c"), open("x", "elsewhere")]
    assert.deepStrictEqual(chains(all, working("a", "b", "c", "x")).map(draw), ["a > b > c", "x"])
  })

  it("ends a chain with the task that waits for nothing, also one that has ended", () => {
    const tasks = new Map([
      ["a", { state: "working" as const }],
      ["b", { state: "completed" as const }],
      ["c", { state: "working" as const }]
    ])
    assert.deepStrictEqual(chains([open("a", "b"), open("a", "c", "other")], tasks).map(draw), [
      "a > b (completed)",
      "a > c (working)"
    ])
  })

  it("shows a circle once, and says where it closes", () => {
    const circle = [open("a", "b"), open("b", "c"), open("c", "a")]
    const all = [...circle, open("d", "a"), open("e", "e")]
    assert.deepStrictEqual(chains(circle, working("a", "b", "c")).map(draw), ["a > b > c > a (working) circle"])
    assert.deepStrictEqual(chains(all, working("a", "b", "c", "d", "e")).map(draw), [
      "d > a > b > c > a (working) circle",
      "e > e (working) circle"
    ])
  })

  it.prop(
    "shows each open wait somewhere, whoever waits for whom",
    {
      edges: Schema.Array(
        Schema.Tuple([Schema.Literals(["a", "b", "c", "d"]), Schema.Literals(["a", "b", "c", "d", "x"])])
      ).check(Schema.isMaxLength(6))
    },
    ({ edges }) => {
      const all = edges.map(([id, from], index) => open(id, from, `${index}`))
      const seen = new Set<string>()
      const visit = ({ next, wait }: WaitLink) => {
        if (wait !== undefined) seen.add(wait.wait)
        for (const one of next) visit(one)
      }
      for (const link of chains(all, working("a", "b", "c", "d"))) visit(link)
      assert.deepStrictEqual([...seen].toSorted(), all.map(({ wait }) => wait.wait).toSorted())
    }
  )
})
