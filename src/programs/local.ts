/**
 * `npm start`: a platform and a team of three workspaces on this machine, and one message through them.
 *
 * @module
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import * as A2AClientPlatform from "../layers/a2a/A2AClientPlatform.ts"
import * as ProcessRegistryFile from "../layers/agent/ProcessRegistryFile.ts"
import { freePort } from "../layers/local/freePort.ts"
import * as PlatformClientAdmin from "../layers/local/PlatformClientAdmin.ts"
import * as Supervisor from "../layers/local/supervisor.ts"
import * as TeamRun from "../layers/local/teamRun.ts"
import { type Placed, placeTeam } from "../layers/local/teamSetup.ts"
import * as StateDirectoryNode from "../layers/workspace/StateDirectoryNode.ts"
import { ProcessRegistry } from "../services/agent/ProcessRegistry.ts"
import { RunReport, TeamError } from "../services/local/Team.ts"
import { PlatformClient } from "../services/platform/PlatformClient.ts"
import { StateDirectory } from "../services/workspace/StateDirectory.ts"

const settings = Config.all({
  home: Config.String("HOME"),
  stateDirectory: Config.option(Config.NonEmptyString("MOLECULE_LOCAL_STATE_DIR")),
  port: Config.Port("MOLECULE_PLATFORM_PORT").pipe(Config.withDefault(8080)),
  // npm changes the working directory to the package's; a file is meant from where the command was typed.
  typedIn: Config.option(Config.NonEmptyString("INIT_CWD"))
})

const packageRoot = fileURLToPath(new URL("../..", import.meta.url))
const programFile = (name: string) =>
  fileURLToPath(new URL(`./${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url))

const textOf = Effect.fnUntraced(function* (given: string, typedIn: Option.Option<string>) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const base of [...Option.toArray(typedIn), packageRoot]) {
    const file = path.resolve(base, given)
    // A text may be longer than any file name may be: then it is no file.
    if (yield* Effect.orElseSucceed(files.exists(file), () => false)) return yield* files.readFileString(file)
  }
  return given
})

const program = Effect.fnUntraced(function* (name: string, file: string, environment: Record<string, string>) {
  const state = yield* StateDirectory
  return {
    name,
    command: [process.execPath, programFile(file)],
    environment,
    logFile: state.file(`${name}.log`)
  } satisfies Supervisor.Program
})

const say = (json: boolean) => (text: string) => (json ? Effect.void : Console.log(text))

// The platform, up and answering; what ends it for good ends us.
const startPlatform = Effect.fnUntraced(function* (
  wanted: number,
  tell: (text: string) => Effect.Effect<void>,
  failure: Deferred.Deferred<never, TeamError>
) {
  const files = yield* FileSystem.FileSystem
  const state = yield* StateDirectory
  const port = yield* freePort(wanted)
  const platformUrl = `http://127.0.0.1:${port}`
  yield* tell(port === wanted ? `platform  ${platformUrl}` : `platform  ${platformUrl} (port ${wanted} is taken)`)
  const platform = yield* program("platform", "platform", {
    MOLECULE_PLATFORM_HOST: "127.0.0.1",
    MOLECULE_PLATFORM_PORT: String(port),
    // The table and the steps are asked for several times a second, by us and by nobody else on this machine.
    MOLECULE_PLATFORM_RATE_LIMIT: "60000",
    MOLECULE_PLATFORM_STATE_DIR: state.file("platform-state")
  })
  yield* Supervisor.keepRunning(platform).pipe(
    Effect.catchCause((cause) => Deferred.failCause(failure, cause)),
    Effect.forkScoped
  )
  const tokenFile = `${state.file("platform-state")}/admin-token`
  const readToken = Effect.map(files.readFileString(tokenFile), (text) => Redacted.make(text.trim()))
  yield* Supervisor.waitFor(platform, 30, readToken)
  const client = PlatformClientAdmin.layerWith({ platformUrl, adminToken: yield* readToken })
  yield* Supervisor.waitFor(
    platform,
    30,
    Effect.flatMap(PlatformClient, ({ workspaces }) => workspaces.list()).pipe(Effect.provide(client))
  )
  return { client, platformUrl, tokenFile }
})

const startMember = Effect.fnUntraced(function* (
  { id, member, stateDirectory, token }: Placed,
  platformUrl: string,
  failure: Deferred.Deferred<never, TeamError>
) {
  const workspace = yield* program(member.name, "workspace", {
    ...member.environment,
    PLATFORM_URL: platformUrl,
    WORKSPACE_ID: id,
    MOLECULE_NAME: member.name,
    MOLECULE_STATE_DIR: stateDirectory,
    ...Option.match(token, {
      onNone: () => undefined,
      onSome: (value) => ({ WORKSPACE_AUTH_TOKEN: Redacted.value(value) })
    })
  })
  yield* Supervisor.keepRunning(workspace).pipe(
    Effect.catchCause((cause) => Deferred.failCause(failure, cause)),
    Effect.forkScoped
  )
  return workspace
})

const next = (platformUrl: string, tokenFile: string, lead: string) => `
try next
  open ${platformUrl}/docs
  curl -H "Authorization: Bearer $(cat ${tokenFile})" ${platformUrl}/workspaces
  curl -H "Authorization: Bearer $(cat ${tokenFile})" ${platformUrl}/workspaces/${lead}/checkpoints/latest
  npm start -- --once "any text, or a file"
Ctrl-C stops the team.`

const bringUp = Effect.fnUntraced(function* (options: {
  readonly text: string
  readonly once: boolean
  readonly json: boolean
  readonly port: number
}) {
  const tell = say(options.json)
  const failure = yield* Deferred.make<never, TeamError>()
  const registry = yield* ProcessRegistry
  yield* registry.endOrphans

  const whole = Effect.gen(function* () {
    const { client, platformUrl, tokenFile } = yield* startPlatform(options.port, tell, failure)
    const run = Effect.gen(function* () {
      const members = yield* placeTeam
      const programs = yield* Effect.forEach(members, (placed) => startMember(placed, platformUrl, failure))
      const [first] = programs
      if (first !== undefined) yield* Supervisor.waitFor(first, 60, TeamRun.awaitTeam(members))
      const report = yield* TeamRun.run({
        members,
        platformUrl,
        messageId: `local-${yield* Clock.currentTimeMillis}`,
        text: options.text,
        onTable: (table) => tell(`\n${table}\n`),
        onStep: ({ index, name, workspace }, done, all) =>
          tell(
            `  ✓ ${workspace.padEnd(10)} ${index} ${name.padEnd(14)} ${"█".repeat(done)}${"░".repeat(Math.max(0, all - done))} ${done}/${all}`
          )
      })
      if (options.json) yield* Console.log(yield* Schema.encodeEffect(Schema.fromJsonString(RunReport))(report))
      else yield* tell(`\ntask ${report.taskId} ${report.state}\n\n${report.result}\n`)
      if (report.state !== "completed") {
        return yield* new TeamError({
          detail: `the task is ${report.state}`,
          remedy: "the logs are in the state directory"
        })
      }
      if (options.once) return
      yield* tell(next(platformUrl, tokenFile, members[0]?.id ?? ""))
      return yield* Effect.never
    })
    return yield* Effect.provide(run, A2AClientPlatform.layer.pipe(Layer.provideMerge(client)))
  })
  yield* Effect.raceFirst(Effect.scoped(whole), Deferred.await(failure))
})

const handler = Effect.fnUntraced(function* ({
  json,
  once
}: {
  readonly json: boolean
  readonly once: Option.Option<string>
}) {
  const files = yield* FileSystem.FileSystem
  const { home, port, stateDirectory, typedIn } = yield* settings
  const text = yield* textOf(
    Option.getOrElse(once, () => "README.md"),
    typedIn
  )
  const isOnce = Option.isSome(once)
  const directory = isOnce
    ? yield* files.makeTempDirectory({ prefix: "molecule-" })
    : Option.getOrElse(stateDirectory, () => `${home}/.molecule/local`)
  const State = StateDirectoryNode.layerWith({ path: directory })
  yield* bringUp({ text, json, once: isOnce, port }).pipe(
    Effect.provide(ProcessRegistryFile.layer.pipe(Layer.provideMerge(State))),
    Effect.tapError(() => (isOnce ? Console.error(`its state is kept in ${directory}`) : Effect.void))
  )
  if (isOnce) yield* files.remove(directory, { recursive: true })
})

const command = Command.make(
  "molecule-local",
  {
    once: Flag.String("once").pipe(
      Flag.withDescription("Send this file (or text) through a fresh team, print the result and end"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print one JSON object at the end instead of the team's table and steps"),
      Flag.withDefault(false)
    )
  },
  handler
).pipe(Command.withDescription("A platform and a team of three workspaces on this machine"))

command.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.tapError((error) =>
    Console.error(Predicate.hasProperty(error, "message") ? `molecule-local: ${String(error.message)}` : String(error))
  ),
  Effect.provide(
    Layer.mergeAll(NodeServices.layer, NodeHttpClient.layerUndici, Layer.succeed(Logger.LogToStderr, true))
  ),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
