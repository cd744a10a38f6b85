/**
 * Which addresses an agent's URL may have. One check, used when an agent registers, when a workspace is created with a
 * URL, and for every connection that the platform makes.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The ranges that a configuration can name. `public` is everything that is in none of {@link notPublic}.
 */
export const namedRanges = {
  loopback: ["127.0.0.0/8", "::1/128"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"]
} as const

/**
 * Addresses that are not on the public internet, or that lead back inside by another way: this host, link-local (where
 * clouds keep their metadata service), carrier-grade NAT, documentation, benchmarks, multicast, reserved, and the IPv6
 * ranges that carry an IPv4 address (translation, 6to4, Teredo). IPv4-mapped IPv6 addresses count as the IPv4 address.
 */
export const notPublic = [
  ...namedRanges.loopback,
  ...namedRanges.private,
  "0.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8"
] as const

/** A range that is allowed: `public`, `loopback`, `private`, or a network such as `10.1.0.0/16`. */
export const AllowedRange = Schema.Union([
  Schema.Literals(["public", "loopback", "private"]),
  Schema.String.check(
    Schema.isPattern(/^[0-9a-fA-F:.]+\/\d{1,3}$/, { message: "a network is written as 10.1.0.0/16 or fd12::/16" })
  )
])
/** The type of {@link AllowedRange}. */
export type AllowedRange = typeof AllowedRange.Type

/** The URL may not be used; `detail` says why. Trying again gives the same answer, unless a name resolves differently. */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", {
  subject: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.subject}: ${this.detail}`
  }
}

/**
 * The check.
 *
 * **Details**
 *
 * `check` takes a URL: http or https, a host, no user or password, and only allowed addresses, literal or resolved.
 * `resolve` takes a host, as a URL names it, and answers its addresses, at least one; it fails if any of them is not
 * allowed. A connection must go to one of the addresses that `resolve` answered for it, since a name can resolve
 * differently the next time.
 */
export class AddressPolicy extends Context.Service<
  AddressPolicy,
  {
    readonly check: (url: string) => Effect.Effect<URL, AddressRefused>
    readonly resolve: (
      host: string
    ) => Effect.Effect<ReadonlyArray<{ readonly address: string; readonly family: 4 | 6 }>, AddressRefused>
  }
>()("molecule-effect/services/platform/AddressPolicy") {}
