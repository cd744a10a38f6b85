import { assert, describe, it } from "@effect/vitest"
import { displayWidth } from "effect/cli/CliOutput"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { clean, cleanLines, duration, exactTime, table, time } from "../../../src/layers/local/textTable.ts"

describe("textTable", () => {
  it("aligns columns by what a terminal shows of them", () => {
    assert.strictEqual(
      table(
        ["A", "B"],
        [
          ["ファイル", "x"],
          ["y", ""]
        ]
      ),
      ["A         B", "ファイル  x", "y"].join("\n")
    )
  })

  it.prop(
    "nothing that was written elsewhere can move the cursor or break a line",
    { text: Schema.String },
    ({ text }) => {
      const hostile = `\u001b[2J\u202e${text}\n\u009b31m`
      assert.notMatch(clean(hostile, 40), /\p{Cc}|\u202e/u)
      assert.isAtMost(clean(hostile, 40).length, 40)
      assert.isTrue(clean(hostile, 5).isWellFormed() || !text.isWellFormed())
      assert.notMatch(cleanLines(hostile), /(?![\n\t])\p{Cc}|\u202e/u)
      assert.isAbove(displayWidth(clean(hostile, 40)), 0)
    }
  )

  it("tells durations in two units, and times in UTC", () => {
    const told = [0, 999, 1000, 59_999, 60_000, 3_599_000, 7_380_000, 86_400_000, 532_800_000].map(duration)
    const expected = ["0 ms", "999 ms", "1 s", "59.9 s", "1 min", "59 min 59 s", "2 h 3 min", "1 d", "6 d 4 h"]
    assert.deepStrictEqual(told, expected)
    const at = DateTime.makeUnsafe(1_795_471_139_574)
    assert.strictEqual(time(at), "2026-11-23 21:58:59Z")
    assert.strictEqual(exactTime(at), "2026-11-23 21:58:59.574")
  })
})
