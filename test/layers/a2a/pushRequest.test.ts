import { assert, describe, it } from "@effect/vitest"
import { createHmac } from "node:crypto"
import { headersOf } from "../../../src/layers/a2a/pushRequest.ts"
import type { KeptConfig } from "../../../src/services/a2a/PushConfigs.ts"

const kept: KeptConfig = { id: "c", taskId: "t", url: "https://a.test/" }
const headers = (more: Partial<KeptConfig>) =>
  headersOf({ at: 1_767_225_600_999, body: "{}", config: { ...kept, ...more }, id: "t-1" })
const always = { "webhook-id": "t-1", "webhook-timestamp": "1767225600" }

describe("the headers of a push", () => {
  it("carry the credentials that the configuration names, by its scheme", () => {
    const credentials = "secret"
    assert.deepStrictEqual(headers({ authentication: { scheme: "Bearer", credentials } }), {
      ...always,
      authorization: "Bearer secret"
    })
    assert.deepStrictEqual(headers({ authentication: { scheme: "Basic", credentials: "dTpw" } }), {
      ...always,
      authorization: "Basic dTpw"
    })
    // A signature, and nothing that would give the secret away.
    const signature = createHmac("sha256", credentials).update("t-1.1767225600.{}").digest("base64")
    assert.deepStrictEqual(headers({ authentication: { scheme: "HMAC-SHA256", credentials } }), {
      ...always,
      "webhook-signature": `v1,${signature}`
    })
  })

  it("carry the configuration's token, and no more than there is", () => {
    assert.deepStrictEqual(headers({}), always)
    assert.deepStrictEqual(headers({ token: "x" }), { ...always, "x-a2a-notification-token": "x" })
    assert.deepStrictEqual(headers({ authentication: { scheme: "Custom" } }), { ...always, authorization: "Custom" })
  })
})
