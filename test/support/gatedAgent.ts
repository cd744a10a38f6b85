/**
 * An executor for tests of the programs: each of its three steps says that it runs, in the directory that is the message, and
 * goes on once there is a file `go` there.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { appendFileSync, existsSync } from "node:fs"
import type { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { Step } from "../../src/services/durable/Step.ts"

const execute: AgentExecutor["Service"]["execute"] = Effect.fnUntraced(function* ({ text: directory }) {
  const { step } = yield* Step
  for (const name of ["one", "two", "three"]) {
    const run = Effect.sync(() => appendFileSync(`${directory}/ran`, `${name}\n`)).pipe(
      Effect.andThen(
        Effect.repeat(
          Effect.sync(() => existsSync(`${directory}/go`)),
          { schedule: Schedule.spaced("20 millis"), until: (there) => there }
        )
      ),
      Effect.as(name)
    )
    yield* step(name, Schema.String, run)
  }
  return new TaskOutput({ text: "done" })
})

// oxlint-disable-next-line import/no-default-export -- the contract of MOLECULE_EXECUTOR_MODULE
export default { name: "gated", execute }
