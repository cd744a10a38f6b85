import { assert, describe, it } from "@effect/vitest"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/testing/TestClock"
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose"
import * as CallerVerifierJwt from "../../../src/layers/a2a/CallerVerifierJwt.ts"
import { callerTokenIssuer } from "../../../src/services/a2a/CallerToken.ts"
import { CallerVerifier } from "../../../src/services/a2a/CallerVerifier.ts"
import { PlatformApi } from "../../../src/services/platform/PlatformApi.ts"
import { PlatformClient } from "../../../src/services/platform/PlatformClient.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"
import { workspaceId } from "../../support/agent.ts"

const newKey = (kid: string) =>
  Effect.promise(() => generateKeyPair("EdDSA", { extractable: true })).pipe(
    Effect.flatMap(({ privateKey, publicKey }) =>
      Effect.map(
        Effect.promise(() => exportJWK(publicKey)),
        (jwk) => ({
          privateKey,
          kid,
          jwk: { ...jwk, kid, alg: "EdDSA", use: "sig" }
        })
      )
    )
  )
type Key = Effect.Success<ReturnType<typeof newKey>>

const sign = (
  key: Pick<Key, "privateKey" | "kid">,
  claims: { readonly aud?: string; readonly iss?: string; readonly exp?: number; readonly sub?: string } = {}
) =>
  Effect.promise(() =>
    new SignJWT({
      ...("sub" in claims ? {} : { sub: "alice" }),
      ...claims,
      iat: 0,
      exp: claims.exp ?? 60,
      iss: claims.iss ?? callerTokenIssuer,
      aud: claims.aud ?? workspaceId
    })
      .setProtectedHeader({ alg: "EdDSA", kid: key.kid })
      .sign(key.privateKey)
  ).pipe(Effect.map((token) => Option.some(Redacted.make(token))))

// The platform: whatever keys the test gives it, counting how often it is asked.
const verifierWith = Effect.fnUntraced(function* (keys: Ref.Ref<ReadonlyArray<JWK>>, asked: Ref.Ref<number>) {
  const Transport = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.gen(function* () {
        yield* Ref.update(asked, (n) => n + 1)
        const body = JSON.stringify({ keys: yield* Ref.get(keys) })
        return HttpClientResponse.fromWeb(
          request,
          new Response(body, { headers: { "content-type": "application/json" } })
        )
      })
    )
  )
  const Client = Layer.effect(PlatformClient, HttpApiClient.make(PlatformApi, { baseUrl: "http://platform" })).pipe(
    Layer.provide(Transport)
  )
  const Config = Layer.succeed(PlatformConfig, { platformUrl: "http://platform", workspaceId, stateDirectory: "/" })
  const context = yield* Layer.build(CallerVerifierJwt.layer.pipe(Layer.provide(Client), Layer.provide(Config)))
  return yield* Effect.provideContext(CallerVerifier, context)
})

describe("CallerVerifierJwt", () => {
  it.effect("takes a token that the platform signed for this workspace, and names the caller", () =>
    Effect.gen(function* () {
      const key = yield* newKey("k1")
      const asked = yield* Ref.make(0)
      const verifier = yield* verifierWith(yield* Ref.make<ReadonlyArray<JWK>>([key.jwk]), asked)
      assert.strictEqual(yield* verifier.verify(yield* sign(key)), "alice")
      assert.strictEqual(yield* verifier.verify(yield* sign(key, { sub: "admin" })), "admin")
      assert.strictEqual(yield* Ref.get(asked), 1)
    })
  )

  it.effect("refuses every token that is not exactly that", () =>
    Effect.gen(function* () {
      const key = yield* newKey("k1")
      const forger = yield* newKey("k1")
      const verifier = yield* verifierWith(yield* Ref.make<ReadonlyArray<JWK>>([key.jwk]), yield* Ref.make(0))
      const refused = Effect.fnUntraced(function* (token: Option.Option<Redacted.Redacted>, why: string) {
        const error = yield* Effect.flip(verifier.verify(token))
        assert.strictEqual(error._tag, "CallerRefused", why)
      })
      yield* refused(Option.none(), "no token")
      yield* refused(Option.some(Redacted.make("a.b.c")), "not a JWT")
      yield* refused(yield* sign(forger), "another key under the same name")
      yield* refused(yield* sign(key, { aud: "another workspace" }), "audience")
      yield* refused(yield* sign(key, { iss: "somebody" }), "issuer")
      const unsigned = `${btoa(JSON.stringify({ alg: "none" }))}.${btoa(JSON.stringify({ sub: "alice" }))}.`
      yield* refused(Option.some(Redacted.make(unsigned)), "alg none")
      const good = yield* sign(key)
      yield* TestClock.adjust(Duration.seconds(64))
      assert.strictEqual(yield* verifier.verify(good), "alice")
      yield* TestClock.adjust(Duration.seconds(2))
      yield* refused(good, "expired")
    })
  )

  it.effect("asks for new keys when it meets an unknown one, but not at a forger's pace", () =>
    Effect.gen(function* () {
      const old = yield* newKey("old")
      const fresh = yield* newKey("fresh")
      const keys = yield* Ref.make<ReadonlyArray<JWK>>([old.jwk])
      const asked = yield* Ref.make(0)
      const verifier = yield* verifierWith(keys, asked)
      assert.strictEqual(yield* verifier.verify(yield* sign(old)), "alice")
      yield* Ref.set(keys, [fresh.jwk])
      yield* TestClock.adjust(Duration.seconds(11))
      assert.strictEqual(yield* verifier.verify(yield* sign(fresh)), "alice")
      assert.strictEqual(yield* Ref.get(asked), 2)
      for (let i = 0; i < 5; i++) yield* Effect.flip(verifier.verify(yield* sign({ ...fresh, kid: `forged-${i}` })))
      assert.strictEqual(yield* Ref.get(asked), 2)
    })
  )
})
