/**
 * `npm run soak`: many tasks at once, while workspaces and platform are killed at random moments; then any JSON and any
 * malformed HTTP, 100,000 times.
 *
 * @module
 */
import { spawn } from "node:child_process"
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { Machine, root } from "../support/processes.ts"
import { run } from "./soakRun.ts"

const usage = [
  "usage: npm run soak -- [--short] [--seed <n>] [--tasks <n>] [--kills <n>] [--requests <n>] [--json]",
  "",
  "  --short     30 tasks, 12 kills and 5,000 requests instead of 200, 100 and 100,000",
  "  --seed      of the moments and the targets of the kills, and of the requests; printed, so that a run can be tried again",
  "  --requests  of any JSON and malformed HTTP, and a fifth as many where messages become tasks on a disk; 0: none",
  "  --json      the last line of output is one JSON object",
  ""
].join("\n")

const read = () => {
  try {
    const { values } = parseArgs({
      options: {
        short: { type: "boolean", default: false },
        seed: { type: "string" },
        tasks: { type: "string" },
        kills: { type: "string" },
        requests: { type: "string" },
        json: { type: "boolean", default: false }
      }
    })
    return {
      json: values.json,
      seed: Number(values.seed ?? Date.now() % 1_000_000),
      tasks: Number(values.tasks ?? (values.short ? 30 : 200)),
      kills: Number(values.kills ?? (values.short ? 12 : 100)),
      requests: Number(values.requests ?? (values.short ? 5000 : 100_000))
    }
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`)
    return process.exit(2)
  }
}

const options = read()
const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

/** The property test of the A2A server, with more requests than `npm test` sends: what it says if it fails. */
const anything = Effect.callback<string | void>((resume) => {
  const { requests, seed } = options
  if (requests === 0) return resume(Effect.void)
  const child = spawn(
    process.execPath,
    [`${root}node_modules/vitest/vitest.mjs`, "run", "test/layers/a2a/anything.test.ts"],
    {
      cwd: root,
      env: { ...process.env, A2A_ANYTHING_REQUESTS: String(requests), A2A_ANYTHING_SEED: String(seed) },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  const said: Array<string> = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8")
    stream.on("data", (text) => said.push(String(text)))
  }
  child.on("close", (code) => resume(Effect.succeed(code === 0 ? undefined : said.join("").slice(-8000))))
  return Effect.sync(() => child.kill())
})

const soak = Effect.gen(function* () {
  yield* say(`${options.tasks} tasks, ${options.kills} kills, --seed ${options.seed}`)
  const { deaths, ended, hits, problems, report, resumed, seconds } = yield* run(options, say)
  for (const problem of problems.slice(0, 50)) yield* say(`  ${problem}`)
  if (problems.length > 0) yield* say(`  see ${report}`)
  const kills = Object.entries(deaths).map(([who, count]) => `${who} ${count}`)
  yield* say(`${hits} kills found tasks in flight; ${resumed} times a task was set aside and let run again`)
  yield* say(`${ended} of ${options.tasks} tasks as they must be, ${kills.join(", ")} kills, in ${seconds} s`)
  const wrong = yield* anything
  if (options.requests > 0) {
    yield* say(wrong ?? `${options.requests} requests of any JSON and malformed HTTP: each got a specified error`)
  }
  if (options.json) {
    const { kills: asked, requests, seed, tasks } = options
    const failed = [...problems, ...(wrong === undefined ? [] : [`requests: --seed ${seed}`])]
    yield* say(JSON.stringify({ seed, tasks, kills: asked, hits, resumed, requests, passed: ended, failed }))
  }
  if (problems.length > 0 || wrong !== undefined) process.exitCode = 1
})

// Whoever started us is gone: stop as if asked to.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))
process.channel?.unref()

soak.pipe(Effect.provide(Machine), NodeRuntime.runMain)
