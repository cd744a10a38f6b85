/**
 * What the operating system knows about processes: when they started, who belongs to a group, what their environment says.
 *
 * @module
 */
import * as NodeProcess from "node:process"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { ProcessRegistryError } from "../../services/agent/ProcessRegistry.ts"

/** The questions that recognising an orphan takes. */
export interface ProcessTable {
  /** When the process started, as text that no later process of that number has; `None` if there is no such process. */
  readonly startTime: (pid: number) => Effect.Effect<Option.Option<string>, PlatformError>
  /** The members of a process group that still run; zombies do not. */
  readonly members: (pgid: number) => Effect.Effect<ReadonlyArray<number>, PlatformError>
  /** Does the process's environment, as it was at its start, hold `NAME=value`? `None` where that cannot be read. */
  readonly environmentHas: (pid: number, assignment: string) => Effect.Effect<Option.Option<boolean>>
}

interface Stat {
  readonly state: string
  readonly group: number
  readonly start: string
}

// proc(5): the second field is the program's name in parentheses, and may itself hold parentheses and spaces.
const parseStat = (text: string): Option.Option<Stat> => {
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .trim()
    .split(" ")
  const [state, , group] = fields
  const start = fields[19]
  return state === undefined || group === undefined || start === undefined
    ? Option.none()
    : Option.some({ state, group: Number(group), start })
}

const isGone = (state: string) => state.startsWith("Z") || state.startsWith("X")

/**
 * Linux: `/proc`. A start time is the boot's id and field 22 of `stat`, clock ticks since that boot.
 */
export const proc = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const boot = (yield* fs.readFileString("/proc/sys/kernel/random/boot_id")).trim()

  // A process that ends while it is read answers ENOENT or ESRCH: either way its directory is gone then.
  const stat = (pid: number) =>
    fs.readFileString(`/proc/${pid}/stat`).pipe(
      Effect.map(parseStat),
      Effect.catch((error) =>
        Effect.flatMap(fs.exists(`/proc/${pid}`), (exists) =>
          exists ? Effect.fail(error) : Effect.succeed(Option.none<Stat>())
        )
      )
    )

  const table: ProcessTable = {
    startTime: (pid) =>
      Effect.map(
        stat(pid),
        Option.map(({ start }) => `${boot}/${start}`)
      ),
    members: Effect.fnUntraced(function* (pgid) {
      const pids = (yield* fs.readDirectory("/proc")).filter((name) => /^\d+$/.test(name)).map(Number)
      const found: Array<number> = []
      for (const pid of pids) {
        const read = yield* stat(pid)
        if (Option.isSome(read) && read.value.group === pgid && !isGone(read.value.state)) found.push(pid)
      }
      return found
    }),
    environmentHas: (pid, assignment) =>
      fs.readFileString(`/proc/${pid}/environ`).pipe(
        Effect.map((environment) => environment.split("\0").includes(assignment)),
        Effect.option
      )
  }
  return table
})

/**
 * Elsewhere (macOS): `ps`. A start time is `lstart`, to the second and in UTC. Environments are not read: `ps` shows them
 * there for some programs only, and mixed with the arguments.
 */
export const ps = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner
  const environment = { LC_ALL: "C", TZ: "UTC", PATH: "/bin:/usr/bin" }
  // An unknown process is an exit code of 1 and no output.
  const lines = (...args: ReadonlyArray<string>) =>
    spawner.lines(ChildProcess.make("ps", args, { env: environment, stdin: "ignore" }))

  const table: ProcessTable = {
    startTime: (pid) =>
      Effect.map(lines("-o", "lstart=", "-p", String(pid)), ([line]) =>
        Option.filter(Option.fromNullishOr(line?.trim()), (start) => start !== "")
      ),
    members: (pgid) =>
      Effect.map(lines("-A", "-o", "pid=,pgid=,stat="), (rows) =>
        rows.flatMap((row) => {
          const [pid, group, state] = row.trim().split(/\s+/)
          return pid !== undefined && Number(group) === pgid && state !== undefined && !isGone(state)
            ? [Number(pid)]
            : []
        })
      ),
    environmentHas: () => Effect.succeedNone
  }
  return table
})

/** The table of the system that we are on. */
export const native: Effect.Effect<ProcessTable, PlatformError, FileSystem.FileSystem | ChildProcessSpawner> =
  Effect.suspend((): Effect.Effect<ProcessTable, PlatformError, FileSystem.FileSystem | ChildProcessSpawner> =>
    NodeProcess.platform === "linux" ? proc : ps
  )

/** Kills every member of a process group with SIGKILL. A group that is gone is no error; the failure is the system's own. */
export const killGroup = (pgid: number): Effect.Effect<void, ProcessRegistryError> =>
  Effect.try({
    try: () => {
      NodeProcess.kill(-pgid, "SIGKILL")
    },
    catch: (cause) => new ProcessRegistryError({ operation: "kill", cause })
  }).pipe(
    Effect.catchIf(
      ({ cause }) => Predicate.hasProperty(cause, "code") && cause.code === "ESRCH",
      () => Effect.void
    )
  )
