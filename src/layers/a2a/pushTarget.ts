/**
 * To which addresses something may be pushed: to those of the outside, unless told otherwise. It is asked when a target is
 * named, and by the socket itself when it connects, so that a name cannot point elsewhere meanwhile.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import { lookup } from "node:dns/promises"
import { BlockList, isIP } from "node:net"
import { PushTargetRefused } from "../../services/a2a/PushConfigs.ts"

/** Which addresses that are not of the outside are allowed. */
export interface Allowed {
  /** 127.0.0.0/8 and ::1. */
  readonly loopback: boolean
  /** Networks behind a router (RFC 1918, RFC 4193). */
  readonly private: boolean
}

const loopback = ["127.0.0.0/8", "::1/128"]
const local = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]

// The special-purpose registries of IANA (RFC 6890 and its successors): this network, shared and link-local addresses (the
// metadata services of clouds among them), documentation, benchmarks, multicast, reserved, and those that carry an IPv4
// address inside.
const special = [
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
  "::/128",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8"
]

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")

/** The addresses to which nothing connects. Hand it to the sockets, too. */
export const blockList = (allowed: Allowed): BlockList => {
  const list = new BlockList()
  const ranges = [...special, ...(allowed.loopback ? [] : loopback), ...(allowed.private ? [] : local)]
  for (const range of ranges) {
    const [network = "", prefix = ""] = range.split("/")
    list.addSubnet(network, Number(prefix), family(network))
  }
  return list
}

const refused = (url: string, detail: string) => new PushTargetRefused({ url, detail })

/** Fails where the URL is none of HTTP, or leads to an address of the list. */
export const check = Effect.fnUntraced(function* (url: string, list: BlockList) {
  const parsed = URL.parse(url)
  if (parsed === null) return yield* refused(url, "it is no URL")
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") {
    return yield* refused(url, "its scheme is neither https nor http")
  }
  if (parsed.username !== "" || parsed.password !== "") {
    return yield* refused(url, "it carries a user's name or password: give them as authentication")
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1")
  const addresses =
    isIP(host) > 0
      ? [host]
      : yield* Effect.tryPromise({
          try: () => lookup(host, { all: true }),
          catch: () => refused(url, `the name ${host} does not resolve`)
        }).pipe(Effect.map((found) => found.map(({ address }) => address)))
  const blocked = addresses.find((address) => list.check(address, family(address)))
  if (blocked !== undefined) {
    return yield* refused(url, `${blocked} is not an address of the outside; MOLECULE_PUSH_ALLOW allows others`)
  }
})
