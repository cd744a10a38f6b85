/**
 * `npm run recovery`: plays the recovery matrix and says which cells are as they must be.
 *
 * @module
 */
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Machine } from "../support/processes.ts"
import * as Document from "./document.ts"
import { cells } from "./matrix.ts"
import { runCells } from "./run.ts"

const usage = [
  "usage: npm run recovery -- [--json] [--only <text>] [--concurrency <n>] [--document | --check]",
  "",
  "  --json         the last line of output is one JSON object",
  "  --only         plays the cells whose id has the text in it: suspend, /wipe, child/wait/kept …",
  "  --concurrency  cells at once",
  "  --document     writes docs/recovery.md, and plays nothing; --check says whether it is up to date",
  ""
].join("\n")

const read = () => {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: "boolean", default: false },
        only: { type: "string", default: "" },
        concurrency: { type: "string", default: String(Math.min(4, cpus().length + 1)) },
        document: { type: "boolean", default: false },
        check: { type: "boolean", default: false }
      }
    })
    return values
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`)
    return process.exit(2)
  }
}

const options = read()
const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const playAll = Effect.gen(function* () {
  const chosen = cells.filter(({ id }) => id.includes(options.only))
  const runnable = chosen.filter(({ outcome }) => outcome._tag === "Run")
  yield* say(`${runnable.length} cells, and ${chosen.length - runnable.length} that do not apply`)
  const began = yield* Clock.currentTimeMillis
  const results = yield* runCells(runnable, Number(options.concurrency), (result) =>
    say(
      [
        `${result.problems.length === 0 ? "ok    " : "FAILED"}  ${result.id}  ${(result.millis / 1000).toFixed(1)} s`,
        ...result.problems.map((problem) => `          ${problem}`),
        ...(result.problems.length === 0 ? [] : [`          see ${result.report}`])
      ].join("\n")
    )
  )
  const failed = results.filter(({ problems }) => problems.length > 0).map(({ id }) => id)
  const passed = results.length - failed.length
  const seconds = Math.round(((yield* Clock.currentTimeMillis) - began) / 1000)
  yield* say(`${results.length} cells in ${seconds} s: ${passed} passed, ${failed.length} failed`)
  if (options.json) yield* say(JSON.stringify({ cells: results.length, passed, failed }))
  if (failed.length > 0 || results.length === 0) process.exitCode = 1
})

const document = Effect.gen(function* () {
  if (!options.check) return yield* Document.write
  if (yield* Document.isUpToDate) return
  yield* say(`${Document.file} is not up to date: npm run recovery -- --document`)
  process.exitCode = 1
})

// Whoever started us is gone: stop as if asked to.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))
process.channel?.unref()

const program = options.document || options.check ? document : playAll
program.pipe(Effect.provide(Machine), NodeRuntime.runMain)
