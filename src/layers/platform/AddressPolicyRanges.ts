/**
 * The address policy by lists of networks.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import { BlockList, isIP } from "node:net"
import {
  AddressPolicy,
  AddressRefused,
  type AllowedRange,
  namedRanges,
  notPublic
} from "../../services/platform/AddressPolicy.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"

const listOf = (networks: ReadonlyArray<string>) => {
  const list = new BlockList()
  for (const network of networks) {
    const [address = "", prefix] = network.split("/")
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? "ipv6" : "ipv4")
  }
  return list
}

// An IPv4-mapped IPv6 address is checked as the IPv4 address that it is.
const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")
const contains = (list: BlockList, address: string) => list.check(address, familyOf(address))

const internal = listOf(notPublic)

/** Is the address one that the configured ranges allow? */
export const allows = (ranges: ReadonlyArray<AllowedRange>) => {
  const networks = ranges.flatMap((range) =>
    range === "public" ? [] : range === "loopback" || range === "private" ? namedRanges[range] : [range]
  )
  const listed = listOf(networks)
  const anyPublic = ranges.includes("public")
  return (address: string) => contains(listed, address) || (anyPublic && !contains(internal, address))
}

/** Is this an address of loopback? */
export const isLoopbackAddress = (address: string) =>
  isIP(address) !== 0 && contains(listOf(namedRanges.loopback), address)

/** Is this host one that only this machine reaches? `localhost` counts: it is what the system binds to loopback. */
export const isLoopback = (host: string) => host === "localhost" || isLoopbackAddress(host)

const make = Effect.gen(function* () {
  const settings = yield* PlatformSettings
  const dns = yield* Dns.Dns
  const ranges: ReadonlyArray<AllowedRange> = isLoopback(settings.host)
    ? [...settings.allowedAddresses, "loopback"]
    : settings.allowedAddresses
  const allowed = allows(ranges)
  const remedy = `agents may be at: ${ranges.join(", ")} (MOLECULE_PLATFORM_ALLOWED_ADDRESSES)`

  const addresses = Effect.fnUntraced(function* (host: string) {
    // A URL writes an IPv6 address in brackets.
    const bare = host.startsWith("[") ? host.slice(1, -1) : host
    if (isIP(bare) !== 0) return [bare]
    const found = yield* Effect.mapError(
      dns.lookup(bare),
      (error) => new AddressRefused({ subject: host, detail: `the name cannot be resolved (${error.reason})` })
    )
    return found.map(NetAddress.formatIp)
  })

  const resolve = Effect.fn("AddressPolicy.resolve")(function* (host: string) {
    const found = yield* addresses(host)
    // One bad address is enough: which of several a connection takes is not ours to say.
    const bad = found.find((address) => !allowed(address))
    if (bad !== undefined) {
      return yield* new AddressRefused({ subject: host, detail: `the address ${bad} is not allowed; ${remedy}` })
    }
    return found.map((address) => ({ address, family: isIP(address) === 6 ? (6 as const) : (4 as const) }))
  })

  const check = Effect.fn("AddressPolicy.check")(function* (text: string) {
    const refuse = (detail: string) => new AddressRefused({ subject: text, detail })
    const url = URL.parse(text)
    if (url === null) return yield* refuse("this is not a URL")
    if (url.protocol !== "http:" && url.protocol !== "https:") return yield* refuse("the scheme must be http or https")
    if (url.username !== "" || url.password !== "")
      return yield* refuse("the URL must not contain a user or a password")
    yield* resolve(url.hostname)
    return url
  })

  return AddressPolicy.of({ check, resolve })
})

/** The ranges of the settings; loopback besides, where the platform itself is bound to loopback. */
export const layer = Layer.effect(AddressPolicy, make)
