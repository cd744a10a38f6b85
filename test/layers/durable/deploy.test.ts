/**
 * Deploying with work in flight, with processes that are killed: each task ends by the code and the version of the workflow
 * that began it. docs/durability.md tells how.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { eventually, Machine, start, temporaryDirectory } from "../../support/processes.ts"

/** A process, and the tasks of which it says a word. */
const deploy = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const program = yield* start("../../test/support/deployed", args, {})
  const said = (word: string, count: number) =>
    Effect.map(program.stdout, (text) =>
      Array.from(text.matchAll(new RegExp(`^${word} (.*)$`, "gm")), ([, one]) => one)
    ).pipe(
      Effect.filterOrFail((all) => all.length >= count),
      eventually,
      Effect.tapError(() => Effect.flatMap(program.output, Effect.logError))
    )
  return { said, kill: Effect.andThen(program.signal("SIGKILL"), program.exitCode) }
})

describe("deploying with work in flight", () => {
  it.live(
    "a task ends by the code and the version that began it, beside those of the newer ones, or is held and named",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const directory = yield* temporaryDirectory
        const first = yield* deploy(directory, "a", "1", "-", "old")
        const [old = ""] = yield* first.said("begun", 1)
        yield* first.kill

        // Without the old code: held, and it says what it was begun with and how far it came.
        const without = yield* deploy(directory, "b", "2", "-")
        const [held = ""] = yield* without.said("held", 1)
        assert.include(held, `${old} begun by workflow version 1 with code a, last completed step begin-a`)
        assert.include(held, "this program has version 1, 2 with code b")
        yield* without.kill

        // With it: the old and a new task are in their steps at the same time.
        const second = yield* deploy(directory, "b", "2", "a", "new")
        const both = yield* second.said("begun", 2)
        assert.include(both, old)
        const fresh = both.find((task) => task !== old) ?? ""
        yield* second.kill

        const third = yield* deploy(directory, "b", "2", "a")
        yield* third.said("begun", 2)
        yield* files.writeFileString(`${directory}/go`, "")
        assert.sameMembers(yield* third.said("ended", 2), [
          `${old} old by code a, version 1`,
          `${fresh} new by code b, version 2`
        ])
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )
})
