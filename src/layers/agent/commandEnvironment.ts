/**
 * What a program is given besides its arguments: its environment, and the file that its name stands for.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { CommandSpec } from "../../services/agent/CommandSpec.ts"
import { markVariable } from "../../services/agent/ProcessRegistry.ts"
import type { TaskInput } from "../../services/durable/AgentTask.ts"
import { ExecutorError } from "../../services/durable/Step.ts"

/** Where a program without a directory in its name is looked for if its environment has no `PATH`. */
export const defaultPath = "/usr/local/bin:/usr/bin:/bin"

/**
 * The variables that every task's program finds: those of `passEnvironment` that we have, then those of `environment`.
 * A variable that is empty here counts as one that we do not have.
 */
export const base = Effect.fnUntraced(function* (spec: CommandSpec) {
  const passed = yield* Effect.forEach(spec.passEnvironment, (name) =>
    Effect.map(
      Config.option(Config.String(name)),
      Option.map((value) => [name, value] as const)
    )
  )
  return { ...Object.fromEntries(passed.flatMap(Option.toArray)), ...spec.environment }
})

/** {@link base} and what identifies the task and its process group. */
export const forTask = (variables: Readonly<Record<string, string>>, task: TaskInput, mark: string) => ({
  ...variables,
  MOLECULE_TASK_ID: task.taskId,
  MOLECULE_CONTEXT_ID: task.contextId,
  MOLECULE_MESSAGE_ID: task.messageId,
  [markVariable]: mark
})

/**
 * The file to execute: the name itself if it has a slash (relative to the working directory), else the first executable
 * of that name in the program's own `PATH`.
 *
 * **Details**
 *
 * Found here and not by the shell that starts it, so that a program that is not there is told from one that exits with
 * 127.
 */
export const findProgram = Effect.fnUntraced(function* (program: string, directory: string, searchPath: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const isExecutable = (file: string) =>
    fs.stat(file).pipe(
      Effect.map((info) => info.type === "File" && (info.mode & 0o111) !== 0),
      // Not there, or in a directory that we may not enter: `PATH` may well name such places.
      Effect.orElseSucceed(() => false)
    )
  const candidates = program.includes("/")
    ? [path.resolve(directory, program)]
    : searchPath.split(":").map((entry) => path.resolve(directory, entry, program))
  const found = yield* Effect.findFirst(candidates, isExecutable)
  if (Option.isSome(found)) return found.value
  return yield* new ExecutorError({
    reason: "invalid",
    detail: `the program ${program} was not found`,
    remedy: program.includes("/")
      ? `install an executable file at ${path.resolve(directory, program)}`
      : `install ${program}, or name it by its full path; it was looked for in ${searchPath}`
  })
})
