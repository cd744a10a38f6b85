import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DatabaseSync } from "node:sqlite"
import * as CheckpointProjection from "../../../src/layers/journal/checkpointProjection.ts"
import * as JournalCare from "../../../src/layers/journal/journalCare.ts"
import { Journal, type JournalEntry, type JournalRecord } from "../../../src/services/durable/Journal.ts"
import { allProjections, journalAt } from "../durable/checkpointFixtures.ts"
import { temporaryFile } from "../../support/journal.ts"

const workspaceId = "w"
const saved = (workflowId: string, stepName: string, size = 0, known = false): JournalRecord => ({
  _tag: "CheckpointSaved",
  workspaceId,
  workflowId,
  stepName,
  stepIndex: 0,
  // Its JSON has as many bytes as asked for, and two at least.
  payload: "x".repeat(Math.max(0, size - 2)),
  ...(known ? { known: true } : undefined)
})
const cleared = (workflowId: string): JournalRecord => ({ _tag: "CheckpointsCleared", workspaceId, workflowId })

/** The projection alone, fed with records; a workflow's stream has the name of its task. */
const project = (records: ReadonlyArray<JournalRecord>) => {
  const database = new DatabaseSync(":memory:")
  for (const statement of CheckpointProjection.projection.schema) database.exec(statement)
  const apply = CheckpointProjection.projection.prepare(database)
  const streams: Array<string> = []
  records.forEach((record, index) => {
    const task = "workflowId" in record ? (record.workflowId.split("/")[0] ?? "") : "~"
    if (!streams.includes(task)) streams.push(task)
    apply({
      position: index + 1,
      sequence: index + 1,
      stream: task,
      streamNumber: streams.indexOf(task),
      at: 1000 * (index + 1),
      record
    })
  })
  const outbox = database
    .prepare(
      `SELECT position || IIF(clears, ' clear ' || workflow_id, ' ' || workflow_id || ':' || step_name)
        || COALESCE(' since ' || since, '') AS text
      FROM checkpoint_outbox ORDER BY position`
    )
    .all()
    .map(({ text }) => text)
  const alarm = database.prepare("SELECT position, at FROM checkpoint_alarm").all()
  const current = database
    .prepare("SELECT position FROM checkpoints ORDER BY position")
    .all()
    .map(({ position }) => position)
  database.close()
  return { outbox, alarm: alarm.map((row) => ({ ...row })), current }
}
const compacted = (upTo: number, keepEntries = 1000, keepBytes = 1e9): JournalRecord => ({
  _tag: "OutboxCompacted",
  upTo,
  keepEntries,
  keepBytes
})

describe("checkpointProjection", () => {
  it("a repeat takes the step's place, and both are sent", () => {
    const { current, outbox } = project([saved("t", "a"), saved("t", "b"), saved("t", "a")])
    assert.deepStrictEqual(current, [2, 3])
    assert.deepStrictEqual(outbox, ["1 t:a", "2 t:b", "3 t:a"])
  })

  it("what came from the platform is not sent there", () => {
    const { current, outbox } = project([saved("t", "a", 0, true), saved("t", "b")])
    assert.deepStrictEqual(current, [1, 2])
    assert.deepStrictEqual(outbox, ["2 t:b"])
  })

  it("what was forwarded or refused waits no more", () => {
    const { current, outbox } = project([
      saved("t", "a"),
      saved("t", "b"),
      saved("t", "c"),
      { _tag: "CheckpointsForwarded", upTo: 1 },
      { _tag: "CheckpointRefused", position: 3, detail: "no" }
    ])
    assert.deepStrictEqual(current, [1, 2, 3])
    assert.deepStrictEqual(outbox, ["2 t:b"])
  })

  it("compaction leaves the newest of each step and of each clear", () => {
    const { outbox } = project([
      saved("t", "a"),
      saved("t", "b"),
      saved("t", "a"),
      cleared("u"),
      saved("u", "a"),
      cleared("u"),
      saved("u", "b"),
      compacted(7)
    ])
    assert.deepStrictEqual(outbox, ["2 t:b", "3 t:a", "6 clear u", "7 u:b"])
  })

  it("of a finished task it leaves the result, of the steps of another one row for all of them", () => {
    const { outbox } = project([
      saved("done", "task_receive"),
      saved("done/llm_call", "turn-1"),
      saved("open", "task_receive"),
      saved("open/llm_call", "turn-1"),
      saved("done/llm_call", "turn-2"),
      saved("open/llm_call", "turn-2"),
      saved("done", "llm_call"),
      saved("done", "task_complete"),
      saved("open/llm_call", "turn-3"),
      saved("lone/llm_call", "turn-1"),
      compacted(10)
    ])
    assert.deepStrictEqual(outbox, [
      "3 open:task_receive",
      "7 done:llm_call",
      "8 done:task_complete",
      "9 open/llm_call:turn-3 since 4",
      "10 lone/llm_call:turn-1"
    ])
  })

  it("a second compaction widens the snapshot, and leaves alone what came after it", () => {
    const { outbox } = project([
      saved("t/llm_call", "turn-1"),
      saved("t/llm_call", "turn-2"),
      compacted(2),
      saved("t/llm_call", "turn-2"),
      saved("t/llm_call", "turn-3"),
      saved("t/llm_call", "turn-4"),
      compacted(5)
    ])
    assert.deepStrictEqual(outbox, ["5 t/llm_call:turn-3 since 1", "6 t/llm_call:turn-4"])
  })

  it("where that is too much, the oldest answers of finished tasks go, then their ends, and nothing else", () => {
    const tasks = ["a", "b", "c"].flatMap((task) => [saved(task, "llm_call", 100), saved(task, "task_complete", 10)])
    const all = [saved("open", "task_receive", 500), ...tasks]
    assert.deepStrictEqual(project([...all, compacted(7, 5)]).outbox, [
      "1 open:task_receive",
      "3 a:task_complete",
      "5 b:task_complete",
      "6 c:llm_call",
      "7 c:task_complete"
    ])
    assert.deepStrictEqual(project([...all, compacted(7, 2)]).outbox, ["1 open:task_receive", "7 c:task_complete"])
    assert.deepStrictEqual(project([...all, compacted(7, 1000, 650)]).outbox, [
      "1 open:task_receive",
      "3 a:task_complete",
      "5 b:task_complete",
      "6 c:llm_call",
      "7 c:task_complete"
    ])
    assert.deepStrictEqual(project([...all, compacted(7, 0)]).outbox, ["1 open:task_receive"])
  })

  it("the alarm stands from the first compaction until what the last one left has gone out", () => {
    const rows = [saved("t", "a"), compacted(1), saved("t", "b"), compacted(3)]
    assert.deepStrictEqual(project(rows).alarm, [{ position: 3, at: 2000 }])
    assert.deepStrictEqual(project([...rows, { _tag: "CheckpointsForwarded", upTo: 2 }]).alarm, [
      { position: 3, at: 2000 }
    ])
    assert.deepStrictEqual(project([...rows, { _tag: "CheckpointsForwarded", upTo: 3 }]).alarm, [])
  })

  const Operation = Schema.Struct({
    kind: Schema.Literals(["save", "save", "save", "save", "clear", "forward", "refuse", "compact"]),
    workflow: Schema.Literals(["a", "b", "a/llm_call", "b/llm_call", "molecule~in-flight"]),
    step: Schema.Literals(["task_receive", "llm_call", "task_complete", "turn-1", "turn-2"]),
    at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
  })
  const entryOf = ({ at, kind, step, workflow }: typeof Operation.Type): JournalEntry => {
    const stream = workflow.startsWith("molecule~") ? "~checkpoints" : (workflow.split("/")[0] ?? "")
    switch (kind) {
      case "save":
        return { stream, record: saved(workflow, step, at) }
      case "clear":
        return { stream, record: cleared(workflow) }
      case "forward":
        return { stream: "~checkpoints", record: { _tag: "CheckpointsForwarded", upTo: at } }
      case "refuse":
        return { stream: "~checkpoints", record: { _tag: "CheckpointRefused", position: at, detail: "no" } }
      case "compact":
        return { stream: "~checkpoints", record: compacted(at, 3, 50) }
    }
  }
  it.effect.prop(
    "made again from the rows it is what it was",
    [Schema.Array(Operation).check(Schema.isMinLength(10))],
    ([operations]) =>
      Effect.gen(function* () {
        const filename = yield* temporaryFile
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          for (const operation of operations) yield* journal.append([entryOf(operation)])
        }).pipe(Effect.provide(journalAt(filename)))
        assert.deepStrictEqual((yield* JournalCare.check(filename, allProjections)).differing, [])
        yield* JournalCare.rebuild(filename, allProjections)
        assert.deepStrictEqual((yield* JournalCare.check(filename, allProjections)).differing, [])
      }).pipe(Effect.provide(NodeFileSystem.layer)),
    { arbitrary: { runs: 30 } }
  )
})
