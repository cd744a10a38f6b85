import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Cursor from "../../../src/services/durable/Cursor.ts"

describe("Cursor", () => {
  it.effect.prop("every cursor is one text, from which it comes back", [Cursor.Cursor], ([cursor]) =>
    Effect.gen(function* () {
      const text = Cursor.format(cursor)
      assert.deepStrictEqual(yield* Cursor.parse("x", text), cursor)
      assert.strictEqual(yield* Schema.encodeEffect(Cursor.CursorText)(cursor), text)
    })
  )

  it.effect.prop(
    "a text that is read as a cursor is the one that the cursor has",
    [Schema.Union([Schema.String, Cursor.CursorText.from])],
    ([text]) =>
      Effect.map(Effect.option(Cursor.parse("x", text)), (read) =>
        assert.isTrue(Option.isNone(read) || Cursor.format(read.value) === text)
      )
  )

  it.effect("what is no cursor is an error that names its field", () =>
    Effect.gen(function* () {
      const bad = [
        "",
        "-",
        "7",
        "abc",
        "abc-",
        "-7",
        "abc-07",
        "abc-+7",
        "abc--7",
        "abc-7 ",
        " abc-7",
        "abc-7\n",
        "abc-1.5",
        "abc-1e3",
        "a b-7",
        "a-b-7",
        "abc-9007199254740992",
        "abc-99999999999999999",
        `${"a".repeat(65)}-7`,
        "äbc-7",
        "abc-٧",
        7,
        null,
        { epoch: "abc", sequence: 7 }
      ]
      for (const value of bad) {
        const error = yield* Effect.flip(Cursor.parse("Last-Event-ID", value))
        assert.strictEqual(error._tag, "CursorInvalid")
        assert.strictEqual(error.field, "Last-Event-ID")
        assert.include(error.message, "Last-Event-ID")
      }
      assert.deepStrictEqual(yield* Cursor.parse("x", "abc-9007199254740991"), {
        epoch: "abc",
        sequence: Number.MAX_SAFE_INTEGER
      })
    })
  )
})
