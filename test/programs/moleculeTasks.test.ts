/**
 * `molecule tasks`, `health` and `journal` as processes, beside a workspace that runs, and after it was killed.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestConsole from "effect/testing/TestConsole"
import { DatabaseSync } from "node:sqlite"
import { exitCodeOf, run } from "../../src/programs/moleculeCommands.ts"
import { TaskList, TaskStory, WaitChains } from "../../src/services/local/TaskBook.ts"
import { WorkspaceHealth } from "../../src/services/workspace/Health.ts"
import { eventually, Machine, start, temporaryDirectory } from "../support/processes.ts"

const Ids = Schema.fromJsonString(Schema.Array(Schema.String))

/** The workspace of `controlled.ts` on this directory, with its messages accepted. */
const workspace = Effect.fnUntraced(function* (state: string, code: string, ...messages: ReadonlyArray<string>) {
  const program = yield* start("../../test/support/controlled", [state, code, ...messages], {})
  const ready = Effect.map(program.stdout, (text) => /^ready (.*)$/m.exec(text)?.[1])
  const line = yield* eventually(Effect.filterOrFail(ready, (found) => found !== undefined)).pipe(
    Effect.tapError(() => Effect.flatMap(program.output, Effect.logError))
  )
  return { ...program, ids: yield* Schema.decodeUnknownEffect(Ids)(line) }
})

/** `molecule …` on the directory, in this process: exit code, standard output, and both outputs together. */
const on =
  (state: string) =>
  (...args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(run(args))
      const lines = (all: ReadonlyArray<unknown>) => all.map((line) => `${String(line)}\n`).join("")
      const stdout = lines(yield* TestConsole.logLines)
      return { exitCode: exitCodeOf(exit), stdout, output: stdout + lines(yield* TestConsole.errorLines) }
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          TestConsole.layer,
          ConfigProvider.layer(ConfigProvider.fromUnknown({ MOLECULE_STATE_DIR: state, HOME: "/nowhere" }))
        )
      )
    )

type Answer = Effect.Success<ReturnType<ReturnType<typeof on>>>

const expect = (answer: Answer, exitCode: number, ...texts: ReadonlyArray<string | RegExp>) => {
  assert.strictEqual(answer.exitCode, exitCode, answer.output)
  for (const text of texts) {
    if (typeof text === "string") assert.include(answer.output, text)
    else assert.match(answer.output, text)
  }
}

const expectAs = (answer: Answer, [exitCode, text]: readonly [number, string | RegExp] = [0, ""]) =>
  expect(answer, exitCode, text)

const json = <A, I>(schema: Schema.Codec<A, I>, answer: Answer): Effect.Effect<A, Schema.SchemaError> => {
  assert.strictEqual(answer.stdout.trim().split("\n").length, 1, answer.output)
  return Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(schema)))(answer.stdout)
}

/** Completes when every task has come as far as it comes by itself: it has ended, hangs in its step, waits, or is held. */
const begun = (state: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(`${state}/workspace.db`, { readOnly: true })
    const left = database
      .prepare(
        `SELECT COUNT(*) AS count FROM tasks WHERE ended IS NULL AND held IS NULL
        AND number NOT IN (SELECT task FROM task_waits WHERE kind <> 'timer') AND number NOT IN (SELECT task FROM task_attempts WHERE step = 'hang')`
      )
      .get()
    database.close()
    return left?.["count"]
  }).pipe(
    Effect.filterOrFail((count) => count === 0),
    eventually
  )

const Changed = Schema.Struct({ id: Schema.String, state: Schema.String })
const several = { concurrency: 3 } as const

describe("molecule tasks", () => {
  it.live(
    "beside a running workspace: shows, and changes through its socket",
    () =>
      Effect.gen(function* () {
        const state = `${yield* temporaryDirectory}/state`
        const molecule = on(state)
        const first = yield* workspace(state, "1", "quick", "fail", "hang", "approve")
        const [quick = "", failed = "", hang = "", approve = ""] = first.ids
        yield* begun(state)
        const { ids } = yield* Effect.as(first.signal("SIGKILL"), first).pipe(
          Effect.tap(({ exitCode }) => exitCode),
          Effect.andThen(workspace(state, "1", `wait for ${approve}`))
        )
        const [waiting = ""] = ids
        yield* eventually(Effect.filterOrFail(molecule("tasks", "waits"), ({ stdout }) => /its answer/.test(stdout)))

        const [list, unfinished, shown, waits, story, health, healthJson] = yield* Effect.all(
          [
            molecule("tasks", "list"),
            molecule("tasks", "list", "--only", "unfinished", "--json"),
            molecule("tasks", "show", failed.slice(0, 12)),
            molecule("tasks", "waits"),
            molecule("tasks", "show", hang, "--json"),
            molecule("health"),
            molecule("health", "--json")
          ],
          several
        )
        expect(list, 0, /^TASK +STATE +AGE +FROM +MESSAGE +NOW$/m)
        expect(list, 0, new RegExp(`^${quick.slice(0, 8)}  completed .* quick$`, "m"))
        expect(list, 0, new RegExp(`^${failed.slice(0, 8)}  failed .* fail +broken 1$`, "m"))
        expect(list, 0, new RegExp(`^${hang.slice(0, 8)}  working .* hang +last step hang, run 2, began `, "m"))
        expect(list, 0, /waits for approval from person, in 6 d 23 h/)
        const listed = yield* json(TaskList, unfinished)
        assert.deepStrictEqual([listed.total, ...listed.tasks.map(({ id }) => id)], [3, waiting, approve, hang])
        expect(
          shown,
          0,
          /step break +1 .* failed: broken 1; effect/,
          /step break +2 /,
          /wait retry\/break\/1 .*provided/
        )
        expect(waits, 0, new RegExp(`^${waiting.slice(0, 8)} +answer .*\\n└ ${approve.slice(0, 8)} +approval`, "m"))
        expect(waits, 0, "nothing is overdue")
        const { timeline } = yield* json(TaskStory, story)
        assert.deepStrictEqual(
          timeline.flatMap((item) => (item.kind === "step" ? [`${item.step} ${item.attempt} ${item.outcome}`] : [])),
          ["measure 1 completed", "hang 1 lost", "hang 2 running"]
        )
        expect(health, 0, /^tasks +1 running, 0 queued, 0 set aside$/m)
        assert.deepInclude(yield* json(WorkspaceHealth, healthJson), {
          running: 1,
          oldestDue: 0,
          outbox: { pending: 3 }
        })

        const refused = yield* Effect.all(
          [
            molecule("tasks", "provide", approve, "approval", `"yes"`),
            molecule("tasks", "provide", approve, "approval", "yes"),
            molecule("tasks", "provide", approve, "else", "true"),
            molecule("tasks", "cancel", quick),
            molecule("tasks", "resume", hang),
            molecule("tasks", "retry", hang),
            molecule("journal", "rebuild")
          ],
          several
        )
        const expected = [
          [1, "does not fit what is waited for (the approval)"],
          [2, "is not JSON"],
          [3, "it waits for approval"],
          [1, "is completed and cannot be cancelled"],
          [1, "is not held"],
          [1, "cancel it, or wait for its end"],
          [1, /in use by process \d+/]
        ] as const
        refused.forEach((answer, index) => expectAs(answer, expected[index]))

        expect(yield* molecule("tasks", "provide", approve, "approval", "true"), 0)
        expect(yield* molecule("tasks", "cancel", hang.slice(0, 13)), 0, `task ${hang} is canceled`)
        const again = yield* json(
          Schema.Struct({ ...Changed.fields, of: Schema.String }),
          yield* molecule("tasks", "retry", failed, "--json")
        )
        assert.strictEqual(again.of, failed)
        yield* begun(state)
        const after = yield* json(TaskList, yield* molecule("tasks", "list", "--json"))
        assert.deepStrictEqual(
          after.tasks.map(({ id, state: one }) => [id, one]),
          [
            [again.id, "failed"],
            [waiting, "working"],
            [approve, "completed"],
            [hang, "canceled"],
            [failed, "failed"],
            [quick, "completed"]
          ]
        )
        expect(yield* molecule("tasks", "waits"), 0, "completed: nothing more will come from it")
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    90_000
  )

  it.live(
    "as a program: answers on standard output, errors on standard error, and its exit code",
    () =>
      Effect.gen(function* () {
        const state = `${yield* temporaryDirectory}/state`
        yield* workspace(state, "1", "approve")
        const runs = yield* Effect.forEach(
          [
            ["list", "--only", "waiting", "--json", "--state", state],
            ["show", "nobody", "--state", state],
            ["list", "--state", `${state}/nowhere`]
          ],
          (args) =>
            Effect.gen(function* () {
              const program = yield* start("molecule", ["tasks", ...args], {})
              return { exitCode: yield* program.exitCode, stdout: yield* program.stdout, output: yield* program.output }
            }),
          { concurrency: 2 }
        )
        const [list, unknown, nowhere] = runs
        assert.strictEqual(list?.output, list?.stdout)
        assert.match(list?.stdout ?? "", /^\{"tasks":\[.*\],"total":[01],"pruned":0\}\n$/)
        assert.deepInclude(unknown, { exitCode: 3, stdout: "" })
        assert.deepInclude(nowhere, { exitCode: 4, stdout: "" })
        assert.match(nowhere?.output ?? "", /^molecule: .*nowhere is not there: name .*\n$/)
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )

  it.live(
    "when nobody runs: shows, cancels and resumes under the lock, and refuses what takes the code",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const state = `${yield* temporaryDirectory}/state`
        const molecule = on(state)
        const killed = Effect.fnUntraced(function* (code: string, ...messages: ReadonlyArray<string>) {
          const { exitCode, ids, signal } = yield* workspace(state, code, ...messages)
          yield* begun(state)
          yield* signal("SIGKILL")
          yield* exitCode
          return ids
        })
        const [hang = "", approve = ""] = yield* killed("1", "hang", "approve")
        // Its code is not there any more.
        yield* killed("2")

        const [waits, held, ...refused] = yield* Effect.all(
          [
            molecule("tasks", "waits", "--json"),
            molecule("tasks", "list", "--only", "held"),
            molecule("health"),
            molecule("tasks", "provide", approve, "approval", "true"),
            molecule("tasks", "retry", hang)
          ],
          { concurrency: 1 }
        )
        const chains = yield* json(WaitChains, waits)
        assert.sameMembers(
          chains.held.map(({ id }) => id),
          [hang, approve]
        )
        expect(
          held,
          0,
          new RegExp(`^${hang.slice(0, 8)}  held .* held \\(code\\): begun by workflow version 1 with code 1`, "m")
        )
        for (const answer of refused) expect(answer, 1, /nobody (answers|runs)/)

        expect(yield* molecule("tasks", "resume", approve), 0, "is not set aside any more")
        expect(yield* molecule("tasks", "resume", approve), 1, "is not held")
        const canceled = yield* json(Changed, yield* molecule("tasks", "cancel", hang, "--json"))
        assert.deepStrictEqual(canceled, { id: hang, state: "canceled" })
        expect(yield* molecule("tasks", "cancel", hang), 1, "is canceled and cannot be cancelled")
        expect(yield* molecule("journal", "check"), 0, "are whole")

        const alive = yield* workspace(state, "1")
        expect(yield* molecule("tasks", "provide", approve, "approval", "false"), 0)
        yield* begun(state)
        expect(yield* molecule("tasks", "show", approve), 0, "answer\nrefused")
        const { tasks } = yield* json(TaskList, yield* molecule("tasks", "list", "--json"))
        assert.sameDeepMembers(
          tasks.map(({ id, state: one }) => [id, one]),
          [
            [approve, "completed"],
            [hang, "canceled"]
          ]
        )
        assert.strictEqual((yield* files.stat(`${state}/control.sock`)).mode & 0o777, 0o600)
        yield* alive.signal("SIGTERM")
        yield* alive.exitCode
        assert.isFalse(yield* files.exists(`${state}/control.sock`))
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    90_000
  )

  it.live(
    "names what is wrong: no directory, no such task, a damaged row, tables of another version",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const directory = yield* temporaryDirectory
        const state = `${directory}/state`
        const molecule = on(state)
        const { exitCode, ids, signal } = yield* workspace(state, "1", "quick", "hang")
        const [quick = "", hang = ""] = ids
        yield* begun(state)
        yield* signal("SIGKILL")
        yield* exitCode
        yield* files.makeDirectory(`${directory}/other`)

        const answers = yield* Effect.all(
          [
            on("")("tasks", "list"),
            on("")("tasks", "list", "--state", `${directory}/nowhere`),
            on(`${directory}/other`)("tasks", "waits"),
            molecule("tasks"),
            molecule("tasks", "list", "--only", "sleeping"),
            molecule("tasks", "show", "nobody"),
            molecule("tasks", "cancel", "nobody"),
            molecule("tasks", "show", ""),
            molecule("tasks", "list", "--limit", "1")
          ],
          several
        )
        const expected = [
          [2, "give --state, or set MOLECULE_STATE_DIR or WORKSPACE_ID"],
          [4, "nowhere is not there"],
          [4, "is no state directory of a workspace"],
          [2, "SUBCOMMANDS"],
          [2, /Invalid value for flag --only[^]*see molecule tasks list --help/],
          [3, "no task has an id that begins with nobody"],
          [3, "see molecule tasks list"],
          [2, new RegExp(`several tasks[^]*${quick}`)],
          [0, "1 older: see --limit"]
        ] as const
        answers.forEach((answer, index) => expectAs(answer, expected[index]))
        assert.deepStrictEqual(yield* files.readDirectory(`${directory}/other`), [])

        const tamper = (statement: string) =>
          Effect.sync(() => {
            const database = new DatabaseSync(`${state}/workspace.db`)
            database.exec(statement)
            database.close()
          })
        yield* tamper("UPDATE journal SET data = replace(data, 'quick', 'quack') WHERE kind = 'TaskAccepted'")
        const [list, show, other, check] = yield* Effect.all(
          [
            molecule("tasks", "list"),
            molecule("tasks", "show", quick),
            molecule("tasks", "show", hang),
            molecule("journal", "check")
          ],
          several
        )
        expect(
          list,
          0,
          new RegExp(`^${quick.slice(0, 8)} .* DAMAGED: row 1 of ${quick}: its checksum`, "m"),
          /hang, run 1/
        )
        expect(show, 1, /checksum.*put a backup in its place/)
        expect(other, 0)
        expect(check, 1, `damaged at row 1 of ${quick}`)

        yield* tamper("UPDATE journal SET data = replace(data, 'quack', 'quick') WHERE kind = 'TaskAccepted'")
        yield* tamper("UPDATE journal_meta SET value = '0' WHERE name = 'projection tasks'")
        expect(yield* molecule("tasks", "list"), 1, /version 0, this program reads version \d+; .*journal rebuild/)
        expect(yield* molecule("journal", "rebuild"), 0)
        expect(yield* molecule("tasks", "list"), 0)
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    90_000
  )
})
