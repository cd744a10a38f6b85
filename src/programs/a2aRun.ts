/**
 * `a2a`: from a command line to an exit code.
 *
 * @module
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { type CommandSpec, commands, type Parsed, parse } from "./a2aArguments.ts"
import { local, WorkspaceCommandFailed } from "./a2aErrors.ts"
import { commandHelp, usage } from "./a2aHelp.ts"
import { report } from "./a2aReport.ts"

/** The machine, as far as the tool needs it. */
export const Machine = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer)

// What a command does not need is not read: the others are to be there at once.
const execute = Effect.fnUntraced(function* (words: string, parsed: Parsed) {
  switch (words) {
    case "peers":
    case "info":
      return yield* Effect.as((yield* Effect.promise(() => import("./a2aPeers.ts"))).run(words), 0)
    case "delegate":
    case "status":
      return yield* Effect.as((yield* Effect.promise(() => import("./a2aDelegate.ts"))).run(words, parsed), 0)
    default:
      return yield* (yield* Effect.promise(() => import("./a2aStandardRun.ts"))).run(words, parsed)
  }
})

const decodeVersion = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

// Of the package, which is two folders up both in the sources and where it is installed.
const version = Effect.gen(function* () {
  const path = yield* Path.Path
  const file = yield* path.fromFileUrl(new URL("../../package.json", import.meta.url))
  return (yield* decodeVersion(yield* (yield* FileSystem.FileSystem).readFileString(file))).version
}).pipe(Effect.orElseSucceed(() => "unknown"))

const show = (text: string) => Effect.as(Console.log(text), 0)
const helpFor = (command: CommandSpec | undefined) => show(command === undefined ? usage() : commandHelp(command))

const dispatch = Effect.fnUntraced(function* (parsed: Parsed) {
  const { args, command, problem, unknown, values } = parsed
  if (values.has("version")) return yield* show(`a2a ${yield* version}`)
  if (values.has("help") && unknown === undefined) return yield* helpFor(command)
  if (unknown !== undefined) return yield* local("USAGE", `there is no command \`${unknown}\``, "a2a help")
  if (problem !== undefined)
    return yield* local("USAGE", problem, command === undefined ? "a2a help" : `a2a ${command.words} --help`)
  if (command === undefined) {
    yield* helpFor(undefined)
    return yield* new WorkspaceCommandFailed({ message: "" })
  }
  if (command.words === "help") {
    const found = commands.find(({ words }) => words === args.join(" "))
    return args.length > 0 && found === undefined
      ? yield* local("USAGE", `there is no command \`${args.join(" ")}\``, "a2a help")
      : yield* helpFor(found)
  }
  return yield* execute(command.words, parsed)
})

// As long as the files of settings are not read.
const wantsJson = Effect.fnUntraced(function* ({ command, values }: Parsed) {
  const fromEnv = yield* Effect.orElseSucceed(Config.String("A2ACLI_OUTPUT"), () => "text")
  return command?.own !== true && (values.get("output")?.[0] ?? fromEnv) === "json"
})

const Diagnostics = (debug: boolean) =>
  Layer.mergeAll(
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, debug ? "Debug" : "Error")
  )

/** Runs a command line; succeeds with the exit code. What nobody thought of is an internal error, not a stack. */
export const run = (argv: ReadonlyArray<string>) => {
  const parsed = parse(argv)
  return dispatch(parsed).pipe(
    Effect.catchDefect((defect) =>
      Effect.andThen(
        Effect.logDebug("an error of the tool", defect),
        Effect.fail(
          local(
            "INTERNAL",
            Predicate.isError(defect) ? defect.message : "something went wrong in the tool",
            "run again with --debug"
          )
        )
      )
    ),
    Effect.catch((error) => Effect.flatMap(wantsJson(parsed), (json) => report(error, json))),
    Effect.provide(Diagnostics(parsed.values.has("debug")))
  )
}

/** The exit code: what {@link run} says; 130 for one that a signal ended. */
export const exitCodeOf = <A, E>(exit: Exit.Exit<A, E>): number =>
  Exit.isSuccess(exit) ? Number(exit.value) : Cause.hasInterruptsOnly(exit.cause) ? 130 : 1
