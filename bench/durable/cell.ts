/**
 * The process of one cell: it starts one system, warms it up, measures it, and writes down what it saw.
 * `node bench/durable/cell.ts '<CellOrder as JSON>'`; it ends when its standard input does.
 *
 * @module
 */
import { writeFileSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { endWithParent } from "../support/parent.ts"
import { CellOrder, CellResult } from "./model.ts"
import { serverMemory } from "./memory.ts"
import { makeRecorder, type Recorder } from "./steps.ts"
import type { Running } from "./system.ts"
import { hasEffects, systemOf } from "./systems/all.ts"

let tasks = 0

/** Keeps `concurrency` tasks under way for so long; answers how many there were and how long it took, in milliseconds. */
const load = Effect.fnUntraced(function* (
  { run }: Running,
  recorder: Recorder,
  { concurrency, seconds }: { readonly concurrency: number; readonly seconds: number }
) {
  const before = tasks
  const started = performance.now()
  const deadline = started + seconds * 1000
  const oneAfterTheOther = Effect.gen(function* () {
    while (performance.now() < deadline) {
      const id = `task-${++tasks}`
      recorder.start(id)
      recorder.end(id, yield* run(id))
    }
  })
  yield* Effect.forEach(Array.from({ length: concurrency }), () => oneAfterTheOther, { concurrency, discard: true })
  return { tasks: tasks - before, elapsed: performance.now() - started }
})

const measure = Effect.fnUntraced(function* (order: CellOrder) {
  const { directory, postgres, system } = order
  const recorder = makeRecorder(hasEffects(system) ? `${directory}/outside.log` : undefined)
  const start = yield* systemOf(system)
  const running = yield* start({ directory, postgres, steps: recorder })
  yield* load(running, recorder, { ...order, seconds: order.warmUpSeconds })
  recorder.reset()
  const found = yield* load(running, recorder, order)
  const serverRss = postgres === undefined ? undefined : serverMemory(postgres.pid)
  const { stepTimes, taskTimes } = recorder
  return {
    ...found,
    durability: running.durability,
    taskTimes,
    stepTimes,
    rss: process.resourceUsage().maxRSS / 1024,
    ...(serverRss === undefined ? undefined : { serverRss })
  }
}, Effect.scoped)

endWithParent()
Schema.decodeUnknownEffect(Schema.fromJsonString(CellOrder))(process.argv[2]).pipe(
  Effect.flatMap((order) =>
    Effect.flatMap(measure(order), (result) =>
      Effect.map(Schema.encodeEffect(Schema.fromJsonString(CellResult))(result), (text) =>
        writeFileSync(`${order.directory}/result.json`, text)
      )
    )
  ),
  NodeRuntime.runMain
)
