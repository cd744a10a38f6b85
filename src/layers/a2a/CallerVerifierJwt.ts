/**
 * Caller tokens verified with the platform's public keys (JWKS), by `jose`.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose"
import { callerTokenAlgorithm, callerTokenIssuer, CallerClaims } from "../../services/a2a/CallerToken.ts"
import { CallerRefused, CallerVerifier, KeysUnavailable } from "../../services/a2a/CallerVerifier.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"

/** Keys are asked for again, when a token names an unknown one, at most this often: a forger must not make us hammer the platform. */
const refreshMillis = 10_000

/** Clocks of two machines differ; this much is forgiven. Seconds. */
const clockToleranceSeconds = 5

/** The token names a key that we do not have. */
class UnknownKey extends Schema.TaggedError<UnknownKey>()("UnknownKey", {}) {}

interface Keys {
  readonly fetchedAt: number
  readonly set: JSONWebKeySet
}

const make = Effect.gen(function* () {
  const client = yield* PlatformClient
  const { workspaceId } = yield* PlatformConfig
  const cache = yield* Ref.make(Option.none<Keys>())
  const fetching = yield* Semaphore.make(1)

  const fetch = Effect.gen(function* () {
    const { keys } = yield* client.system
      .keys()
      .pipe(Effect.mapError((cause) => new KeysUnavailable({ detail: String(cause) })))
    const fetched: Keys = { fetchedAt: yield* Clock.currentTimeMillis, set: { keys: keys.map((key) => ({ ...key })) } }
    yield* Ref.set(cache, Option.some(fetched))
    return fetched
  })

  // Answers the keys we have, or newer ones if the caller has seen that those do not do and they are not fresh.
  const keys = (insufficient: Option.Option<Keys>) =>
    fetching.withPermit(
      Effect.gen(function* () {
        const known = yield* Ref.get(cache)
        if (Option.isNone(known)) return yield* fetch
        if (Option.isNone(insufficient) || known.value !== insufficient.value) return known.value
        const age = (yield* Clock.currentTimeMillis) - known.value.fetchedAt
        return age < refreshMillis ? known.value : yield* fetch
      })
    )

  const verifyWith = Effect.fnUntraced(function* (token: string, { set }: Keys) {
    const now = yield* DateTime.now
    return yield* Effect.tryPromise({
      try: () =>
        jwtVerify(token, createLocalJWKSet(set), {
          algorithms: [callerTokenAlgorithm],
          issuer: callerTokenIssuer,
          audience: workspaceId,
          requiredClaims: ["exp", "iat", "sub"],
          clockTolerance: clockToleranceSeconds,
          currentDate: DateTime.toDateUtc(now)
        }),
      catch: (cause) =>
        cause instanceof errors.JWKSNoMatchingKey
          ? new UnknownKey()
          : new CallerRefused({
              detail: `invalid caller token: ${cause instanceof Error ? cause.message : String(cause)}`
            })
    })
  })

  const verify = Effect.fn("CallerVerifier.verify")(function* (token: Option.Option<Redacted.Redacted>) {
    if (Option.isNone(token)) return yield* new CallerRefused({ detail: "missing caller token" })
    const text = Redacted.value(token.value)
    const first = yield* keys(Option.none())
    const { payload } = yield* verifyWith(text, first).pipe(
      Effect.catchTag("UnknownKey", () =>
        Effect.flatMap(keys(Option.some(first)), (second) => verifyWith(text, second))
      ),
      Effect.catchTag("UnknownKey", () =>
        Effect.fail(new CallerRefused({ detail: "invalid caller token: signed with an unknown key" }))
      )
    )
    const claims = yield* Schema.decodeUnknownEffect(CallerClaims)(payload).pipe(
      Effect.mapError(() => new CallerRefused({ detail: "invalid caller token: unexpected claims" }))
    )
    return claims.sub
  })

  return CallerVerifier.of({ verify })
})

/** Verifies signature, algorithm (EdDSA only), issuer, audience (this workspace) and time of each token. */
export const layer = Layer.effect(CallerVerifier, make)
