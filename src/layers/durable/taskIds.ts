/**
 * Ids of tasks: UUIDs of version 4, whose randomness is fetched for many at once. One by one it costs more than all else
 * that an in-memory task needs (bench/README.md).
 *
 * @module
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Hex from "effect/encoding/Hex"
import * as Effect from "effect/Effect"

/** Bytes of randomness in an id, and hexadecimal digits. */
const length = 16
const digits = 2 * length

/** So many are made at once. */
const batch = 256

/** RFC 9562, section 5.4: 122 random bits, the version, the variant. */
const format = (hex: string, at: number): string => {
  const variant = "89ab"[Number.parseInt(hex.slice(at + 16, at + 17), 16) & 3]
  return `${hex.slice(at, at + 8)}-${hex.slice(at + 8, at + 12)}-4${hex.slice(at + 13, at + 16)}-${variant}${hex.slice(at + 17, at + 20)}-${hex.slice(at + 20, at + digits)}`
}

/** Makes the source of ids. */
export const make = Effect.map(SecureRandom.SecureRandom, (random) => {
  let hex = ""
  let at = 0
  const next = () => {
    const id = format(hex, at)
    at += digits
    return id
  }
  return Effect.suspend(() =>
    at < hex.length
      ? Effect.succeed(next())
      : Effect.map(random.randomBytes(length * batch), (fresh) => {
          hex = Hex.encode(fresh)
          at = 0
          return next()
        })
  )
})
