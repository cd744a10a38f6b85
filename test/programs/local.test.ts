import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { RunReport } from "../../src/services/local/Team.ts"
import { aPort, eventually, Machine, start, temporaryDirectory } from "../support/processes.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(RunReport))

describe("npm start", () => {
  it.live("--once FILE --json: one object, three tasks, their steps 0, 1, 2, and the merged answer", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const files = yield* FileSystem.FileSystem
      yield* files.writeFileString(`${directory}/text.md`, "# One\n\ntwo words\n\n## Two\n")
      const local = yield* start("local", ["--once", `${directory}/text.md`, "--json"], {
        MOLECULE_PLATFORM_PORT: String(yield* aPort)
      })
      const code = yield* local.exitCode
      assert.strictEqual(code, 0, yield* local.output)
      const report = yield* decode(yield* local.stdout)
      assert.strictEqual(report.state, "completed")
      assert.deepStrictEqual(
        report.steps.map(({ index, name, workspace }) => [workspace, index, name]),
        ["lead", "counter", "outliner"].flatMap((workspace) => [
          [workspace, 0, "task_receive"],
          [workspace, 1, "llm_call"],
          [workspace, 2, "task_complete"]
        ])
      )
      assert.strictEqual(new Set(report.steps.map(({ workflowId }) => workflowId)).size, 3)
      assert.strictEqual(report.steps[0]?.workflowId, report.taskId)
      assert.strictEqual(report.result, "## counter\n\n5 lines, 6 words, 25 bytes\n\n## outliner\n\n# One\n## Two")
    }).pipe(Effect.scoped, Effect.provide(Machine))
  )

  it.live(
    "stays up, shows table, steps and result, names itself to a second one, and ends on SIGINT",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const env = { MOLECULE_LOCAL_STATE_DIR: `${directory}/state`, MOLECULE_PLATFORM_PORT: String(yield* aPort) }
        const first = yield* start("local", [], env)
        yield* eventually(
          Effect.filterOrFail(first.stdout, (text) => text.includes("try next")),
          60
        ).pipe(Effect.tapError(() => Effect.flatMap(first.output, (text) => Effect.logError(text))))
        const shown = yield* first.stdout
        for (const part of [
          "lead",
          "counter",
          "outliner",
          "online",
          "task_complete",
          "## outliner",
          "# molecule-effect",
          "/docs"
        ]) {
          assert.include(shown, part)
        }
        const second = yield* start("local", [], env)
        assert.notStrictEqual(yield* second.exitCode, 0)
        assert.include(yield* second.output, `process ${first.pid}`)
        yield* first.signal("SIGINT")
        yield* first.exitCode
        // The team is gone with it: nobody answers any more.
        const third = yield* start("local", [], env)
        yield* eventually(
          Effect.filterOrFail(third.stdout, (text) => text.includes("try next")),
          60
        ).pipe(Effect.tapError(() => Effect.flatMap(third.output, (text) => Effect.logError(text))))
        yield* third.signal("SIGTERM")
        yield* third.exitCode
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    120_000
  )
})
