/**
 * The floor: a durable commit of one row for each step, and nothing else.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import { sqliteSettings } from "../settings.ts"
import { resultOf, stepNames } from "../steps.ts"
import type { Place, System } from "../system.ts"

const open = (file: string) => {
  const database = new DatabaseSync(file)
  database.exec("PRAGMA journal_mode = WAL")
  database.exec("PRAGMA synchronous = FULL")
  database.exec("CREATE TABLE steps (task TEXT NOT NULL, step TEXT NOT NULL, answer TEXT NOT NULL) STRICT")
  return database
}

/** Three commits for each task. */
export const sqliteCommits: System = Effect.fnUntraced(function* ({ directory, steps }: Place) {
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => open(`${directory}/floor.db`)),
    (database) => Effect.sync(() => database.close())
  )
  const insert = database.prepare("INSERT INTO steps (task, step, answer) VALUES (?, ?, ?)")
  const mode = database.prepare("PRAGMA journal_mode").get()
  const synchronous = database.prepare("PRAGMA synchronous").get()
  return {
    durability: sqliteSettings(mode, synchronous),
    run: (id) =>
      Effect.sync(() => {
        const answers = stepNames.map((step) => {
          steps.begin(id)
          const answer = steps.work(id, step)
          insert.run(id, step, answer)
          return answer
        })
        return resultOf(answers)
      })
  }
})
