/**
 * When the journal commits what is staged.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { Journal, type JournalEntry } from "../../../src/services/durable/Journal.ts"
import { journalAt, temporaryFile } from "../../support/journal.ts"

const released = (stream: string): JournalEntry => ({ stream, record: { _tag: "TaskReleased" } })
const onFile = <A, E, R>(use: (file: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.provide(NodeServices.layer))

describe("the commits of JournalSqlite", () => {
  it.effect("what nobody waits for is committed too, but never a batch that has only begun", () =>
    onFile((file) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const sql = yield* SqlClient
        const seen = Effect.map(sql`SELECT COUNT(*) AS count FROM journal`, (rows) => rows[0]?.["count"])
        const pass = (millis: number) =>
          Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 20 }), TestClock.adjust(millis))
        yield* journal.stage([released("a")])
        yield* pass(4)
        assert.strictEqual(yield* seen, 0)
        // Somebody waits and commits; what is staged after that has its own time.
        yield* journal.settled
        yield* journal.stage([released("b")])
        yield* pass(1)
        assert.strictEqual(yield* seen, 1)
        yield* pass(5)
        assert.strictEqual(yield* seen, 2)
        yield* journal.stage([released("c")])
        yield* pass(5)
        yield* pass(5)
        assert.strictEqual(yield* seen, 3)
      }).pipe(Effect.provide(journalAt(file)))
    )
  )
})
