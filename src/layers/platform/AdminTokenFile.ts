/**
 * The admin token in the file `admin-token` of the state directory.
 *
 * @module
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { AdminToken } from "../../services/platform/AdminToken.ts"
import { SecretFileError } from "../../services/platform/SecretFileError.ts"
import { StateDirectory } from "../../services/workspace/StateDirectory.ts"
import { readOrCreate } from "./secretFile.ts"

const bytes = 32

/** A token that a person put there must be worth the name. */
const minLength = 32

// Hashes have one length, so the comparison tells nothing about the token's, and takes one time.
const sha256 = (text: string) => createHash("sha256").update(text).digest()

const make = Effect.gen(function* () {
  const state = yield* StateDirectory
  const random = yield* SecureRandom.SecureRandom
  const { path, text } = yield* readOrCreate(
    state.file("admin-token"),
    Effect.map(random.randomBytes(bytes), (random) => Base64Url.encode(random))
  )
  if (text.length < minLength || !/^\S+$/.test(text)) {
    return yield* new SecretFileError({
      path,
      detail: `the admin token must be one word of at least ${minLength} characters: delete the file, and a new one is made`
    })
  }
  const hash = sha256(text)
  return AdminToken.of({
    path,
    value: Redacted.make(text),
    matches: (token) => timingSafeEqual(sha256(Redacted.value(token)), hash)
  })
})

/** Made at the first start (32 random bytes as base64url), read at every later one. */
export const layer = Layer.effect(AdminToken, make)
