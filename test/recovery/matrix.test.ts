import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { root } from "../support/processes.ts"
import * as Document from "./document.ts"
import { cells, histories } from "./matrix.ts"
import { points } from "./plan.ts"

describe("the recovery matrix", () => {
  it("has a cell for every history, point and loss, and each says what must come of it", () => {
    assert.strictEqual(histories.length, 10)
    assert.strictEqual(points.length, 6)
    assert.strictEqual(new Set(cells.map(({ id }) => id)).size, 10 * 6 * 2)
    for (const { id, outcome } of cells) {
      if (outcome._tag === "NotApplicable") assert.isAbove(outcome.why.length, 20, id)
      else {
        const { actions, expected, lives } = outcome.plan
        assert.include(["completed", "canceled"], expected.end, id)
        assert.isNotEmpty(Object.keys(expected.runs), id)
        const killed = lives.some(({ crash }) => crash !== undefined) || actions.some(({ act }) => act.do === "kill")
        assert.isTrue(killed, `${id} kills a process`)
      }
    }
    assert.strictEqual(cells.filter(({ outcome }) => outcome._tag === "NotApplicable").length, 12)
  })

  it("rebuilds the task in every cell that loses the disk, but where it was never accepted", () => {
    for (const { id, outcome, wiped } of cells) {
      if (outcome._tag === "NotApplicable") continue
      assert.strictEqual(outcome.plan.expected.restored, wiped && id !== "parallel/wait/wiped", id)
    }
  })

  it("kills at rows of kinds that the journal has", () => {
    const source = readFileSync(`${root}src/services/durable/Journal.ts`, "utf8")
    for (const { id, outcome } of cells) {
      if (outcome._tag !== "Run") continue
      for (const { crash } of outcome.plan.lives) {
        for (const point of crash?.points ?? []) {
          if (point.at !== "close") assert.include(source, `TaggedStruct("${point.kind}"`, id)
        }
      }
    }
  })

  it("plays the production program and no other composition", () => {
    for (const file of ["cell.ts", "run.ts", "soakRun.ts", "world.ts"]) {
      const source = readFileSync(new URL(file, import.meta.url), "utf8")
      assert.notInclude(source, "src/layers/", `${file} composes nothing of its own`)
    }
    assert.include(readFileSync(new URL("world.ts", import.meta.url), "utf8"), `start("workspace", [], {`)
  })

  it.effect("docs/recovery.md is what the table says (npm run recovery -- --document)", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* Document.isUpToDate)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
