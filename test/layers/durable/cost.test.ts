import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { output, Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { temporaryFile } from "../../support/journal.ts"
import { root } from "../../support/processes.ts"
import { type Execute, message } from "../../support/runner.ts"
import { newPlatform, shared } from "./checkpointFixtures.ts"
import { workspaceAt } from "./workspaceAt.ts"

/** What one thing costs: transactions, rows of the journal by kind, and bytes that go to the disk. */
interface Cost {
  readonly commits: number
  readonly rows: Readonly<Record<string, number>>
  readonly bytes: number
}

// SQLite's file format, section 4: a frame of the log has a header of 24 bytes, in which bytes 4 to 7 are not zero for
// the last frame of a commit.
const logOf = (filename: string) => {
  const log = readFileSync(`${filename}-wal`)
  const frame = 24 + log.readUInt32BE(8)
  const frames = Array.from({ length: Math.floor((log.length - 32) / frame) }, (_, index) => 32 + index * frame)
  return { commits: frames.filter((at) => log.readUInt32BE(at + 4) !== 0).length, bytes: frames.length * frame }
}

// The execution that a task has ended in ends a moment later.
const executionsEnded = (filename: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(filename, { readOnly: true })
    const open = database.prepare("SELECT count(*) AS count FROM executions").get()?.["count"]
    database.close()
    return open === 0
  }).pipe(Effect.tap(Effect.yieldNow), Effect.repeat({ until: (ended) => ended }))

const costOf = (filename: string): Cost => {
  const database = new DatabaseSync(filename, { readOnly: true })
  const kinds = database.prepare("SELECT kind, count(*) AS count FROM journal GROUP BY kind").all()
  database.close()
  const rows = Object.fromEntries(kinds.map(({ count, kind }) => [String(kind), Number(count)]))
  return { ...logOf(filename), rows }
}

const minus = (a: Cost, b: Cost): Cost => ({
  commits: a.commits - b.commits,
  bytes: a.bytes - b.bytes,
  rows: Object.fromEntries(
    Object.entries(a.rows)
      .map(([kind, count]) => [kind, count - (b.rows[kind] ?? 0)] as const)
      .filter(([, count]) => count !== 0)
  )
})

// Now and then a page is full and another begins: only many things together tell what one costs.
const share = ({ bytes, commits, rows }: Cost, parts: number): Cost => ({
  commits: commits / parts,
  bytes: bytes / parts,
  rows: Object.fromEntries(Object.entries(rows).map(([kind, count]) => [kind, count / parts]))
})

/** The message is a number and what to do so many times. */
const execute: Execute = Effect.fnUntraced(function* (input) {
  const { emit, step, wait } = yield* Step
  const [count = "0", what = ""] = input.text.split(" ")
  for (let index = 0; index < Number(count); index++) {
    const name = `${what}-${index}`
    if (what === "step") yield* step(name, Schema.String, Effect.succeed("done"))
    if (what === "effect") yield* step(name, Schema.String, Effect.succeed("done"), { effect: { unknown: "fail" } })
    if (what === "event") yield* step(name, Schema.String, Effect.as(emit(output("said")), "done"))
    if (what === "wait") {
      yield* wait({ name, reason: "a word", from: "somebody", within: 60_000, schema: Schema.String })
    }
  }
  return new TaskOutput({ text: "" })
})

const run = Effect.fnUntraced(function* (text: string) {
  const [count = "0", what = ""] = text.split(" ")
  const runner = yield* TaskRunner
  const store = yield* TaskStore
  const { input } = yield* runner.submit(message(text, text))
  for (let index = 0; what === "wait" && index < Number(count); index++) {
    while (!(yield* store.waits).some(({ wait }) => wait === `${what}-${index}`)) yield* Effect.yieldNow
    yield* runner.provide(input.taskId, `${what}-${index}`, "word")
  }
  yield* runner.result(input.taskId)
})

// In a journal of its own, so that the log is not begun anew in between.
const measured = Effect.fnUntraced(
  function* (what: string) {
    const remote = Layer.succeed(Checkpoint, yield* shared(newPlatform(() => "away")))
    const filename = yield* temporaryFile
    const cost = (text: string) =>
      run(text).pipe(
        Effect.andThen(executionsEnded(filename)),
        Effect.map(() => costOf(filename))
      )
    return yield* Effect.gen(function* () {
      // The first task of a journal makes what every later one finds.
      const before = yield* cost(`1 ${what}`)
      const none = yield* cost("0 none")
      const few = yield* cost(`4 ${what}`)
      const many = yield* cost(`24 ${what}`)
      const task = minus(none, before)
      const each = share(minus(minus(many, few), minus(few, none)), 20)
      return { task, each, execution: minus(minus(minus(few, none), task), share(each, 1 / 4)) }
    }).pipe(Effect.provide(workspaceAt(filename, remote, execute)))
  },
  Effect.scoped,
  Effect.provide(NodeServices.layer)
)

/** The table of docs/cost.md. */
const stated = (): Readonly<Record<string, Cost>> => {
  const lines = readFileSync(`${root}docs/cost.md`, "utf8").split("\n")
  const cells = lines.filter((line) => line.startsWith("| `")).map((line) => line.split("|").map((cell) => cell.trim()))
  return Object.fromEntries(
    cells.map(([, what = "", commits, rows, kinds = "", kilobytes]) => {
      const each = kinds.split(", ").map((kind) => kind.split(" × "))
      const counts = Object.fromEntries(each.map(([kind = "", count = "1"]) => [kind, Number(count)]))
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
      assert.strictEqual(Number(rows), total, `${what}: the rows are as many as the kinds say`)
      return [what.replaceAll("`", ""), { commits: Number(commits), rows: counts, bytes: Number(kilobytes) * 1024 }]
    })
  )
}

const agrees = (what: string, found: Cost, expected: Cost | undefined) => {
  assert.deepStrictEqual(found.rows, expected?.rows, what)
  // The last of many may share its commit with the task's end.
  assert.closeTo(found.commits, expected?.commits ?? 0, 0.1, what)
  // Which pages a row lies on is for SQLite to say: a page has 4 KiB.
  assert.closeTo(found.bytes, expected?.bytes ?? 0, Math.max(4096, (expected?.bytes ?? 0) / 4), what)
}

describe("what a step costs", () => {
  it.effect("commits, rows and bytes are as docs/cost.md says", () =>
    Effect.gen(function* () {
      const table = stated()
      assert.hasAllKeys(table, ["task", "execution", "step", "effect", "event", "wait"])
      for (const what of ["step", "effect", "event", "wait"]) {
        const { each, execution, task } = yield* measured(what)
        agrees(what, each, table[what])
        agrees("task", task, table["task"])
        if (what === "step") agrees("execution", execution, table["execution"])
      }
    })
  )
})
