import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { createHmac } from "node:crypto"
import { headersOf, send } from "../../../src/layers/a2a/pushRequest.ts"
import type { KeptConfig } from "../../../src/services/a2a/PushConfigs.ts"

const kept: KeptConfig = { id: "c", taskId: "t", url: "https://a.test/" }
const headers = (more: Partial<KeptConfig>) =>
  headersOf({ at: 1_767_225_600_999, body: "{}", config: { ...kept, ...more }, id: "t-1", version: "1.0" })
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

describe("the body of a push", () => {
  it.effect("is plain JSON for receivers of 0.3, and a2a+json for those of 1.0", () =>
    Effect.gen(function* () {
      const types: Array<string | undefined> = []
      const client = HttpClient.make((request) => {
        types.push("contentType" in request.body ? request.body.contentType : undefined)
        return Effect.succeed(HttpClientResponse.fromWeb(request, new Response()))
      })
      for (const version of ["0.3", "1.0"] as const) {
        const notification = { at: 0, body: "{}", config: kept, id: "t-1", version }
        const answer = yield* Effect.provideService(send(notification), HttpClient.HttpClient, client)
        assert.strictEqual(answer._tag, "Taken")
      }
      assert.deepStrictEqual(types, ["application/json", "application/a2a+json"])
    })
  )
})
