import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { momentOf, timeline } from "../../../src/layers/journal/taskTimeline.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Journal, type JournalRecord } from "../../../src/services/durable/Journal.ts"
import { CurrentStep, ExecutorError, output, progress, Step } from "../../../src/services/durable/Step.ts"
import { TimelineItem } from "../../../src/services/local/TaskBook.ts"
import { journalAt, temporaryFile } from "../../support/journal.ts"
import * as Rows from "../../support/rows.ts"
import { boot, type Execute, result, submit } from "../../support/runner.ts"

const at = momentOf
const steps = (items: ReadonlyArray<TimelineItem>) => items.flatMap((item) => (item.kind === "step" ? [item] : []))

/** What a run of a step may come to. */
const Act = Schema.Union([
  Schema.TaggedStruct("Run", {
    step: Schema.Literals(["a", "b", "c-9"]),
    pieces: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
    outcome: Schema.Literals(["completed", "failed", "lost", "reconciled", "stopped"])
  }),
  Schema.TaggedStruct("Waited", { how: Schema.Literals(["provided", "overdue", "cancelled", "open"]) }),
  Schema.TaggedStruct("Segment", {})
])

/** The rows that a task leaves which goes through these acts, and what is to be told of its steps and waits. */
const play = (acts: ReadonlyArray<typeof Act.Type>) => {
  const records: Array<JournalRecord> = [Rows.accepted, Rows.moved("working")]
  const expected: Array<string> = []
  const attempts = new Map<string, number>()
  let segment = 0
  acts.forEach((act, index) => {
    switch (act._tag) {
      case "Run": {
        const { outcome, pieces } = act
        // A step that was stopped does not run again: its branch was given up.
        const step = outcome === "stopped" ? `${act.step}-${index}` : act.step
        const attempt = (attempts.get(step) ?? 0) + 1
        attempts.set(step, attempt)
        const name = attempt === 1 ? step : `${step}~${attempt}`
        records.push(Rows.began(step, attempt))
        for (let piece = 1; piece <= pieces; piece++) records.push(Rows.said(step, attempt, piece, "text"))
        if (outcome === "completed") records.push(Rows.succeeded(name, attempt))
        if (outcome === "failed") records.push(Rows.failed(name, "no"))
        if (outcome === "lost") records.push(Rows.resumed)
        if (outcome === "reconciled") records.push(Rows.resumed, Rows.succeeded(name, "found"))
        const told = outcome === "reconciled" ? "completed reconciled" : outcome
        expected.push(`${step} ${attempt} ${told}`)
        break
      }
      case "Waited":
        records.push(Rows.waitBegan(`w${index}`, 1e6))
        if (act.how !== "open") records.push({ _tag: "WaitEnded", wait: `w${index}`, how: act.how })
        expected.push(`w${index} ${act.how === "open" ? "cancelled" : act.how}`)
        break
      case "Segment":
        records.push({ _tag: "SegmentBegan", segment: ++segment, steps: {} })
        expected.push(`segment ${segment}`)
        break
    }
  })
  records.push(Rows.moved("completed"))
  return { records, expected }
}

const tell = (item: TimelineItem) => {
  switch (item.kind) {
    case "step":
      return [[item.step, item.attempt, item.outcome, item.how].filter((part) => part !== undefined).join(" ")]
    case "wait":
      return [`${item.wait} ${item.how}`]
    case "segment":
      return [`segment ${item.segment}`]
    default:
      return []
  }
}

describe("taskTimeline", () => {
  it.prop(
    "tells of each run, wait and segment once, in order, as it ended, whatever the order of the rows",
    { acts: Schema.Array(Act) },
    ({ acts }) => {
      // What ran when the process ended is lost, whichever act brought it down.
      const sure = acts.filter((act, index) => {
        if (act._tag !== "Run" || act.outcome !== "stopped") return true
        return !acts.slice(index).some((later) => later._tag === "Run" && /lost|reconciled/.test(later.outcome))
      })
      const { expected, records } = play(sure)
      const rows = Rows.rowsOf(records)
      const items = timeline(rows)
      assert.deepStrictEqual(items.flatMap(tell), expected)
      assert.deepStrictEqual(timeline(rows.toReversed()), items)
      assert.isTrue(items.every((item) => !("took" in item) || item.took === undefined || item.took >= 0))
      assert.isTrue(Schema.is(Schema.Array(TimelineItem))(items))
      const pieces = items.flatMap((item) => (item.kind === "said" ? [item.pieces] : []))
      assert.strictEqual(
        pieces.reduce((sum, one) => sum + one, 0),
        records.filter(({ _tag }) => _tag === "TaskSaid").length
      )
    },
    { arbitrary: { runs: 300 } }
  )

  it("gives times, durations, results and errors", () => {
    const items = timeline(
      Rows.rowsOf([
        { at: 1000, record: Rows.accepted },
        { at: 1010, record: Rows.moved("working") },
        { at: 1020, record: Rows.began("a", 1) },
        { at: 3520, record: Rows.succeeded("a", "x".repeat(500)) },
        { at: 3530, record: Rows.began("b", 1) },
        { at: 3540, record: Rows.failed("b", "too slow") },
        { at: 3550, record: Rows.began("b", 2) },
        // The clock was set back.
        { at: 3000, record: Rows.succeeded("b~2", null) }
      ])
    )
    const [accepted, working] = items
    assert.deepStrictEqual(accepted, { kind: "accepted", at: at(1000), restored: false })
    assert.deepStrictEqual(working, { kind: "state", at: at(1010), state: "working" })
    const [a, b, again] = steps(items)
    assert.deepInclude(a, { outcome: "completed", at: at(1020), ended: at(3520), took: 2500 })
    assert.strictEqual(a?.result?.length, 200)
    assert.deepInclude(b, { step: "b", attempt: 1, outcome: "failed", error: "timeout: too slow", took: 10 })
    assert.deepInclude(again, { step: "b", attempt: 2, outcome: "completed", took: 0 })
    assert.isFalse(again !== undefined && "result" in again)
  })

  it("what is not known to have ended is running, until the process or the task has ended", () => {
    const records = [Rows.accepted, Rows.moved("working"), Rows.began("a", 1)]
    const outcomes = (more: ReadonlyArray<JournalRecord>) =>
      steps(timeline(Rows.rowsOf([...records, ...more]))).map(({ outcome }) => outcome)
    assert.deepStrictEqual(outcomes([]), ["running"])
    assert.deepStrictEqual(outcomes([Rows.resumed]), ["lost"])
    assert.deepStrictEqual(outcomes([Rows.resumed, Rows.began("a", 2)]), ["lost", "running"])
    assert.deepStrictEqual(outcomes([Rows.moved("canceled")]), ["stopped"])
  })

  it("shows waits that were asked for again, holds, and releases of what was held only", () => {
    const items = timeline(
      Rows.rowsOf([
        Rows.accepted,
        Rows.waitBegan("w", 1e300),
        Rows.waitBegan("w", 5000),
        { _tag: "WaitRetried", wait: "w", deadline: 7000 },
        { _tag: "TaskReleased" },
        { _tag: "TaskHeld", reason: "code", detail: "gone" },
        { _tag: "TaskReleased" },
        { _tag: "WaitEnded", wait: "w", how: "provided" },
        { _tag: "WaitEnded", wait: "w", how: "provided" }
      ])
    )
    assert.deepStrictEqual(
      items.map(({ kind }) => kind),
      ["accepted", "wait", "held", "released"]
    )
    assert.deepInclude(items[1], { retries: 1, deadline: at(7000), how: "provided", took: 60 })
    assert.strictEqual(DateTime.toEpochMillis(momentOf(1e300)), 8.64e15)
  })

  it("takes a result without a run for one that was restored, where the task was", () => {
    assert.deepInclude(steps(timeline(Rows.rowsOf([Rows.restored, Rows.succeeded("a", 1)])))[0], {
      step: "a",
      outcome: "completed",
      how: "restored"
    })
    assert.notProperty(steps(timeline(Rows.rowsOf([Rows.accepted, Rows.succeeded("a", 1)])))[0], "how")
  })

  it.live("reads what the runner really writes", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const execute: Execute = Effect.fnUntraced(function* () {
        const { emit, sleep, step } = yield* Step
        yield* step("say", Schema.String, Effect.as(Effect.andThen(emit(progress("now")), emit(output("hi"))), "said"))
        yield* sleep("pause", 10)
        const flaky = Effect.gen(function* () {
          const { attempt } = yield* CurrentStep
          if (attempt === 1) return yield* new ExecutorError({ reason: "unavailable", detail: "not yet" })
          return attempt
        })
        yield* step("flaky", Schema.Int, flaky, { retry: { times: 2, delay: 5 }, effect: { unknown: "fail" } })
        for (let index = 0; index < 4; index++) yield* step(`s${index}`, Schema.Void, Effect.void)
        const broken: Effect.Effect<void> = Effect.die(new Error("a bug"))
        yield* Effect.ignoreCause(step("broken", Schema.Void, broken))
        return new TaskOutput({ text: "done" })
      })
      const taskId = yield* boot(file, { execute }, Effect.tap(submit("m"), result), { maxSteps: 5 })
      const rows = yield* Effect.gen(function* () {
        const journal = yield* Journal
        const streams = [taskId, `${taskId}/0`, `${taskId}/1`]
        return (yield* Effect.forEach(streams, (stream) => journal.read(stream))).flat()
      }).pipe(Effect.provide(journalAt(file)))
      const items = timeline(rows)
      assert.deepStrictEqual(items.flatMap(tell), [
        "say 1 completed",
        "pause provided",
        "flaky 1 failed",
        "retry/flaky/1 provided",
        "flaky 2 completed",
        "s0 1 completed",
        "s1 1 completed",
        "segment 1",
        "s2 1 completed",
        "s3 1 completed",
        "broken 1 failed"
      ])
      const [say, flaky] = steps(items)
      assert.strictEqual(say?.result, `"said"`)
      assert.deepInclude(flaky, { effect: `${taskId}/flaky`, error: "unavailable: not yet" })
      assert.include(Option.fromUndefinedOr(steps(items).at(-1)?.error).pipe(Option.getOrElse(() => "")), "a bug")
      assert.deepInclude(
        items.find(({ kind }) => kind === "said"),
        { pieces: 1, characters: 2, notes: 1, lastNote: "now" }
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
