/**
 * `npm run bench -- durable`: how fast a task of three steps is when each step survives a power cut.
 *
 * @module
 */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { runToEnd } from "../support/child.ts"
import { machine, scratch } from "../support/machine.ts"
import { type Cell, embedded, onPostgres } from "./cells.ts"
import { CellOrder, CellResult, type PostgresAddress, Report, type Resume, ResumeOrder, ResumeResult } from "./model.ts"
import { picture } from "./picture.ts"
import * as Postgres from "./postgres.ts"
import { ratiosOf, resumeOf, rowsOf, summary, table, type Measured } from "./report.ts"

/** Each cell is measured so often, the rounds apart in time: others on the machine slow one round, not all. */
const rounds = 3
/** Another round is not begun if the run would last longer than this. */
const mostSeconds = 165
const warmUpSeconds = 0.6
/** The task that is resumed. */
const longTask = { steps: 10_000, perExecution: 500 }
const seconds = 1.8

const cellProgram = new URL("cell.ts", import.meta.url)
const resumeProgram = new URL("resume.ts", import.meta.url)
const results = (name: string) => fileURLToPath(new URL(`../results/${name}`, import.meta.url))

const say = (text: string) => Effect.sync(() => process.stderr.write(text))

const measure = Effect.fnUntraced(function* (cell: Cell, directory: string, postgres: PostgresAddress | undefined) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory)
  const order = { ...cell, warmUpSeconds, seconds, directory, ...(postgres === undefined ? undefined : { postgres }) }
  const argument = yield* Schema.encodeEffect(Schema.fromJsonString(CellOrder))(order)
  yield* runToEnd(cellProgram, argument, `${cell.system} × ${cell.concurrency}`, 60)
  const text = yield* fs.readFileString(`${directory}/result.json`)
  yield* fs.remove(directory, { recursive: true })
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(CellResult))(text)
})

const measureAll = Effect.fnUntraced(function* (folder: string) {
  const measured: Array<Measured> = []
  const add = (cell: Cell, result: CellResult) => {
    measured.push({ ...cell, result })
    const perSecond = Math.round((result.tasks / result.elapsed) * 1000)
    return say(`${cell.system} × ${cell.concurrency}: ${perSecond} tasks/s\n`)
  }
  let number = 0
  const withServer = Effect.gen(function* () {
    const server = yield* Postgres.start(`${folder}/postgres`)
    for (const cell of onPostgres) {
      const name = `cell_${++number}`
      const measuring = Effect.flatMap(server.database(name), (address) => measure(cell, `${folder}/${name}`, address))
      const result = yield* Effect.scoped(measuring)
      yield* add(cell, { ...result, durability: server.durability })
    }
  }).pipe(Effect.scoped)
  const began = performance.now()
  for (let round = 1; round <= rounds; round++) {
    const expected = ((performance.now() - began) / Math.max(round - 1, 1)) * round
    if (round > 1 && expected > mostSeconds * 1000) {
      yield* say(`the machine is slow: ${round - 1} rounds are enough\n`)
      break
    }
    yield* say(`round ${round} of ${rounds}\n`)
    yield* withServer
    for (const cell of embedded) yield* add(cell, yield* measure(cell, `${folder}/cell_${++number}`, undefined))
  }
  return measured
})

// The first process writes the task, each of the others is a boot that takes it up again.
const measureResume = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory)
  const { perExecution, steps } = longTask
  const argument = yield* Schema.encodeEffect(Schema.fromJsonString(ResumeOrder))({ directory, perExecution, steps })
  yield* runToEnd(resumeProgram, argument, "writing the long task", 60)
  const found: Array<number> = []
  for (let round = 1; round <= rounds; round++) {
    yield* runToEnd(resumeProgram, argument, "resuming the long task", 60)
    const text = yield* fs.readFileString(`${directory}/result.json`)
    found.push((yield* Schema.decodeUnknownEffect(Schema.fromJsonString(ResumeResult))(text)).ms)
  }
  yield* fs.remove(directory, { recursive: true })
  const resume: Resume = resumeOf(steps, found)
  yield* say(`resume of ${steps} steps: ${resume.ms} ms\n`)
  return resume
})

/** Runs it all, prints the table, and keeps `results/durable.json` and `results/durable.svg`. */
export const durable = Effect.fnUntraced(function* (options: { readonly json: boolean }) {
  const started = yield* Clock.currentTimeMillis
  const folder = yield* scratch
  const resume = yield* measureResume(`${folder}/resume`)
  const measured = yield* measureAll(folder)
  const rows = rowsOf(measured)
  const report: Report = {
    bench: "durable",
    at: DateTime.formatIso(yield* DateTime.now),
    machine: machine(folder),
    rows,
    ratios: ratiosOf(rows),
    resume
  }
  const kept = yield* Schema.encodeEffect(Report)(report)
  yield* Effect.sync(() => {
    writeFileSync(results("durable.json"), `${JSON.stringify(kept, undefined, 2)}\n`)
    writeFileSync(results("durable.svg"), picture(report))
  })
  const took = Math.round(((yield* Clock.currentTimeMillis) - started) / 1000)
  yield* Effect.sync(() => {
    process.stdout.write(
      `${table(report)}\nThe run took ${took} s; kept in bench/results/durable.json and durable.svg.\n`
    )
    if (options.json) process.stdout.write(`${summary(report)}\n`)
  })
}, Effect.scoped)
