import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as AddressPolicyRanges from "../../../src/layers/platform/AddressPolicyRanges.ts"
import { AddressPolicy, type AllowedRange } from "../../../src/services/platform/AddressPolicy.ts"
import { PlatformSettings, settingsDefaults } from "../../../src/services/platform/PlatformSettings.ts"

const hosts: Record<string, ReadonlyArray<string>> = {
  localhost: ["127.0.0.1", "::1"],
  "public.test": ["93.184.216.34", "2606:4700::1111"],
  "inside.test": ["10.0.0.7"],
  "mixed.test": ["93.184.216.34", "169.254.169.254"]
}

const policy = (allowedAddresses: ReadonlyArray<AllowedRange>, host: string) =>
  AddressPolicyRanges.layer.pipe(
    Layer.provide(
      Layer.mergeAll(
        Layer.succeed(
          PlatformSettings,
          PlatformSettings.of({ ...settingsDefaults, stateDirectory: "/nowhere", allowedAddresses, host })
        ),
        Layer.succeed(
          Dns.Dns,
          Dns.make({ lookup: (name) => Effect.succeed((hosts[name] ?? []).map(NetAddress.ipFromStringUnsafe)) })
        )
      )
    )
  )

const judge = Effect.fnUntraced(function* (url: string) {
  const { check } = yield* AddressPolicy
  return Exit.isSuccess(yield* Effect.exit(check(url)))
})

// Which of the three policies lets it in: public only; public and loopback; public and private.
const table: ReadonlyArray<readonly [url: string, open: boolean, onLoopback: boolean, withPrivate: boolean]> = [
  ["http://93.184.216.34/", true, true, true],
  ["https://public.test:8443/a2a", true, true, true],
  ["http://[2606:4700::1111]/", true, true, true],
  ["http://[::ffff:93.184.216.34]/", true, true, true],
  ["http://127.0.0.1:8000/", false, true, false],
  ["http://127.1.2.3/", false, true, false],
  ["http://2130706433/", false, true, false],
  ["http://0x7f.1/", false, true, false],
  ["http://[::1]:8000/", false, true, false],
  ["http://[::ffff:127.0.0.1]/", false, true, false],
  ["http://localhost:8000/", false, true, false],
  ["http://10.0.0.7/", false, false, true],
  ["http://172.16.0.1/", false, false, true],
  ["http://172.32.0.1/", true, true, true],
  ["http://192.168.1.1/", false, false, true],
  ["http://[fd12::1]/", false, false, true],
  ["http://[::ffff:10.0.0.7]/", false, false, true],
  ["http://inside.test/", false, false, true],
  ["http://[fc00::1]/", false, false, false],
  ["http://169.254.169.254/latest/meta-data", false, false, false],
  ["http://[fe80::1]/", false, false, false],
  ["http://mixed.test/", false, false, false],
  ["http://0.0.0.0/", false, false, false],
  ["http://[::]/", false, false, false],
  ["http://100.64.0.1/", false, false, false],
  ["http://192.0.2.1/", false, false, false],
  ["http://198.51.100.1/", false, false, false],
  ["http://203.0.113.1/", false, false, false],
  ["http://198.18.0.1/", false, false, false],
  ["http://224.0.0.1/", false, false, false],
  ["http://239.1.2.3/", false, false, false],
  ["http://240.0.0.1/", false, false, false],
  ["http://255.255.255.255/", false, false, false],
  ["http://[2001:db8::1]/", false, false, false],
  ["http://[ff02::1]/", false, false, false],
  ["http://[64:ff9b::7f00:1]/", false, false, false],
  ["http://[64:ff9b:1::7f00:1]/", false, false, false],
  ["http://[2002:7f00:1::]/", false, false, false],
  ["http://[2001::1]/", false, false, false],
  ["http://[::7f00:1]/", false, false, false],
  ["http://unknown.test/", false, false, false],
  ["ftp://public.test/", false, false, false],
  ["file:///etc/passwd", false, false, false],
  ["remote://no-inbound", false, false, false],
  ["http://user:secret@public.test/", false, false, false],
  ["http://user@public.test/", false, false, false],
  ["public.test", false, false, false],
  ["http://", false, false, false],
  ["", false, false, false]
]

describe("AddressPolicyRanges", () => {
  const columns = [
    ["public only, bound to all addresses", ["public"], "0.0.0.0", 1],
    ["public, bound to loopback", ["public"], "127.0.0.1", 2],
    ["public and private, bound to all addresses", ["public", "private"], "0.0.0.0", 3]
  ] as const
  for (const [name, ranges, host, column] of columns) {
    it.effect(name, () =>
      Effect.gen(function* () {
        for (const row of table) assert.strictEqual(yield* judge(row[0]), row[column], row[0])
      }).pipe(Effect.provide(policy(ranges, host)))
    )
  }

  it.effect("a network of one's own, and nothing else", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* judge("http://10.1.2.3/"))
      assert.isTrue(yield* judge("http://[fd12:3456::1]/"))
      assert.isFalse(yield* judge("http://10.2.0.1/"))
      assert.isFalse(yield* judge("http://93.184.216.34/"))
    }).pipe(Effect.provide(policy(["10.1.0.0/16", "fd12:3456::/32"], "0.0.0.0")))
  )

  it.effect("bound to localhost or ::1 counts as bound to loopback", () =>
    Effect.gen(function* () {
      for (const host of ["localhost", "::1", "127.0.0.5"]) {
        assert.isTrue(yield* Effect.provide(judge("http://127.0.0.1/"), policy(["public"], host)), host)
      }
    })
  )
})
