/**
 * The executor that runs a program for each task.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as ChildProcess from "effect/process/ChildProcess"
import { type ChildProcessHandle, ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { type CommandSpec, messagePlaceholder } from "../../services/agent/CommandSpec.ts"
import { ProcessGroup, ProcessRegistry } from "../../services/agent/ProcessRegistry.ts"
import { type TaskInput, TaskOutput } from "../../services/durable/AgentTask.ts"
import { ExecutorError, output, Step } from "../../services/durable/Step.ts"
import * as CommandEnvironment from "./commandEnvironment.ts"
import * as CommandOutput from "./commandOutput.ts"

/** What the layer needs to know besides the program. */
export interface Options {
  /** Where programs run whose `CommandSpec` names no working directory; created if it is not there. */
  readonly workingDirectory: string
}

/** The descriptor on which the program's start is awaited. */
const goFd = 3

// Holds the program back until its group is recorded. Should we die before, the pipe ends and nothing is started.
const gate = `IFS= read -r MOLECULE_GO <&${goFd} || exit 125; exec ${goFd}<&-; exec "$@"`

/**
 * How long a pipe may stay silent, once the program and its whole group are gone, before we stop reading it: only a
 * process that left the group can hold it open then.
 */
const silence = Duration.millis(500)

const encoder = new TextEncoder()

type End = { readonly _tag: "Exited"; readonly code: number } | { readonly _tag: "Killed"; readonly how: string }

const isTooLong = (defect: unknown) => Predicate.hasProperty(defect, "code") && defect.code === "E2BIG"

const tooLong = new ExecutorError({
  reason: "invalid",
  detail: "the message is too long for an argument of a program",
  remedy: `have the program read it from standard input: leave ${messagePlaceholder} out of its arguments`
})

const spawnFailure = (error: PlatformError) =>
  error.reason._tag === "BadArgument"
    ? new ExecutorError({ reason: "invalid", detail: `the program cannot be given this message: ${error.message}` })
    : new ExecutorError({ reason: "unavailable", detail: `the program could not be started: ${error.message}` })

const unavailable = (error: { readonly message: string }) =>
  new ExecutorError({
    reason: "unavailable",
    detail: `the program was not started: ${error.message}`,
    remedy: "check the disk that holds the workspace's state directory"
  })

const endOf = (handle: ChildProcessHandle): Effect.Effect<End> =>
  Effect.match(handle.exitCode, {
    onSuccess: (code): End => ({ _tag: "Exited", code }),
    onFailure: (error): End => ({ _tag: "Killed", how: /SIG[A-Z0-9]+/.exec(String(error.cause))?.[0] ?? error.message })
  })

// A program need not read what it is given: a pipe that it closed is no failure.
const writeTo = (sink: ChildProcessHandle["stdin"], data: string) =>
  Stream.run(Stream.make(encoder.encode(data)), sink).pipe(
    Effect.catch((error) => Effect.logDebug("the program closed its input", error))
  )

/** What the readers of a program's pipes are doing. */
interface Reading {
  chunks: number
  busy: boolean
}

/** Waits for a reader to come to the end of its pipe, or to have heard nothing for a while. */
const awaitEnd = Effect.fnUntraced(function* <E>(reader: Fiber.Fiber<void, E>, reading: Readonly<Reading>) {
  while (true) {
    const before = reading.chunks
    const ended = yield* Effect.timeoutOption(Fiber.join(reader), silence)
    if (Option.isSome(ended)) return
    if (!reading.busy && reading.chunks === before) {
      yield* Fiber.interrupt(reader)
      return
    }
  }
})

const make = Effect.fnUntraced(function* (spec: CommandSpec, options: Options) {
  const registry = yield* ProcessRegistry
  const spawner = yield* ChildProcessSpawner
  const random = yield* SecureRandom.SecureRandom
  const files = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const variables: Readonly<Record<string, string>> = yield* CommandEnvironment.base(spec)
  const directory = path.resolve(spec.workingDirectory ?? options.workingDirectory)
  if (spec.workingDirectory === undefined) yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
  const inArguments = spec.args.some((arg) => arg.includes(messagePlaceholder))
  const grace = Duration.seconds(spec.killGraceSeconds)

  const start = Effect.fnUntraced(function* (task: TaskInput, mark: string) {
    const isDirectory = yield* Effect.match(fs.stat(directory), {
      onSuccess: ({ type }) => type === "Directory",
      onFailure: () => false
    })
    if (!isDirectory) {
      return yield* new ExecutorError({
        reason: "invalid",
        detail: `the working directory ${directory} is not there`,
        remedy: "create it, or configure another (MOLECULE_COMMAND_DIR)"
      })
    }
    const program = yield* CommandEnvironment.findProgram(
      spec.program,
      directory,
      variables["PATH"] ?? CommandEnvironment.defaultPath
    ).pipe(Effect.provideContext(files))
    const args = spec.args.map((arg) => arg.replaceAll(messagePlaceholder, () => task.text))
    const command = ChildProcess.make("/bin/sh", ["-c", gate, "sh", program, ...args], {
      cwd: directory,
      env: CommandEnvironment.forTask(variables, task, mark),
      extendEnv: false,
      stdin: inArguments ? "ignore" : "pipe",
      additionalFds: { [`fd${goFd}`]: { type: "input" } },
      forceKillAfter: grace
    })
    return yield* spawner.spawn(command).pipe(
      Effect.mapError(spawnFailure),
      // Node throws where the system says so at once; everything else that is thrown here is a bug.
      Effect.catchDefect((defect) => (isTooLong(defect) ? Effect.fail(tooLong) : Effect.die(defect)))
    )
  })

  const run = Effect.fnUntraced(function* (task: TaskInput, emit: Step["Service"]["emit"]) {
    const text = CommandOutput.makeText(spec.maxOutputBytes)
    const errors = CommandOutput.makeTail(CommandOutput.stderrBytes)
    let pgid: number | undefined
    const reading: Reading = { chunks: 0, busy: false }

    const fail = (fields: Pick<ExecutorError, "reason" | "detail" | "remedy" | "exitCode">) =>
      Effect.suspend(() => {
        const stderr = errors.text()
        return Effect.fail(new ExecutorError({ ...fields, ...(stderr === "" ? undefined : { stderr }) }))
      })

    const readOutput = (handle: ChildProcessHandle) =>
      Stream.runForEachArray(
        handle.stdout,
        Effect.fnUntraced(function* (arrived) {
          // Whatever came while the last event was written makes one event: nothing waits, and nothing piles up.
          let said = ""
          reading.busy = true
          for (const chunk of arrived) {
            const added = text.add(chunk)
            said += added.text
            if (added.over) {
              if (said !== "") yield* emit(output(said))
              return yield* fail({
                reason: "limit",
                detail: `${spec.program} wrote more than ${spec.maxOutputBytes} bytes`,
                remedy: "have it write less, or allow more (MOLECULE_COMMAND_MAX_OUTPUT)"
              })
            }
          }
          if (said !== "") yield* emit(output(said))
          reading.busy = false
          reading.chunks++
        })
      ).pipe(
        Effect.catchTag("PlatformError", (error) =>
          fail({ reason: "failed", detail: `the output of ${spec.program} could not be read: ${error.message}` })
        )
      )

    const readErrors = (handle: ChildProcessHandle) =>
      Stream.runForEach(handle.stderr, (chunk) =>
        Effect.sync(() => {
          errors.add(chunk)
          reading.chunks++
        })
      ).pipe(Effect.catch((error) => Effect.logWarning("standard error could not be read", error)))

    const record = Effect.fnUntraced(function* (handle: ChildProcessHandle, mark: string) {
      const startTime = yield* registry.startTime(handle.pid)
      pgid = handle.pid
      yield* registry.add(
        new ProcessGroup({ pgid: handle.pid, startTime, mark, taskId: task.taskId, command: spec.program })
      )
    }, Effect.mapError(unavailable))

    const forget = Effect.suspend(() => (pgid === undefined ? Effect.void : registry.remove(pgid))).pipe(
      // A record that stays is harmless: the next start finds nobody behind it.
      Effect.catch((error) => Effect.logWarning("a process record stays", error))
    )

    const finish = Effect.fnUntraced(function* (handle: ChildProcessHandle) {
      const stdout = yield* Effect.forkScoped(readOutput(handle))
      const stderr = yield* Effect.forkScoped(readErrors(handle))
      yield* writeTo(handle.getInputFd(goFd), "go\n")
      if (!inArguments) yield* Effect.forkScoped(writeTo(handle.stdin, task.text))

      const end = yield* Effect.raceFirst(endOf(handle), Effect.andThen(Fiber.join(stdout), Effect.never))
      // The rest of the group may still be writing. It has the grace for that; who is left then is not waited for.
      const complete = yield* Effect.timeoutOption(Fiber.join(stdout), grace)
      if (Option.isNone(complete)) {
        yield* Effect.ignore(handle.kill({ forceKillAfter: grace }), { log: "Debug" })
        yield* awaitEnd(stdout, reading)
      }
      yield* awaitEnd(stderr, reading)
      const rest = text.end()
      if (rest !== "") yield* emit(output(rest))
      return end
    })

    const mark = yield* random.uuidV4()
    const end = yield* Effect.scoped(
      Effect.gen(function* () {
        // Added first, so that it runs last: the record goes when the group has gone.
        yield* Effect.addFinalizer(() => forget)
        const handle = yield* start(task, mark)
        yield* record(handle, mark)
        return yield* Effect.timeoutOrElse(finish(handle), {
          duration: Duration.seconds(spec.timeoutSeconds),
          orElse: () =>
            fail({
              reason: "timeout",
              detail: `${spec.program} did not end within ${spec.timeoutSeconds} s`,
              remedy: "give it less to do, or more time (MOLECULE_COMMAND_TIMEOUT)"
            })
        })
      })
    )
    if (end._tag === "Killed") {
      return yield* fail({ reason: "failed", detail: `${spec.program} was ended by ${end.how}` })
    }
    if (end.code !== 0) {
      return yield* fail({
        reason: "failed",
        detail: `${spec.program} ended with exit code ${end.code}`,
        exitCode: end.code
      })
    }
    return new TaskOutput({ text: text.all() })
  })

  return AgentExecutor.of({
    name: "command",
    execute: Effect.fn("ExecutorCommand.execute")(function* (task) {
      const { emit, step } = yield* Step
      return yield* step("command", TaskOutput, run(task, emit))
    })
  })
})

/**
 * Runs the program of `spec` for each task. The run is one step; what the program writes on standard output is the answer
 * and is streamed as it comes.
 *
 * **Details**
 *
 * The program runs in a process group of its own, which is recorded durably before the program starts: a small shell holds
 * it back until then. Whatever ends the run (its own end, failure, time, output limit, cancellation), the whole group gets
 * SIGTERM, after the grace SIGKILL, and is waited for. When the program itself has ended, what it left in its group has
 * the grace to finish writing.
 *
 * Failures: `invalid` for a program or directory that is not there and for a message that does not fit into an argument,
 * `failed` for an exit code or a signal, `timeout`, `limit`, and `unavailable` where the group could not be recorded.
 *
 * **Gotchas**
 *
 * A process that leaves the group (`setsid`) is not found and lives on: only a container or cgroup holds such a one.
 * Standard input is a socket, as Node makes it: to open `/dev/stdin` by name fails on Linux. The shell adds `PWD`, and
 * some shells `SHLVL` and `_`, to the program's environment. Where a message takes the place of an argument it may look
 * like an option: put `--` before it.
 *
 * **Example**
 *
 * ```ts
 * const WordCount = ExecutorCommand.layerWith(
 *   { ...commandDefaults, program: "wc", args: ["-w"] },
 *   { workingDirectory: "/var/lib/agent/work" }
 * )
 * ```
 */
export const layerWith = (spec: CommandSpec, options: Options) => Layer.effect(AgentExecutor, make(spec, options))
