import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { check, type Evidence, type Told } from "./checker.ts"
import { cells } from "./matrix.ts"
import type { Expected } from "./plan.ts"

interface Recorded {
  readonly cell: string
  readonly evidence: Evidence
}

const recorded = (name: string): Recorded =>
  JSON.parse(readFileSync(new URL(`recorded/${name}.json`, import.meta.url), "utf8"))

const expectedOf = (id: string): Expected => {
  const cell = cells.find((one) => one.id === id)
  assert(cell?.outcome._tag === "Run", `${id} is a cell that is played`)
  return cell.outcome.plan.expected
}

const problemsOf = ({ cell, evidence }: Recorded) => check(evidence, expectedOf(cell))

describe("the checker, on runs that were recorded", () => {
  it.each(["good", "good-code", "good-wiped"])("finds nothing in a run that was as it must be: %s", (name) => {
    assert.deepStrictEqual(problemsOf(recorded(name)), [])
  })

  // Real runs, each with something that was broken for it.
  it("notices an agent that has each effect twice", () => {
    const problems = problemsOf(recorded("appends-twice"))
    assert.include(problems.join("\n"), "before ran as attempt 1 after attempt 1")
    assert.include(problems, "worker: before ran 2 times, not 1")
    assert.include(problems, "worker: after ran 4 times, not 2")
  })

  it("notices a row that was taken out of the journal between two lives: its step ran again", () => {
    const problems = problemsOf(recorded("dropped-row"))
    assert.match(problems.join("\n"), /worker: [-0-9a-f]{36} after was completed and ran again \(attempt 2\)/)
    assert.include(problems, "worker: after ran 2 times, not 1")
  })

  it("notices a client that is told events twice", () => {
    const problems = problemsOf(recorded("doubled-event"))
    assert.match(problems.join("\n"), /event [0-9a-z]+-\d+ was told twice/)
  })
})

describe("the checker, on a good run that is changed", () => {
  const { cell, evidence } = recorded("good")
  const changed = (change: (good: Evidence) => Partial<Evidence>) =>
    check({ ...evidence, ...change(evidence) }, expectedOf(cell)).join("\n")

  const cut = (stream: ReadonlyArray<Told>, index: number) => stream.filter((_, place) => place !== index)
  const otherEpoch = (cursor: string) => `other-${cursor.split("-")[1]}`

  it("an event is missing, at the end and in the middle", () => {
    assert.include(
      changed(({ stream }) => ({ stream: cut(stream, 3) })),
      "1 events before"
    )
    assert.include(
      changed(({ stream }) => ({ stream: cut(stream, stream.length - 1) })),
      "the stream ended with"
    )
  })

  it("the epoch changes: only with a gap that begins where the last event was", () => {
    const half = (stream: ReadonlyArray<Told>, gap: ReadonlyArray<Told>) => [
      ...stream.slice(0, 3),
      ...gap,
      ...stream.slice(1).map((one) => ({ ...one, cursor: otherEpoch(one.cursor) }))
    ]
    const gapFrom = (from: string): Told => ({ cursor: "other-0", what: { _tag: "Gap", from, to: "other-0" } })
    assert.include(
      changed(({ stream }) => ({ stream: half(stream, []) })),
      "without a gap"
    )
    assert.include(
      changed(({ stream }) => ({ stream: half(stream, [gapFrom("another-1")]) })),
      "but the last event was"
    )
    assert.strictEqual(
      changed(({ stream }) => ({ stream: half(stream, [gapFrom(stream[2]?.cursor ?? "")]) })),
      ""
    )
  })

  it("an effect changes its id, or shares one", () => {
    const withIds = (id: (step: string, attempt: number) => string) =>
      changed(({ effects }) => ({
        effects: { worker: (effects.worker ?? []).map((line) => ({ ...line, effectId: id(line.step, line.attempt) })) }
      }))
    assert.include(
      withIds((step, attempt) => `${step}/${attempt}`),
      "had the effect ids after/1 and after/2"
    )
    assert.include(
      withIds(() => "same"),
      "have the same effect id same"
    )
  })

  it.each<readonly [string, Partial<Evidence>, string]>([
    ["another answer", { answer: "before\nafter\n" }, "the answer is"],
    ["another end", { state: "failed" }, "the task is failed, not completed"],
    ["still waiting", { waiting: ["worker: task go"] }, "worker: task go is still waiting"],
    ["two tasks of one message", { tasks: 2 }, "the message became 2 tasks"],
    ["numbers with a hole", { events: [1, 2, 4] }, "the journal's events are numbered 1 2 4"],
    ["a step that is not there", { effects: {} }, "worker: before ran 0 times, not 1"],
    ["trouble in the harness", { trouble: ["the point was not reached"] }, "the point was not reached"]
  ])("%s", (_, change, found) => {
    assert.include(
      changed(() => change),
      found
    )
  })

  it("a lost disk: a step that the platform had runs again, or the task was not rebuilt", () => {
    const { cell: lost, evidence: good } = recorded("good-wiped")
    const fast = (good.effects.worker ?? []).filter(({ step }) => step === "fast")
    assert.lengthOf(fast, 1)
    const again = { worker: [...(good.effects.worker ?? []), ...fast] }
    assert.match(
      check({ ...good, effects: again }, expectedOf(lost)).join("\n"),
      /worker: [-0-9a-f]{36} fast was completed and ran again/
    )
    assert.deepStrictEqual(check({ ...good, restored: false }, expectedOf(lost)), [
      "the task was not rebuilt from what the platform knew"
    ])
    const withoutGap = good.stream.filter(({ what }) => what._tag !== "Gap")
    assert.isBelow(withoutGap.length, good.stream.length)
    assert.include(check({ ...good, stream: withoutGap }, expectedOf(lost)).join("\n"), "without a gap")
  })

  it("the named outcome is missing", () => {
    const code = recorded("good-code")
    assert.include(check({ ...code.evidence, named: [] }, expectedOf(code.cell)), "nothing was held")
  })
})
