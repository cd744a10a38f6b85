/**
 * `npm run soak`: many tasks at once, while workspaces and platform are killed at random moments.
 *
 * @module
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { Machine } from "../support/processes.ts"
import { run } from "./soakRun.ts"

const usage = [
  "usage: npm run soak -- [--short] [--seed <n>] [--tasks <n>] [--kills <n>] [--json]",
  "",
  "  --short  30 tasks and 12 kills instead of 200 and 100",
  "  --seed   of the moments and the targets of the kills; printed, so that a run can be tried again",
  "  --json   the last line of output is one JSON object",
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
        json: { type: "boolean", default: false }
      }
    })
    return {
      json: values.json,
      seed: Number(values.seed ?? Date.now() % 1_000_000),
      tasks: Number(values.tasks ?? (values.short ? 30 : 200)),
      kills: Number(values.kills ?? (values.short ? 12 : 100))
    }
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`)
    return process.exit(2)
  }
}

const options = read()
const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const soak = Effect.gen(function* () {
  yield* say(`${options.tasks} tasks, ${options.kills} kills, --seed ${options.seed}`)
  const { deaths, ended, hits, problems, report, resumed, seconds } = yield* run(options, say)
  for (const problem of problems.slice(0, 50)) yield* say(`  ${problem}`)
  if (problems.length > 0) yield* say(`  see ${report}`)
  const kills = Object.entries(deaths).map(([who, count]) => `${who} ${count}`)
  yield* say(`${hits} kills found tasks in flight; ${resumed} times a task was set aside and let run again`)
  yield* say(`${ended} of ${options.tasks} tasks as they must be, ${kills.join(", ")} kills, in ${seconds} s`)
  if (options.json) {
    const { kills: asked, seed, tasks } = options
    yield* say(JSON.stringify({ seed, tasks, kills: asked, hits, resumed, passed: ended, failed: problems }))
  }
  if (problems.length > 0) process.exitCode = 1
})

// Whoever started us is gone: stop as if asked to.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))
process.channel?.unref()

soak.pipe(Effect.provide(Machine), NodeRuntime.runMain)
