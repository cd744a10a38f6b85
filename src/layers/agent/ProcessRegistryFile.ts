/**
 * The process registry in the state directory: one small file for each group.
 *
 * @module
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type { PlatformError } from "effect/PlatformError"
import {
  markVariable,
  ProcessGroup,
  ProcessRegistry,
  ProcessRegistryError
} from "../../services/agent/ProcessRegistry.ts"
import { StateDirectory } from "../../services/workspace/StateDirectory.ts"
import { unfinished, writeFileAtomic } from "../disk/atomicFile.ts"
import * as ProcessTable from "./processTable.ts"

/** What the registry asks about processes, and how long it waits for the killed to be gone. */
export interface Options {
  /** The operating system's process table; the one of this system unless given. */
  readonly table: Effect.Effect<ProcessTable.ProcessTable, PlatformError, FileSystem.FileSystem | ChildProcessSpawner>
  /** How long a killed group may take until nothing of it runs. */
  readonly killTimeout: Duration.Input
}

/** This system's table, and five seconds. */
export const defaults: Options = { table: ProcessTable.native, killTimeout: "5 seconds" }

const Record = Schema.fromJsonString(ProcessGroup)
const decode = Schema.decodeUnknownEffect(Record)
const encode = Schema.encodeEffect(Record)

/** How many groups are looked at, and killed, at once. */
const concurrency = 8

const failure = (operation: string) =>
  Effect.mapError((cause: unknown) => new ProcessRegistryError({ operation, cause }))

type Verdict = "ours" | "gone" | "stranger" | "unknown"

const make = Effect.fnUntraced(function* (options: Options) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const state = yield* StateDirectory
  const table = yield* options.table
  const directory = state.file("processes")
  yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })

  const recordOf = (pgid: number) => path.join(directory, `${pgid}.json`)

  const syncDirectory = Effect.scoped(Effect.flatMap(fs.open(directory, { flag: "r" }), (handle) => handle.sync))

  const disk = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const write = (group: ProcessGroup) =>
    Effect.flatMap(encode(group), (text) => writeFileAtomic(recordOf(group.pgid), text)).pipe(
      Effect.provideContext(disk)
    )

  // A number belongs to a group as long as the group has a member: a leader with another start time means that ours has
  // none left. Without a leader only the mark tells our members from those of a stranger's group of that number.
  const judge = Effect.fnUntraced(function* (group: ProcessGroup) {
    const leader = yield* table.startTime(group.pgid)
    const members = yield* table.members(group.pgid)
    if (members.length === 0) return "gone"
    if (Option.isSome(leader)) return leader.value === group.startTime ? "ours" : "stranger"
    const answers = yield* Effect.forEach(members, (pid) => table.environmentHas(pid, `${markVariable}=${group.mark}`))
    const known = Option.all(answers)
    if (answers.some((answer) => Option.isSome(answer) && answer.value)) return "ours"
    return Option.isSome(known) ? "stranger" : "unknown"
  })

  const awaitGone = (pgid: number) =>
    table
      .members(pgid)
      .pipe(
        Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (members) => members.length === 0 }),
        Effect.timeoutOption(options.killTimeout),
        Effect.map(Option.isSome)
      )

  /** Kills the group if it is ours; `Some` if it was, and nothing of it runs any more. */
  const end = Effect.fnUntraced(
    function* (group: ProcessGroup) {
      const verdict: Verdict = yield* judge(group)
      if (verdict === "unknown") {
        yield* Effect.logWarning(
          "a program of a former run may have left processes behind, which cannot be recognised here: end them by hand"
        )
      }
      if (verdict !== "ours") {
        yield* fs.remove(recordOf(group.pgid), { force: true })
        return Option.none<ProcessGroup>()
      }
      const killed = yield* Effect.result(ProcessTable.killGroup(group.pgid))
      if (Result.isFailure(killed) || !(yield* awaitGone(group.pgid))) {
        yield* Effect.logError(
          "a program of a former run could not be ended: end it by hand",
          Result.isFailure(killed) ? killed.failure : "it still runs after SIGKILL"
        )
        return Option.none<ProcessGroup>()
      }
      yield* fs.remove(recordOf(group.pgid), { force: true })
      return Option.some(group)
    },
    (effect, { command, pgid, taskId }) => Effect.annotateLogs(effect, { command, pgid, taskId })
  )

  const endFile = Effect.fnUntraced(function* (name: string) {
    const file = path.join(directory, name)
    const group = yield* Effect.result(Effect.flatMap(fs.readFileString(file), decode))
    if (Result.isSuccess(group) && name === `${group.success.pgid}.json`) return yield* end(group.success)
    // A temporary file is a record that was not durable yet, so its program has not started.
    if (!name.endsWith(unfinished)) {
      yield* Effect.logWarning("a process record cannot be read and is removed", {
        file,
        cause: Result.isFailure(group) ? group.failure.message : "it is about another process group than its name says"
      })
    }
    yield* fs.remove(file, { force: true })
    return Option.none<ProcessGroup>()
  })

  return ProcessRegistry.of({
    startTime: Effect.fn("ProcessRegistry.startTime")(function* (pid) {
      const start = yield* failure("startTime")(table.startTime(pid))
      return Option.isSome(start)
        ? start.value
        : yield* new ProcessRegistryError({ operation: "startTime", cause: `there is no process ${pid}` })
    }),
    add: Effect.fn("ProcessRegistry.add")((group) => failure("add")(write(group))),
    remove: Effect.fn("ProcessRegistry.remove")((pgid) =>
      failure("remove")(fs.remove(recordOf(pgid), { force: true }))
    ),
    endOrphans: Effect.gen(function* () {
      const names = yield* fs.readDirectory(directory)
      const ended = yield* Effect.forEach(names, endFile, { concurrency })
      yield* syncDirectory
      return ended.flatMap(Option.toArray)
    }).pipe(failure("endOrphans"), Effect.withSpan("ProcessRegistry.endOrphans"))
  })
})

/**
 * The registry in `<state>/processes/<pgid>.json`.
 *
 * **Details**
 *
 * A record is written to a temporary file, flushed, renamed and its directory flushed, so that it is either there whole
 * or not at all. Removing is not flushed: a record that comes back after a power cut is of a boot that is over.
 */
export const layerWith = (options: Partial<Options> = {}) =>
  Layer.effect(ProcessRegistry, failure("open")(make({ ...defaults, ...options })))

/** {@link layerWith} without changes. */
export const layer = layerWith()
