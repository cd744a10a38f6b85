import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as CommandOutput from "../../../src/layers/agent/commandOutput.ts"

const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
const encode = (text: string) => new TextEncoder().encode(text)

/** Text of characters of one to four bytes, so that every boundary is met. */
const Mixed = Schema.Array(Schema.Literals(["a", "é", "€", "😀", "\n", "\0", "\uFEFF"])).check(Schema.isMaxLength(40))
const Bytes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))).check(
  Schema.isMaxLength(60)
)
const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))

const pieces = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

describe("commandOutput", () => {
  it.prop("is the same text however the bytes are cut", { bytes: Bytes, size: Size }, ({ bytes, size }) => {
    const whole = Uint8Array.from(bytes)
    const text = CommandOutput.makeText(1000)
    const said = pieces(whole, size).map((piece) => {
      const { over, text: added } = text.add(piece)
      assert.isFalse(over)
      return added
    })
    assert.strictEqual(said.join("") + text.end(), decode(whole))
    assert.strictEqual(text.all(), decode(whole))
  })

  it.prop(
    "takes the beginning up to the limit, and says so",
    { chars: Mixed, size: Size, limit: Size },
    ({ chars, limit, size }) => {
      const whole = encode(chars.join(""))
      const text = CommandOutput.makeText(limit)
      let isOver = false
      for (const piece of pieces(whole, size)) isOver = text.add(piece).over || isOver
      assert.strictEqual(isOver, whole.length > limit)
      assert.isTrue(chars.join("").startsWith(text.all()))
      assert.isAtMost(encode(text.all()).length, limit)
    }
  )

  it.prop("keeps the end in whole characters", { chars: Mixed, size: Size, limit: Size }, ({ chars, limit, size }) => {
    const whole = encode(chars.join(""))
    const tail = CommandOutput.makeTail(limit)
    for (const piece of pieces(whole, size)) tail.add(piece)
    const kept = encode(tail.text())
    assert.isTrue(chars.join("").endsWith(tail.text()))
    assert.isAtMost(kept.length, limit)
    assert.isAbove(kept.length, Math.min(limit, whole.length) - 4)
  })

  it.prop("keeps no more than asked of bytes that are no text", { bytes: Bytes, limit: Size }, ({ bytes, limit }) => {
    const tail = CommandOutput.makeTail(limit)
    tail.add(Uint8Array.from(bytes))
    assert.isAtMost(encode(tail.text()).length, limit)
  })
})
