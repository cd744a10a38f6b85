import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SecretText from "../../../src/layers/durable/secretText.ts"

const of = (secrets: Record<string, string>) =>
  SecretText.make({
    values: new Map(Object.entries(secrets).map(([name, value]) => [name, Redacted.make(value)] as const))
  })

describe("secretText", () => {
  it("puts the name in the value's place", () => {
    const { hide, reveal } = of({ API_KEY: "sk-12345678", SHORT: "short" })
    const hidden = hide("curl -H 'key: sk-12345678' short", 0)
    assert.strictEqual(hidden, "curl -H 'key: {{secret:API_KEY}}' short")
    assert.deepStrictEqual(reveal(hidden, 0), Result.succeed("curl -H 'key: sk-12345678' short"))
  })

  it("finds a value in JSON, also where the JSON is a text in JSON", () => {
    const value = 'line one\nline "two"'
    const secrets = of({ KEY: value })
    const nested = JSON.stringify({ plain: value, body: JSON.stringify({ value }) })
    const hidden = secrets.hide(nested, 1)
    assert.isFalse(secrets.leaks(hidden))
    assert.strictEqual(hidden, String.raw`{"plain":"{{secret:KEY}}","body":"{\"value\":\"{{secret:KEY:1}}\"}"}`)
    assert.deepStrictEqual(secrets.reveal(hidden, 1), Result.succeed(nested))
  })

  it("takes the longest of those that begin together, and the first of those that overlap", () => {
    const secrets = of({ SHORT: "abcdefgh", LONG: "abcdefghij", LATER: "ghijklmn" })
    assert.strictEqual(
      secrets.hide("abcdefghij abcdefgh ghijklmn", 0),
      "{{secret:LONG}} {{secret:SHORT}} {{secret:LATER}}"
    )
    assert.strictEqual(secrets.hide("abcdefghijklmn", 0), "{{secret:LONG}}klmn")
  })

  it("tells which name it does not know", () => {
    const hidden = of({ A: "first-value", B: "second-value" }).hide("first-value second-value", 0)
    assert.deepStrictEqual(of({ A: "first-value" }).reveal(hidden, 0), Result.fail("B"))
  })

  it("puts back the value of today: a secret may have been replaced meanwhile", () => {
    const hidden = of({ A: "old-value" }).hide("old-value!", 0)
    assert.deepStrictEqual(of({ A: "new-value" }).reveal(hidden, 0), Result.succeed("new-value!"))
  })

  it("a text that looks like a reference comes back too where no secret is known, and where one is known since", () => {
    const text = "{{secret:A}} {{secret!:A}}"
    const none = of({})
    assert.deepStrictEqual(none.reveal(none.hide(text, 0), 0), Result.succeed(text))
    assert.deepStrictEqual(of({ A: "first-value" }).reveal(none.hide(text, 0), 0), Result.succeed(text))
  })

  // Pieces of what references are made of, so that texts and values come close to them.
  const Piece = Schema.Literals([
    "{{secret:",
    "{{secret!:",
    "{{secret",
    "}}",
    "{",
    "!",
    ":",
    "A",
    "B",
    "\\",
    '"',
    "\n",
    "hunter22",
    "sk-12345678"
  ])
  const Text = Schema.Array(Schema.Union([Piece, Schema.String]))
  const Value = Schema.Array(Piece).check(Schema.isMinLength(1), Schema.isMaxLength(4))
  it.prop(
    "whatever the text and the values, it comes back as it was",
    [Text, Value, Value, Schema.Literals([0, 1])],
    ([pieces, a, b, depth]) => {
      const secrets = of({ A: a.join(""), B: b.join(""), "odd }}: name": "sk-12345678" })
      const text = pieces.map((piece, index) => (index % 3 === 2 ? a.join("") : piece)).join("")
      const written = depth === 0 ? text : JSON.stringify(text)
      assert.deepStrictEqual(secrets.reveal(secrets.hide(written, depth), depth), Result.succeed(written))
    },
    { arbitrary: { runs: 300 } }
  )
})
