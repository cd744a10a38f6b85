/**
 * Keeps the team's programs running: each an OS process of its own, started again when it dies.
 *
 * @module
 */
import * as ChildProcess from "effect/process/ChildProcess"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { ProcessGroup, ProcessRegistry } from "../../services/agent/ProcessRegistry.ts"
import { TeamError } from "../../services/local/Team.ts"

/** A program to keep running. */
export interface Program {
  readonly name: string
  /** The executable and its arguments. */
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly environment: Readonly<Record<string, string>>
  /** Where standard output and error go. */
  readonly logFile: string
}

/** A program that dies sooner than this after its start counts as not having started. */
const startMillis = 5_000

/** So many failed starts in a row, and we give up. */
const maxFailedStarts = 3

/** After SIGTERM, a program has this long to drain before SIGKILL: longer than the workspace's own drain time. */
const killGrace = "45 seconds"

const logTail = Effect.fnUntraced(function* (logFile: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.orElseSucceed(files.readFileString(logFile), () => "")
  return text.trimEnd().split("\n").slice(-8).join("\n")
})

// One life of the program. It is recorded, so that the next start ends it if we are killed before it.
const runOnce = Effect.fnUntraced(function* (program: Program, mark: string) {
  const files = yield* FileSystem.FileSystem
  const registry = yield* ProcessRegistry
  const [executable, ...args] = program.command
  const child = yield* ChildProcess.make(executable, args, {
    env: { ...program.environment, MOLECULE_PROCESS_MARK: mark },
    extendEnv: true,
    stdin: "ignore",
    forceKillAfter: killGrace
  })
  const pgid = Number(child.pid)
  const startTime = yield* registry.startTime(pgid)
  yield* registry.add(new ProcessGroup({ pgid, startTime, mark, taskId: "", command: program.name }))
  yield* Effect.addFinalizer(() => Effect.ignore(registry.remove(pgid), { log: "Warn" }))
  yield* child.all.pipe(
    Stream.run(files.sink(program.logFile, { flag: "a", mode: 0o600 })),
    Effect.catch((error) => Effect.logWarning("log not written", { program: program.name, error: error.message })),
    Effect.forkScoped
  )
  return yield* child.exitCode
}, Effect.scoped)

/**
 * Runs a program for ever. It fails, with the end of its log, when the program does not stay up.
 *
 * **Details**
 *
 * When interrupted it ends the whole process group: SIGTERM first, SIGKILL for who does not go.
 */
export const keepRunning = Effect.fn("supervisor.keepRunning")(
  function* (program: Program) {
    let failedStarts = 0
    while (true) {
      const startedAt = yield* Clock.currentTimeMillis
      const mark = `${program.name}-${startedAt}`
      const code = yield* Effect.catchTag(runOnce(program, mark), "PlatformError", (error) =>
        Effect.as(Effect.logDebug("program ended by a signal or not started", error), -1)
      )
      const age = (yield* Clock.currentTimeMillis) - startedAt
      failedStarts = age < startMillis ? failedStarts + 1 : 0
      if (failedStarts >= maxFailedStarts) {
        return yield* new TeamError({
          detail: `${program.name} does not start (exit code ${code}); the end of its log:\n${yield* logTail(program.logFile)}`,
          remedy: `its log is ${program.logFile}`
        })
      }
      yield* Effect.logWarning(`${program.name} ended (exit code ${code}) and is started again`)
      yield* Effect.sleep("300 millis")
    }
  },
  Effect.catchTag("ProcessRegistryError", (error) =>
    Effect.fail(new TeamError({ detail: error.message, remedy: "check the disk that holds the state directory" }))
  )
)

/** Waits until `check` succeeds, asking every 50 ms, and fails with the program's log after `seconds`. */
export const waitFor = <E, R>(program: Program, seconds: number, check: Effect.Effect<unknown, E, R>) =>
  check.pipe(
    Effect.retry(Schedule.spaced("50 millis")),
    Effect.asVoid,
    Effect.timeoutOrElse({
      duration: `${seconds} seconds`,
      orElse: () =>
        Effect.flatMap(logTail(program.logFile), (tail) =>
          Effect.fail(
            new TeamError({
              detail: `${program.name} is not ready after ${seconds} s; the end of its log:\n${tail}`,
              remedy: `its log is ${program.logFile}`
            })
          )
        )
    })
  )
