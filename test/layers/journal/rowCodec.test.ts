import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { checksum, genesis } from "../../../src/layers/journal/checksum.ts"
import { codecOf, decodeExit, encodeExit } from "../../../src/layers/journal/exitCodec.ts"
import { decodeRow, encodeRecord } from "../../../src/layers/journal/rowCodec.ts"
import { JournalRecord } from "../../../src/services/durable/Journal.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

const stored = (kind: string, data: string) => {
  const covered = { stream: "s", sequence: 1, kind, at: 1, data }
  return { ...covered, position: 1, sum: checksum(genesis, covered) }
}
const bySchema = Schema.encodeEffect(Schema.fromJsonString(JournalRecord))

describe("rowCodec", () => {
  it.effect.prop(
    "writes every record as its schema says, and gives it back",
    [JournalRecord],
    ([record]) =>
      Effect.gen(function* () {
        if (!keysAreRead(record)) return
        const data = encodeRecord(record)
        assert.deepStrictEqual(JSON.parse(data), JSON.parse(yield* bySchema(record)))
        const row = decodeRow(genesis, stored(record._tag, data))
        // As text: JSON has one zero.
        assert.strictEqual(encodeRecord((yield* Effect.fromResult(row)).record), data)
      }),
    { arbitrary: { runs: 300 } }
  )

  it("content that is no record is refused, whatever its checksum says", () => {
    const bad: ReadonlyArray<readonly [kind: string, data: string]> = [
      ["ActivityCompleted", "{"],
      ["ActivityCompleted", "[]"],
      ["ActivityCompleted", `{"_tag":"ActivityCompleted","name":"a","attempt":1}`],
      ["ActivityCompleted", `{"_tag":"ActivityCompleted","name":"a","attempt":1.5,"exit":null}`],
      ["ActivityCompleted", `{"_tag":"ActivityCompleted","name":1,"attempt":1,"exit":null}`],
      ["ExecutionStarted", `{"_tag":"ExecutionStarted","workflow":"w","payload":{},"parent":null}`],
      ["ExecutionCompleted", `{"_tag":"ExecutionCompleted"}`],
      ["SegmentBegan", `{"_tag":"SegmentBegan","segment":1,"steps":[]}`],
      ["constructor", `{"_tag":"constructor"}`]
    ]
    for (const [kind, data] of bad) assert.isTrue(Result.isFailure(decodeRow(genesis, stored(kind, data))), data)
  })
})

describe("checksum", () => {
  it("a row of a journal that an earlier version wrote is known by its bits in base64url", () => {
    const row = stored("TaskReleased", `{"_tag":"TaskReleased"}`)
    const earlier = { ...row, sum: Buffer.from(row.sum, "hex").toString("base64url") }
    assert.isTrue(Result.isSuccess(decodeRow(genesis, earlier)))
    assert.isTrue(Result.isFailure(decodeRow(genesis, { ...earlier, at: 2 })))
    assert.isTrue(Result.isFailure(decodeRow("another row's", earlier)))
    assert.isTrue(Result.isFailure(decodeRow(genesis, { ...row, sum: row.sum.slice(0, 16) })))
  })
})

describe("exitCodec", () => {
  const Answer = Schema.Struct({ at: Schema.Date, note: Schema.UndefinedOr(Schema.String) })
  const workflow = Workflow.make("W", {
    payload: {},
    success: Schema.UndefinedOr(Answer),
    error: Schema.Date,
    idempotencyKey: () => ""
  })
  it.effect.prop(
    "writes the end of a workflow as the schema of exits does",
    [Schema.Exit(Schema.UndefinedOr(Answer), Schema.Date, Schema.Defect())],
    ([exit]) =>
      Effect.gen(function* () {
        if (!keysAreRead(exit)) return
        const bySchema = Schema.Exit(Schema.UndefinedOr(Answer), Schema.Date, Schema.Defect())
        const expected = yield* Schema.encodeEffect(Schema.toCodecJson(bySchema))(exit)
        assert.deepStrictEqual(yield* codecOf(workflow).encodeResult(exit), expected)
      })
  )

  it.effect.prop("gives every exit back", [Schema.Exit(Schema.Json, Schema.Json, Schema.Defect())], ([exit]) =>
    Effect.sync(() => {
      const encoded = encodeExit(exit)
      if (!keysAreRead(encoded)) return
      const again: unknown = JSON.parse(JSON.stringify(encoded))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(encodeExit(decodeExit(encoded)))), again)
    })
  )

  it("what is no JSON is a bug, and found before it is written", () => {
    assert.deepStrictEqual(encodeExit(Exit.succeed(undefined)), { _tag: "Success", value: null })
    for (const value of [new Date(), Number.NaN, { at: undefined }, [() => 1]]) {
      assert.throws(() => encodeExit(Exit.succeed(value)))
    }
  })
})
