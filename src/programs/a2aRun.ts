/**
 * `a2a`: from a command line to an exit code.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
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
import * as AgentClientHttp from "../layers/a2a/AgentClientHttp.ts"
import * as ContainerNode from "../layers/workspace/ContainerNode.ts"
import * as CredentialsReadOnly from "../layers/workspace/CredentialsReadOnly.ts"
import * as PlatformClientHttp from "../layers/workspace/PlatformClientHttp.ts"
import * as PlatformConfigEnv from "../layers/workspace/PlatformConfigEnv.ts"
import * as Agent from "./a2aAgent.ts"
import { type CommandSpec, commands, type Parsed, parse } from "./a2aArguments.ts"
import { type CliError, Envelope, local, ofClient } from "./a2aErrors.ts"
import { commandHelp, usage } from "./a2aHelp.ts"
import * as Settings from "./a2aSettings.ts"
import * as Standard from "./a2aStandard.ts"
import * as Workspace from "./a2aWorkspace.ts"

/** The machine, as far as the tool needs it. */
export const Machine = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer, NodeCrypto.layer)

const standard = Effect.fnUntraced(function* (words: string, parsed: Parsed, settings: Settings.Settings) {
  switch (words) {
    case "card get":
      return yield* Standard.cardGet(parsed, settings)
    case "send":
      return yield* Standard.send(parsed, settings)
    case "task get":
      return yield* Standard.taskGet(parsed, settings)
    case "task list":
      return yield* Standard.taskList(parsed, settings)
    case "task subscribe":
      return yield* Standard.taskSubscribe(parsed, settings)
    case "task cancel":
      return yield* Standard.taskCancel(parsed, settings)
    default:
      return yield* Standard.configShow(parsed, settings)
  }
})

const workspace = Effect.fnUntraced(function* (words: string, parsed: Parsed) {
  switch (words) {
    case "delegate":
      return yield* Workspace.delegate(parsed)
    case "status":
      return yield* Workspace.status(parsed)
    case "peers":
      return yield* Workspace.peers()
    default:
      return yield* Workspace.info()
  }
})

// Connections are kept for the next request, and go with the program.
const httpOf = (insecure: boolean) =>
  NodeHttpClient.layerNodeHttpNoAgent.pipe(
    Layer.provide(NodeHttpClient.layerAgentOptions({ keepAlive: true, rejectUnauthorized: !insecure }))
  )

const Own = PlatformClientHttp.layerWith({ retries: 0 }).pipe(
  Layer.provideMerge(CredentialsReadOnly.layer),
  Layer.provideMerge(PlatformConfigEnv.layer),
  Layer.provide(ContainerNode.layer)
)

const runOwn = (words: string, parsed: Parsed) =>
  workspace(words, parsed).pipe(
    Effect.provide(Layer.merge(AgentClientHttp.layer, Own).pipe(Layer.provide(httpOf(false)))),
    Effect.mapError((error) =>
      error._tag === "WorkspaceCommandFailed" ? error : new Workspace.WorkspaceCommandFailed({ message: error.message })
    )
  )

const runStandard = Effect.fnUntraced(function* (words: string, parsed: Parsed) {
  const settings = yield* Effect.catchTag(Settings.make(parsed), "ConfigError", ({ message }) =>
    Effect.fail(local("USAGE", message))
  )
  const insecure = settings.on("insecure")
  if (insecure) yield* Agent.note("WARNING: TLS certificates are not verified (--insecure)")
  if (insecure && Agent.hasCredentials(settings)) {
    yield* Agent.note("WARNING: credentials are sent to whoever answers: anybody on the way can read them")
  }
  const asked = { credentials: Agent.hasCredentials(settings), taskId: settings.text("task-id") }
  yield* standard(words, parsed, settings).pipe(
    Effect.mapError((error) => (error._tag === "CliError" ? error : ofClient(error, asked))),
    Effect.provide(AgentClientHttp.layer.pipe(Layer.provide(httpOf(insecure))))
  )
})

const decodeVersion = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

// Of the package, which is two folders up both in the sources and where it is installed.
const version = Effect.gen(function* () {
  const path = yield* Path.Path
  const file = yield* path.fromFileUrl(new URL("../../package.json", import.meta.url))
  return (yield* decodeVersion(yield* (yield* FileSystem.FileSystem).readFileString(file))).version
}).pipe(Effect.orElseSucceed(() => "unknown"))

const helpFor = (command: CommandSpec | undefined) =>
  Console.log(command === undefined ? usage() : commandHelp(command))

const dispatch = Effect.fnUntraced(function* (parsed: Parsed) {
  const { args, command, problem, unknown, values } = parsed
  if (values.has("version")) return yield* Console.log(`a2a ${yield* version}`)
  if (values.has("help") && unknown === undefined) return yield* helpFor(command)
  if (unknown !== undefined) return yield* local("USAGE", `there is no command \`${unknown}\``, "a2a help")
  if (problem !== undefined)
    return yield* local("USAGE", problem, command === undefined ? "a2a help" : `a2a ${command.words} --help`)
  if (command === undefined) {
    yield* helpFor(undefined)
    return yield* new Workspace.WorkspaceCommandFailed({ message: "" })
  }
  if (command.words === "help") {
    const found = commands.find(({ words }) => words === args.join(" "))
    return args.length > 0 && found === undefined
      ? yield* local("USAGE", `there is no command \`${args.join(" ")}\``, "a2a help")
      : yield* helpFor(found)
  }
  yield* command.own === true ? runOwn(command.words, parsed) : runStandard(command.words, parsed)
})

const toJson = Schema.encodeEffect(Schema.fromJsonString(Envelope))

// With `-o json` an error is the result; otherwise it is for whoever reads stderr.
const report = Effect.fnUntraced(function* (parsed: Parsed, error: CliError | Workspace.WorkspaceCommandFailed) {
  if (error._tag === "WorkspaceCommandFailed") {
    if (error.message !== "") yield* Console.error(error.message)
    return 1
  }
  const fromEnv = yield* Effect.orElseSucceed(
    Config.String("A2ACLI_OUTPUT").pipe(Config.withDefault("text")),
    () => "text"
  )
  const { a2aCode, code, exit, hint, message } = error
  const json = parsed.command?.own !== true && (parsed.values.get("output")?.[0] ?? fromEnv) === "json"
  if (json) yield* Console.log(yield* Effect.orDie(toJson({ error: { code, message, hint, a2aCode } })))
  else yield* Console.error(`Error: ${code}: ${message}${hint === null ? "" : `\nHint: ${hint}`}`)
  return exit
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
    Effect.as(0),
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
    Effect.catch((error) => report(parsed, error)),
    Effect.provide(Diagnostics(parsed.values.has("debug")))
  )
}

/** The exit code: what {@link run} says; 130 for one that a signal ended. */
export const exitCodeOf = <A, E>(exit: Exit.Exit<A, E>): number =>
  Exit.isSuccess(exit) ? Number(exit.value) : Cause.hasInterruptsOnly(exit.cause) ? 130 : 1
