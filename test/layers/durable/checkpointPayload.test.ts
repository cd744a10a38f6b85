import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as CheckpointPayload from "../../../src/layers/durable/checkpointPayload.ts"
import * as SecretText from "../../../src/layers/durable/secretText.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

const of = (secrets: Record<string, string>) =>
  SecretText.make({
    values: new Map(Object.entries(secrets).map(([name, value]) => [name, Redacted.make(value)] as const))
  })
const origin = { epoch: "e9", position: 7 }
const seal = (secrets: SecretText.SecretText, content: CheckpointPayload.Content) =>
  CheckpointPayload.seal(secrets, { ...content, workflowId: "task", stepIndex: 3 }, origin)

/** As Postgres keeps JSONB: keys by length, then by bytes; numbers as decimals; no NUL and no half pairs. */
const jsonb = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") {
    if (value.includes("\u0000") || !value.isWellFormed()) throw new Error("unsupported Unicode escape sequence")
    return value
  }
  if (typeof value === "number") return Number(`${value}`) === value ? Number(value.toPrecision(15)) : value
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(jsonb)
  const entries = Object.entries(value).toSorted(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [jsonb(name), jsonb(inner)]))
}

describe("checkpointPayload", () => {
  it("shows the fields, and keeps beside them what is exact", () => {
    const payload = { task_id: "t-1", status: "received", text: "use sk-12345678 for it", version: 1 }
    const sealed = Result.getOrThrow(seal(of({ KEY: "sk-12345678" }), { stepName: "s", payload }))
    assert.deepStrictEqual(sealed, {
      stepName: "s",
      payload: {
        task_id: "t-1",
        status: "received",
        text: "use {{secret:KEY}} for it",
        version: 1,
        v: 1,
        exact: '{"task_id":"t-1","status":"received","text":"use {{secret:KEY}} for it","version":1}',
        at: "e9/7"
      }
    })
  })

  it("cuts what is long in what is shown, and keeps it in what is exact", () => {
    const payload = { text: "x".repeat(100_000), list: Array.from({ length: 5000 }, () => 1), short: true }
    const sealed = Result.getOrThrow(seal(of({}), { stepName: "s", payload }))
    assert.isBelow(JSON.stringify(sealed).length, 112_000)
    const exact = JSON.stringify(payload)
    assert.deepStrictEqual(sealed.payload, { text: `${"x".repeat(1000)}…`, short: true, v: 1, at: "e9/7", exact })
    assert.deepStrictEqual(
      Result.map(CheckpointPayload.open(of({}), sealed), (opened) => opened.payload),
      Result.succeed(payload)
    )
  })

  it("a payload's own fields of the form's names are in what is exact only", () => {
    const payload = { v: "mine", exact: [1], at: { here: true }, other: 1 }
    const sealed = Result.getOrThrow(seal(of({}), { stepName: "s", payload }))
    assert.deepStrictEqual(
      Result.map(CheckpointPayload.open(of({}), sealed), (opened) => opened.payload),
      Result.succeed(payload)
    )
  })

  it("refuses to open what it does not understand, and says why", () => {
    const open = (payload: Schema.Json) => CheckpointPayload.open(of({}), { stepName: "s", payload })
    for (const payload of [null, "text", {}, { v: 2, exact: "1" }, { v: 1, exact: "{" }, { v: 1, exact: "~300" }]) {
      assert.isTrue(Result.isFailure(open(payload)))
    }
    const unknown = Result.flip(open({ v: 1, exact: '"{{secret:GONE}}"' }))
    assert.match(Result.getOrThrow(unknown), /GONE.*MOLECULE_SECRETS/)
  })

  it("a secret that is part of the form itself goes nowhere", () => {
    const sealed = seal(of({ ODD: '"exact":"' }), { stepName: "s", payload: 1 })
    assert.isTrue(Result.isFailure(sealed))
    for (const value of ["{{secret:", "secret:ODD", '{"text":"', "e9/7}}}}}", "12345678"]) {
      const secrets = of({ ODD: value })
      const payload = { text: `a ${value} b {{secret:ODD}}`, n: 12345678 }
      const odd = Result.getOrThrow(seal(secrets, { stepName: "s", payload }))
      assert.notInclude(JSON.stringify(odd), value)
      assert.deepStrictEqual(
        Result.map(CheckpointPayload.open(secrets, odd), (opened) => opened.payload),
        Result.succeed(payload)
      )
    }
  })

  const Piece = Schema.Literals([
    "{{secret:",
    "}}",
    "hunter22",
    "\u0000",
    "\ud800",
    "\\",
    '"',
    "\n",
    "1234",
    "A",
    "e9/7"
  ])
  const Value = Schema.Array(Piece).check(Schema.isMinLength(1), Schema.isMaxLength(5))

  /** Puts the texts into the places of a JSON value: keys, texts, and texts that hold JSON. */
  const plant = (value: Schema.Json, texts: ReadonlyArray<string>, seed = { next: 0 }): Schema.Json => {
    const text = () => texts[seed.next++ % texts.length] ?? ""
    if (typeof value === "string") return `${value}${text()}${JSON.stringify({ [text()]: text() })}`
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) return value.map((item) => plant(item, texts, seed))
    // V8 13.6 (Node 24) reads the key "a\n" as "a\\" after it has read an object with that key: no backslashes in keys.
    const keyOf = (name: string) => `${name}${text()}`.replaceAll("\\", "/")
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [keyOf(name), plant(inner, texts, seed)]))
  }

  it.prop(
    "any JSON with any secrets in it comes back through any JSONB, and no secret is in what is sent",
    [Schema.Json, Value, Value, Schema.String],
    ([json, a, b, stepName]) => {
      const values = [a.join("").toWellFormed(), b.join("").toWellFormed(), "12345678"]
      const secrets = of({ A: values[0] ?? "", B: values[1] ?? "", PIN: values[2] ?? "" })
      const payload = plant([json, { "": json, number: 12345678.5 }], [...values, "plain"])
      const sealed = seal(secrets, { stepName: `${stepName}${values[0]}`, payload })
      if (Result.isFailure(sealed) || !keysAreRead([payload, sealed.success])) return
      const { payload: sentPayload, stepName: step_name } = sealed.success
      const sent = JSON.stringify({ workflow_id: "task", step_name, step_index: 3, payload: sentPayload })
      for (const value of values) if (value.length >= 8) assert.notInclude(sent, value)
      const kept = { ...sealed.success, payload: jsonb(JSON.parse(JSON.stringify(sealed.success.payload))) }
      const opened = Result.getOrThrow(CheckpointPayload.open(secrets, kept))
      assert.strictEqual(JSON.stringify(opened.payload), JSON.stringify(payload))
      assert.strictEqual(opened.stepName, `${stepName}${values[0]}`)
    },
    { arbitrary: { runs: 300 } }
  )
})
