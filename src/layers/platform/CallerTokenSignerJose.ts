/**
 * Caller tokens signed with an Ed25519 key, by `jose`.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose"
import { callerTokenAlgorithm, callerTokenIssuer, callerTokenSeconds } from "../../services/a2a/CallerToken.ts"
import { CallerTokenSigner } from "../../services/platform/CallerTokenSigner.ts"
import { SecretFileError } from "../../services/platform/SecretFileError.ts"
import { StateDirectory } from "../../services/workspace/StateDirectory.ts"
import { readOrCreate } from "./secretFile.ts"

const Key = Schema.Struct({
  kty: Schema.Literal("OKP"),
  crv: Schema.Literal("Ed25519"),
  x: Schema.NonEmptyString,
  d: Schema.NonEmptyString,
  kid: Schema.NonEmptyString
})
const KeyFile = Schema.fromJsonString(Key)

// A key of our own making always has this form, and making one needs nothing that could be missing.
const generate = Effect.gen(function* () {
  const { privateKey } = yield* Effect.promise(() =>
    generateKeyPair(callerTokenAlgorithm, { crv: "Ed25519", extractable: true })
  )
  const jwk = yield* Effect.promise(() => exportJWK(privateKey))
  const kid = yield* Effect.promise(() => calculateJwkThumbprint(jwk))
  const key = yield* Schema.decodeUnknownEffect(Key)({ ...jwk, kid })
  return yield* Schema.encodeEffect(KeyFile)(key)
}).pipe(Effect.orDie)

const make = Effect.gen(function* () {
  const state = yield* StateDirectory
  const { path, text } = yield* readOrCreate(state.file("signing-key.json"), generate)
  const broken = (cause: unknown) =>
    new SecretFileError({
      path,
      detail: `not an Ed25519 key in JWK form (${String(cause)}): delete the file, and a new key is made; agents fetch it by themselves`
    })
  const jwk = yield* Effect.mapError(Schema.decodeEffect(KeyFile)(text), broken)
  const key = yield* Effect.tryPromise({ try: () => importJWK(jwk, callerTokenAlgorithm), catch: broken })

  return CallerTokenSigner.of({
    sign: Effect.fn("CallerTokenSigner.sign")(function* ({ audience, subject }) {
      const at = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      // Nothing can go wrong with a key that was imported and claims that are strings.
      const token = yield* Effect.promise(() =>
        new SignJWT()
          .setProtectedHeader({ alg: callerTokenAlgorithm, kid: jwk.kid, typ: "JWT" })
          .setIssuer(callerTokenIssuer)
          .setAudience(audience)
          .setSubject(subject)
          .setIssuedAt(at)
          .setExpirationTime(at + callerTokenSeconds)
          .sign(key)
      )
      return Redacted.make(token)
    }),
    publicKeys: {
      keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, kid: jwk.kid, alg: callerTokenAlgorithm, use: "sig" }]
    }
  })
})

/** The key is made at the first start and kept in `signing-key.json` of the state directory, mode 0600. */
export const layer = Layer.effect(CallerTokenSigner, make)
