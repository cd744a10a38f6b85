/**
 * DBOS Transact as its quickstart has it: ordinary functions registered as a workflow, steps through `DBOS.runStep`.
 *
 * @module
 */
import { DBOS } from "@dbos-inc/dbos-sdk"
import * as Effect from "effect/Effect"
import { resultOf, stepNames, type Steps } from "../steps.ts"
import type { Place, System } from "../system.ts"

const workflowOf = (steps: Steps) =>
  DBOS.registerWorkflow(
    async (id: string) => {
      const answers: Array<string> = []
      for (const name of stepNames) {
        const body = async () => {
          steps.begin(id)
          return steps.work(id, name)
        }
        answers.push(await DBOS.runStep(body, { name }))
      }
      return resultOf(answers)
    },
    { name: "threeSteps" }
  )

/**
 * On Postgres. It has no place for the intent of an effect: pure steps and others are the same to it. The pool is of the
 * size that DBOS chooses (10): with 32 connections it is slower on two cores.
 */
export const dbosPostgres: System = Effect.fnUntraced(function* ({ postgres, steps }: Place) {
  if (postgres === undefined) return yield* Effect.die("dbos-postgres needs a database")
  const { database, password, port, username } = postgres
  const workflow = workflowOf(steps)
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      DBOS.setConfig({
        name: "bench",
        systemDatabaseUrl: `postgresql://${username}:${password}@127.0.0.1:${port}/${database}`,
        logLevel: "error"
      })
      await DBOS.launch()
    }),
    () => Effect.promise(() => DBOS.shutdown())
  )
  return { durability: "Postgres", run: (id) => Effect.promise(() => workflow(id)) }
})
