/**
 * Taking up the executions that a former process left unfinished.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"

/** How many executions a start runs at the same time. */
const concurrency = 16

/** What the engine does with one of them. */
export interface Engine {
  /** Makes it live, its clocks included. */
  readonly load: (executionId: string) => Effect.Effect<unknown>
  /** Runs it, and completes when that run has ended. */
  readonly run: (executionId: string) => Effect.Effect<void>
}

/** Makes the function that takes up the executions of a workflow. It completes when all have had their run. */
export const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const find = SqlSchema.findAll({
    Request: Schema.String,
    Result: Schema.Struct({ execution_id: Schema.String }),
    execute: (workflow) => sql`SELECT execution_id FROM executions WHERE workflow = ${workflow} ORDER BY number`
  })
  const orLog = (id: string) =>
    Effect.catchCause((cause) => Effect.logError("an execution cannot be resumed", { id }, cause))

  return Effect.fnUntraced(function* (workflow: string, { load, run }: Engine) {
    const left = (yield* Effect.orDie(find(workflow))).map((row) => row.execution_id)
    // All are known, and their clocks armed, while the first few run: whoever is busy holds nobody else up.
    const known = Effect.forEach(left, (id) => orLog(id)(Effect.asVoid(load(id))), { discard: true })
    const through = Effect.forEach(left, (id) => orLog(id)(run(id)), { concurrency, discard: true })
    yield* Effect.all([known, through], { concurrency: 2, discard: true })
  })
})
