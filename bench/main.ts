/**
 * The benches by name: `npm run bench -- <name> [--json]`.
 *
 * @module
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"

/** What a bench is asked: with `json` its last line on standard output is one JSON object. */
interface Options {
  readonly json: boolean
}

interface Bench {
  readonly name: string
  readonly title: string
  readonly load: () => Promise<(options: Options) => Effect.Effect<void, unknown, NodeServices.NodeServices>>
}

const benches: ReadonlyArray<Bench> = [
  {
    name: "durable",
    title: "tasks of three durable steps, side by side with other engines",
    load: async () => (await import("./durable/bench.ts")).durable
  },
  {
    name: "a2a",
    title: "the A2A server, side by side with one made with @a2a-js/sdk",
    load: async () => (await import("./a2a/bench.ts")).a2a
  }
]

const usage = [
  "usage: npm run bench -- <name> [--json]",
  "",
  ...benches.map(({ name, title }) => `  ${name}  ${title}`),
  "",
  "--json: the last line of output is one JSON object",
  ""
].join("\n")

const refuse = (why: string) => {
  process.stderr.write(`${why}${usage}`)
  process.exit(2)
}

const read = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { json: { type: "boolean", default: false } } })
  } catch (cause) {
    return refuse(`${cause instanceof Error ? cause.message : String(cause)}\n\n`)
  }
}

const { positionals, values } = read()
const [name, ...more] = positionals
if (name === undefined || more.length > 0) refuse("")
const bench = benches.find((one) => one.name === name) ?? refuse(`there is no bench "${name ?? ""}"\n\n`)

// Whoever started us is gone: stop as if asked to.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))
process.channel?.unref()

Effect.promise(bench.load).pipe(
  Effect.flatMap((run) => run(values)),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
