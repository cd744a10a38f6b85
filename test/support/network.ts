/**
 * A network namespace with one cable to this machine, into which nobody can connect.
 */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"

const ip = (...args: ReadonlyArray<string>) => spawnSync("ip", args, { encoding: "utf8" })

const must = (...args: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const { error, status, stderr } = ip(...args)
    return status === 0 ? Effect.void : Effect.die(new Error(`ip ${args.join(" ")}: ${error?.message ?? stderr}`))
  })

const nameOf = (suffix: string) => `mol${process.pid % 100_000}${suffix}`

const remove = (suffix: string) => {
  ip("netns", "del", nameOf(suffix))
  ip("link", "del", nameOf(`${suffix}h`))
}

const wire = (suffix: string): ReadonlyArray<ReadonlyArray<string>> => [
  ["netns", "add", nameOf(suffix)],
  ["link", "add", nameOf(`${suffix}h`), "type", "veth", "peer", "name", nameOf(`${suffix}n`), "netns", nameOf(suffix)]
]

const guard = (suffix: string, port: number): ReadonlyArray<ReadonlyArray<string>> => {
  const from = ["-n", nameOf(suffix), "rule"]
  const cable = nameOf(`${suffix}n`)
  return [
    // What comes over the cable is let in if it comes from the platform's port, and dropped without a word otherwise.
    [...from, "add", "pref", "1", "iif", cable, "ipproto", "tcp", "sport", String(port), "lookup", "local"],
    [...from, "add", "pref", "2", "iif", cable, "blackhole"],
    [...from, "add", "pref", "3", "lookup", "local"],
    [...from, "del", "pref", "0"]
  ]
}

/** Whether this machine lets us do that: root, and a kernel that has it. */
export const allowed: boolean = (() => {
  const works = [...wire("p"), ...guard("p", 1)].every((args) => ip(...args).status === 0)
  remove("p")
  return works
})()

/** The namespace, for as long as the scope lives; what listens here on `port` is all that can be reached from it, and answers. */
export const cableTo = (port: number) =>
  Effect.gen(function* () {
    const [here, there] = [`10.231.${process.pid % 250}.1`, `10.231.${process.pid % 250}.2`] as const
    const [name, host] = [nameOf("a"), nameOf("ah")] as const
    yield* Effect.addFinalizer(() => Effect.sync(() => remove("a")))
    for (const args of wire("a")) yield* must(...args)
    yield* must("addr", "add", `${here}/30`, "dev", host)
    yield* must("link", "set", host, "up")
    yield* must("-n", name, "addr", "add", `${there}/30`, "dev", nameOf("an"))
    yield* must("-n", name, "link", "set", nameOf("an"), "up")
    yield* must("-n", name, "link", "set", "lo", "up")
    for (const args of guard("a", port)) yield* must(...args)
    return {
      here,
      there,
      /** What a program has to be run by to be in there. */
      under: ["ip", "netns", "exec", name],
      cut: must("link", "set", host, "down"),
      mend: must("link", "set", host, "up")
    }
  })
