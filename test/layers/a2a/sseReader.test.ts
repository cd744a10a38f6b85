import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as SseReader from "../../../src/layers/a2a/sseReader.ts"

const read = (pieces: ReadonlyArray<string>, limit = 1_000_000) => {
  const reader = SseReader.make(limit)
  const events: Array<SseReader.SseEvent> = []
  for (const piece of pieces) {
    const found = reader.push(piece)
    if (found === undefined) return undefined
    events.push(...found)
  }
  return events
}

// Cuts a text at the given places, which are taken modulo its length.
const cutAt = (text: string, places: ReadonlyArray<number>) => {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  const pieces: Array<string> = []
  let from = 0
  for (const place of sorted) {
    pieces.push(text.slice(from, place))
    from = place
  }
  return [...pieces, text.slice(from)]
}

const Line = Schema.String.check(Schema.isPattern(/^[^\r\n]*$/))
const Nat = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))
const Written = Schema.Struct({
  data: Schema.NonEmptyArray(Line),
  id: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[a-z0-9:.-]*$/))),
  event: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[a-z]+$/))),
  comment: Schema.optionalKey(Line),
  space: Schema.Boolean
})
// Not CR and LF mixed: one after the other is one end.
const styles = [["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\r\n", "\r"]] as const
const Style = Schema.Literals([0, 1, 2, 3, 4])

describe("sseReader", () => {
  it.prop(
    "reads what was written, wherever it is cut and however its lines end",
    { events: Schema.Array(Written), style: Style, cuts: Schema.Array(Nat), mark: Schema.Boolean },
    ({ cuts, events, mark, style }) => {
      const ends = styles[style]
      let n = 0
      const line = (text: string) => `${text}${ends[n++ % ends.length]}`
      let lastId: string | undefined
      let text = mark ? "\uFEFF" : ""
      const wanted = events.map(({ comment, data, event, id, space }) => {
        const gap = space ? " " : ""
        if (comment !== undefined) text += line(`:${comment}`)
        if (id !== undefined) text += line(`id:${gap}${id}`)
        if (event !== undefined) text += line(`event:${gap}${event}`)
        // Without the space one that belongs to the value would be lost.
        for (const piece of data) text += line(`data:${space || piece.startsWith(" ") ? " " : ""}${piece}`)
        text += line("")
        lastId = id ?? lastId
        return {
          data: data.join("\n"),
          ...(event !== undefined && { event }),
          ...(lastId !== undefined && { id: lastId })
        }
      })
      assert.deepStrictEqual(read(cutAt(text, cuts)), wanted)
    }
  )

  it("keeps to the standard's corners", () => {
    assert.deepStrictEqual(read(["data", "\n\n", "data:\n\n", "\n\n"]), [{ data: "" }, { data: "" }])
    assert.deepStrictEqual(read(["id: 7\nretry: 3000\nnonsense\n\ndata: a\n\ndata: b"]), [{ data: "a", id: "7" }])
    assert.deepStrictEqual(read(["id: a\0b\ndata: x\r", "\n\r", "\n"]), [{ data: "x" }])
    assert.deepStrictEqual(read(["id: 1\ndata: x\n\nid\ndata: y\n\n"]), [
      { data: "x", id: "1" },
      { data: "y", id: "" }
    ])
  })

  it("holds no more than its limit, in lines or over lines", () => {
    assert.isUndefined(read(["data: ", "x".repeat(100)], 100))
    assert.isUndefined(read([`data: ${"x".repeat(60)}\n`, `data: ${"x".repeat(60)}\n`], 100))
    assert.isUndefined(read([`: ${"x".repeat(200)}`], 100))
    assert.strictEqual(
      read(
        Array.from({ length: 1000 }, () => ": keep-alive\n"),
        100
      )?.length,
      0
    )
    assert.strictEqual(
      read(
        Array.from({ length: 1000 }, () => "data: x\n\n"),
        100
      )?.length,
      1000
    )
  })
})
