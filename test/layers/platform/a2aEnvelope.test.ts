import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { errorText, isRpcError, normalise } from "../../../src/layers/platform/a2aEnvelope.ts"
import { depthOf, maxDepth } from "../../../src/layers/platform/requestBody.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

const ids = { request: "R", message: "M" }
const sent = (text: string) => Option.getOrUndefined(normalise(text, ids))?.text

describe("a2aEnvelope", () => {
  const untouched = [
    '{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}',
    '{ "jsonrpc": "2.0", "params": { "message": { "messageId": "m", "n": 1.00 } } }',
    '{"jsonrpc":null}',
    '{"jsonrpc":"2.0","params":{"message":{"messageId":null}}}',
    '{"jsonrpc":"2.0","params":[{"message":{}}]}',
    '{"jsonrpc":"2.0","params":{"message":"text"}}'
  ]
  for (const text of untouched) it(`goes on as it came: ${text}`, () => assert.strictEqual(sent(text), text))

  const changed: ReadonlyArray<readonly [string, string]> = [
    [
      '{"method":"m","params":{"a":12345678901234567890},"id":7,"other":1}',
      '{"jsonrpc":"2.0","id":"R","method":"m","params":{"a":12345678901234567890}}'
    ],
    ["{}", '{"jsonrpc":"2.0","id":"R","method":null,"params":null}'],
    [
      '{"method":"m","params":{"message":{"role":"user"}}}',
      '{"jsonrpc":"2.0","id":"R","method":"m","params":{"message":{"role":"user","messageId":"M"}}}'
    ],
    [
      '{"jsonrpc":"2.0","id":1.10,"params":{"message":{"n":0.1e-999,"s":"<&>"},"z":-0}}',
      '{"jsonrpc":"2.0","id":1.10,"params":{"message":{"n":0.1e-999,"s":"<&>","messageId":"M"},"z":-0}}'
    ],
    [
      '{"jsonrpc":"2.0","__proto__":{"a":1},"params":{"message":{}}}',
      '{"jsonrpc":"2.0","__proto__":{"a":1},"params":{"message":{"messageId":"M"}}}'
    ]
  ]
  for (const [text, expected] of changed) it(`is completed: ${text}`, () => assert.strictEqual(sent(text), expected))

  for (const text of ["", "null", "[]", '[{"jsonrpc":"2.0"}]', "1", '"x"', "{", "\u0000"]) {
    it(`is refused: ${JSON.stringify(text)}`, () => assert.isUndefined(sent(text)))
  }

  it.prop("any text is refused or becomes a JSON object with jsonrpc", [Schema.String], ([text]) => {
    const result = sent(text)
    return result === undefined || Object.hasOwn(JSON.parse(result), "jsonrpc")
  })

  it.prop(
    "any JSON object keeps its method and its params",
    [Schema.Record(Schema.String, Schema.Json)],
    ([params]) => {
      if (!keysAreRead(params)) return true
      const result = sent(JSON.stringify({ method: "m", params: { ...params, message: 0 } }))
      const expected = { jsonrpc: "2.0", id: "R", method: "m", params: { ...params, message: 0 } }
      return result !== undefined && JSON.stringify(JSON.parse(result)) === JSON.stringify(expected)
    }
  )

  it("knows errors of JSON-RPC and plain ones", () => {
    assert.isTrue(isRpcError('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}'))
    assert.isFalse(isRpcError('{"error":{"code":1}}'))
    assert.isFalse(isRpcError("<html>"))
    assert.strictEqual(errorText('{"error":"no"}'), "no")
    assert.isUndefined(errorText('{"error":{}}'))
    assert.isUndefined(errorText("["))
  })
})

describe("the depth of JSON", () => {
  it("counts brackets, not what is in strings", () => {
    assert.strictEqual(depthOf("1"), 0)
    assert.strictEqual(depthOf('{"a":[{}]}'), 3)
    assert.strictEqual(depthOf('"[[[[\\"[["'), 0)
    assert.isAbove(depthOf("[".repeat(1_000_000)), maxDepth)
  })
})
