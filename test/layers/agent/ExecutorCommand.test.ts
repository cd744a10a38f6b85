import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/testing/TestClock"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { commandDefaults, type CommandSpec } from "../../../src/services/agent/CommandSpec.ts"
import { ProcessRegistry, ProcessRegistryError } from "../../../src/services/agent/ProcessRegistry.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"
import * as ExecutorCommand from "../../../src/layers/agent/ExecutorCommand.ts"
import * as ProcessRegistryFile from "../../../src/layers/agent/ProcessRegistryFile.ts"
import * as StepDirect from "../../../src/layers/durable/StepDirect.ts"
import { eventually, isAlive, lineOf, Services, taskOf, TemporaryState } from "./processFixtures.ts"
import { saidBy } from "../../support/events.ts"

const Registry = ProcessRegistryFile.layer.pipe(Layer.provideMerge(TemporaryState), Layer.provideMerge(Services))

const ourEnvironment = ConfigProvider.layer(
  ConfigProvider.fromUnknown({
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: "/nowhere",
    SECRET: "do not tell",
    LANG: "C"
  })
)

/** A spec with a short grace; a single string is a script for `sh`. */
const specOf = (script: string, more: Partial<CommandSpec> = {}): CommandSpec => ({
  ...commandDefaults,
  program: "sh",
  args: ["-c", script, "sh"],
  killGraceSeconds: 0.05,
  timeoutSeconds: 20,
  ...more
})

/** Runs one task; answers how it ended, and what it said. */
const run = Effect.fnUntraced(function* (spec: CommandSpec, text = "") {
  const state = yield* StateDirectory
  const registry = yield* ProcessRegistry
  const events = yield* Ref.make<ReadonlyArray<StepDirect.DirectEvent>>([])
  const Executor = ExecutorCommand.layerWith(spec, { workingDirectory: state.file("work") }).pipe(
    Layer.provide([Layer.succeed(ProcessRegistry, registry), Services, ourEnvironment]),
    Layer.orDie
  )
  const said = Effect.map(Ref.get(events), (all) => all.map(({ event }) => saidBy(event)))
  const execute = Effect.flatMap(AgentExecutor, (executor) => executor.execute(taskOf(text))).pipe(
    Effect.provide([Executor, StepDirect.layerWith(events)])
  )
  return { execute, said, events: Ref.get(events) }
})

const answerOf = (spec: CommandSpec, text?: string) => Effect.flatMap(run(spec, text), ({ execute }) => execute)
const errorOf = (spec: CommandSpec, text?: string) => Effect.flip(answerOf(spec, text))

/** The file of a process's number, inside of the state directory, where programs here write it. */
const pidFile = Effect.map(StateDirectory, (state) => state.file("pid"))

const noRecords = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const state = yield* StateDirectory
  assert.deepStrictEqual(yield* fs.readDirectory(state.file("processes")), [])
})

describe.concurrent("ExecutorCommand", () => {
  it.live("gives the message on standard input and answers what the program writes", () =>
    Effect.gen(function* () {
      const { events, execute } = yield* run(specOf("tr a-z A-Z"), "hello wörld")
      const answer = yield* execute
      assert.strictEqual(answer.text, "HELLO WöRLD")
      const said = yield* events
      assert.strictEqual(said.map(({ event }) => saidBy(event)).join(""), answer.text)
      assert.deepStrictEqual(said[0], {
        step: "command",
        attempt: 1,
        number: 1,
        event: { _tag: "Output", text: said[0] === undefined ? "" : saidBy(said[0].event) }
      })
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  it.live("puts the message into the arguments, as it is, and leaves standard input empty", () =>
    Effect.gen(function* () {
      const spec = specOf("", {
        program: "sh",
        args: ["-c", `printf '<%s>' "$@"; cat`, "sh", "a {message} b {message}", "c"]
      })
      const answer = yield* answerOf(spec, `$& $1 'x' "y" \`z\` $(id)`)
      const text = `$& $1 'x' "y" \`z\` $(id)`
      assert.strictEqual(answer.text, `<a ${text} b ${text}><c>`)
    }).pipe(Effect.provide(Registry))
  )

  it.live("streams in order, while the program runs", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const go = state.file("go")
      const { execute, said } = yield* run(
        specOf(`echo one; until [ -e "${go}" ]; do sleep 0.01; done; echo two; echo three >&2; echo four`)
      )
      const fiber = yield* Effect.forkChild(execute)
      yield* eventually(said, (texts) => texts.join("") === "one\n")
      yield* fs.writeFileString(go, "")
      const answer = yield* Fiber.join(fiber)
      assert.strictEqual(answer.text, "one\ntwo\nfour\n")
      assert.strictEqual((yield* said).join(""), answer.text)
    }).pipe(Effect.provide(Registry))
  )

  it.live("keeps what comes fast together and loses nothing of much", () =>
    Effect.gen(function* () {
      const { execute, said } = yield* run(specOf("i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done"))
      const answer = yield* execute
      const expected = Array.from({ length: 20000 }, (_, index) => `${index}\n`).join("")
      assert.strictEqual(answer.text, expected)
      assert.strictEqual((yield* said).join(""), expected)
      assert.isBelow((yield* said).length, 20000)
    }).pipe(Effect.provide(Registry))
  )

  it.live("joins a character that comes in two pieces, and replaces what is no UTF-8", () =>
    Effect.gen(function* () {
      const { execute, said } = yield* run(
        specOf(String.raw`printf 'a\342\202'; sleep 0.05; printf '\254b\377c\000d'; printf '\303'`)
      )
      const answer = yield* execute
      assert.strictEqual(answer.text, "a€b\uFFFDc\0d\uFFFD")
      assert.strictEqual((yield* said).join(""), answer.text)
    }).pipe(Effect.provide(Registry))
  )

  it.live("gives the program only the environment that it may have", () =>
    Effect.gen(function* () {
      const answer = yield* answerOf(
        specOf("", {
          program: "env",
          args: [],
          passEnvironment: ["PATH", "LANG", "NOT_SET"],
          environment: { GREETING: "hello", LANG: "de" }
        })
      )
      const variables = Object.fromEntries(
        answer.text
          .trim()
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
      )
      // Set by the shell that holds the program back; which of them depends on the shell.
      const { MOLECULE_PROCESS_MARK: mark, OLDPWD: _a, PWD: _b, SHLVL: _c, _: _d, ...rest } = variables
      assert.match(mark ?? "", /^[0-9a-f-]{36}$/)
      assert.deepStrictEqual(rest, {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        LANG: "de",
        GREETING: "hello",
        MOLECULE_TASK_ID: "task-1",
        MOLECULE_CONTEXT_ID: "context-1",
        MOLECULE_MESSAGE_ID: "message-1"
      })
    }).pipe(Effect.provide(Registry))
  )

  it.live("runs in the directory that it is told", () =>
    Effect.gen(function* () {
      const state = yield* StateDirectory
      const fs = yield* FileSystem.FileSystem
      const byDefault = yield* answerOf(specOf("pwd -P"))
      assert.strictEqual(byDefault.text.trim(), yield* fs.realPath(state.file("work")))
      const told = yield* answerOf(specOf("pwd -P", { workingDirectory: state.path }))
      assert.strictEqual(told.text.trim(), yield* fs.realPath(state.path))
      const absent = yield* errorOf(specOf("pwd", { workingDirectory: state.file("absent") }))
      assert.strictEqual(absent.reason, "invalid")
      assert.include(absent.detail, state.file("absent"))
    }).pipe(Effect.provide(Registry))
  )

  it.live("finds a program by its path from the working directory, and leaves its descriptors clean", () =>
    Effect.gen(function* () {
      const state = yield* StateDirectory
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(state.file("tool"), "#!/bin/sh\n(echo open >&3) 2>/dev/null || echo closed\n")
      yield* fs.chmod(state.file("tool"), 0o755)
      const answer = yield* answerOf(specOf("", { program: "./tool", args: [], workingDirectory: state.path }))
      assert.strictEqual(answer.text, "closed\n")
      yield* fs.chmod(state.file("tool"), 0o644)
      const error = yield* errorOf(specOf("", { program: "./tool", args: [], workingDirectory: state.path }))
      assert.strictEqual(error.reason, "invalid")
    }).pipe(Effect.provide(Registry))
  )

  it.live("tells a program that is not there from one that exits with 127", () =>
    Effect.gen(function* () {
      const absent = yield* errorOf(specOf("", { program: "no-such-program-here", args: [] }))
      assert.strictEqual(absent.reason, "invalid")
      assert.include(absent.remedy ?? "", "no-such-program-here")
      const present = yield* errorOf(specOf("exit 127"))
      assert.strictEqual(present.reason, "failed")
      assert.strictEqual(present.exitCode, 127)
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  it.live("fails with exit code and the end of standard error", () =>
    Effect.gen(function* () {
      const { execute, said } = yield* run(
        specOf(
          `echo partly; i=0; while [ $i -lt 3000 ]; do printf 'é' >&2; i=$((i+1)); done; echo 'the end' >&2; exit 3`
        )
      )
      const error = yield* Effect.flip(execute)
      assert.strictEqual(error.reason, "failed")
      assert.strictEqual(error.exitCode, 3)
      assert.include(error.message, "exit code 3")
      assert.isTrue(error.stderr?.endsWith("éthe end\n"))
      assert.isAtMost(new TextEncoder().encode(error.stderr).length, 4096)
      assert.notInclude(error.stderr ?? "", "\uFFFD")
      assert.strictEqual((yield* said).join(""), "partly\n")
    }).pipe(Effect.provide(Registry))
  )

  it.live("fails when a signal ends the program", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(specOf("echo why >&2; kill -9 $$"))
      assert.strictEqual(error.reason, "failed")
      assert.include(error.detail, "SIGKILL")
      assert.strictEqual(error.exitCode, undefined)
      assert.strictEqual(error.stderr, "why\n")
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  /** How the program fails if its time is over as soon as it has written its file. */
  const timedOut = Effect.fnUntraced(function* (file: string, spec: CommandSpec) {
    const fiber = yield* Effect.forkChild(errorOf(spec))
    yield* TestClock.withLive(lineOf(file))
    yield* TestClock.adjust(`${spec.timeoutSeconds} seconds`)
    const error = yield* Fiber.join(fiber)
    assert.strictEqual(error.reason, "timeout")
    assert.include(error.detail, `${spec.timeoutSeconds} s`)
  })

  it.effect("ends program and descendants when the time is over", () =>
    Effect.gen(function* () {
      const file = yield* pidFile
      yield* timedOut(file, specOf(`sh -c 'echo $$ > "${file}"; exec sleep 1000' & echo said; wait`))
      assert.isFalse(yield* isAlive(Number(yield* lineOf(file))))
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  it.effect("kills what does not mind SIGTERM", () =>
    Effect.gen(function* () {
      const file = yield* pidFile
      yield* timedOut(file, specOf(`trap '' TERM; echo $$ > "${file}"; while :; do sleep 0.05; done`))
      assert.isFalse(yield* isAlive(Number(yield* lineOf(file))))
    }).pipe(Effect.provide(Registry))
  )

  it.effect("lets a program that minds SIGTERM clean up, and keeps its record until it has", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const file = yield* pidFile
      const cleaned = state.file("cleaned")
      const cleanUp = `trap 'ls "${state.file("processes")}" > "${cleaned}"; exit 0' TERM`
      yield* timedOut(
        file,
        specOf(`${cleanUp}; echo $$ > "${file}"; while :; do sleep 0.02; done`, { killGraceSeconds: 5 })
      )
      assert.strictEqual(yield* fs.readFileString(cleaned), `${yield* lineOf(file)}.json\n`)
    }).pipe(Effect.provide(Registry))
  )

  it.live("stops a program that writes too much", () =>
    Effect.gen(function* () {
      const { execute, said } = yield* run(specOf("", { program: "yes", args: ["é"], maxOutputBytes: 100_000 }))
      const error = yield* Effect.flip(execute)
      assert.strictEqual(error.reason, "limit")
      assert.include(error.detail, "100000")
      const bytes = new TextEncoder().encode((yield* said).join("")).length
      assert.isAtMost(bytes, 100_000)
      assert.isAbove(bytes, 99_990)
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  it.live("takes exactly as much as allowed", () =>
    Effect.gen(function* () {
      const answer = yield* answerOf(specOf("printf 12345", { maxOutputBytes: 5 }))
      assert.strictEqual(answer.text, "12345")
    }).pipe(Effect.provide(Registry))
  )

  it.live("leaves nothing running when it is interrupted", () =>
    Effect.gen(function* () {
      const file = yield* pidFile
      const { execute } = yield* run(
        specOf(`sh -c 'trap "" TERM; echo $$ > "${file}"; while :; do sleep 0.05; done' & wait`)
      )
      const fiber = yield* Effect.forkChild(execute)
      const pid = Number(yield* lineOf(file))
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* isAlive(pid))
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  it.live("does not mind a program that never reads a long message", () =>
    Effect.gen(function* () {
      const text = "x".repeat(5_000_000)
      assert.strictEqual((yield* answerOf(specOf("echo done"), text)).text, "done\n")
      assert.strictEqual((yield* answerOf(specOf("exec <&-; sleep 0.05; echo done"), text)).text, "done\n")
      assert.strictEqual((yield* answerOf(specOf("wc -c"), text)).text.trim(), "5000000")
    }).pipe(Effect.provide(Registry))
  )

  it.live("refuses a message that no argument can hold", () =>
    Effect.gen(function* () {
      const spec = specOf("", { program: "echo", args: ["{message}"] })
      const long = yield* errorOf(spec, "x".repeat(5_000_000))
      assert.strictEqual(long.reason, "invalid")
      assert.include(long.remedy ?? "", "standard input")
      const nul = yield* errorOf(spec, "a\0b")
      assert.strictEqual(nul.reason, "invalid")
      yield* noRecords
    }).pipe(Effect.provide(Registry))
  )

  it.live("gives what the program leaves behind the grace to finish writing, and then ends it", () =>
    Effect.gen(function* () {
      const file = yield* pidFile
      const late = yield* answerOf(specOf("(sleep 0.05; echo late) & echo early", { killGraceSeconds: 5 }))
      assert.strictEqual(late.text, "early\nlate\n")
      const left = yield* answerOf(specOf(`sh -c 'echo $$ > "${file}"; exec sleep 1000' & echo early`))
      assert.strictEqual(left.text, "early\n")
      assert.isFalse(yield* isAlive(Number(yield* lineOf(file))))
    }).pipe(Effect.provide(Registry))
  )

  it.live("does not wait for a process that left the group, which lives on", () =>
    Effect.gen(function* () {
      const file = yield* pidFile
      const answer = yield* answerOf(
        specOf("", {
          program: process.execPath,
          args: [
            "-e",
            `const { spawn } = require("node:child_process")
             const child = spawn("sleep", ["1000"], { detached: true, stdio: ["ignore", "inherit", "inherit"] })
             require("node:fs").writeFileSync("${file}", child.pid + "\\n")
             child.unref()
             console.log("done")`
          ]
        })
      )
      assert.strictEqual(answer.text, "done\n")
      const pid = Number(yield* lineOf(file))
      assert.isTrue(yield* isAlive(pid))
      process.kill(pid, "SIGKILL")
    }).pipe(Effect.provide(Registry))
  )

  it.live("starts nothing that it cannot record", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const registry = yield* ProcessRegistry
      const failing = Layer.succeed(ProcessRegistry, {
        ...registry,
        add: () => Effect.fail(new ProcessRegistryError({ operation: "add", cause: "disk full" }))
      })
      const error = yield* Effect.flip(
        answerOf(specOf(`touch "${state.file("started")}"`)).pipe(Effect.provide(failing))
      )
      assert.strictEqual(error.reason, "unavailable")
      assert.include(error.detail, "disk full")
      assert.isFalse(yield* fs.exists(state.file("started")))
    }).pipe(Effect.provide(Registry))
  )
})
