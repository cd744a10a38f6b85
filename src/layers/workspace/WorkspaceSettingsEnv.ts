/**
 * The workspace program's settings from the environment: every variable but those of `PlatformConfig`, in one place.
 *
 * @module
 */
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { commandDefaults } from "../../services/agent/CommandSpec.ts"
import { type ExecutorChoice, WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"

const words = (name: string) =>
  Config.String(name).pipe(
    Config.map((value) =>
      value
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== "")
    )
  )
const positive = (name: string) =>
  Config.schema(Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThan(0)), name)
const Troubles = Schema.Literals(["overdue", "journal", "held", "outbox"])
const CommandLine = Schema.fromJsonString(Schema.NonEmptyArray(Schema.NonEmptyString))

const command = Config.all({
  line: Config.schema(CommandLine, "MOLECULE_COMMAND"),
  workingDirectory: Config.option(Config.NonEmptyString("MOLECULE_COMMAND_DIR")),
  passEnvironment: words("MOLECULE_COMMAND_PASS_ENV").pipe(Config.withDefault(commandDefaults.passEnvironment)),
  environment: Config.schema(
    Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)),
    "MOLECULE_COMMAND_ENV"
  ).pipe(Config.withDefault(commandDefaults.environment)),
  timeout: Config.Duration("MOLECULE_COMMAND_TIMEOUT").pipe(
    Config.withDefault(Duration.seconds(commandDefaults.timeoutSeconds))
  ),
  maxOutput: Config.ByteSize("MOLECULE_COMMAND_MAX_OUTPUT").pipe(
    Config.withDefault(ByteSize.bytes(commandDefaults.maxOutputBytes))
  ),
  killGrace: Config.Duration("MOLECULE_COMMAND_KILL_GRACE").pipe(
    Config.withDefault(Duration.seconds(commandDefaults.killGraceSeconds))
  )
}).pipe(
  Config.map((read): ExecutorChoice => {
    const [program, ...args] = read.line
    return {
      _tag: "command",
      command: {
        program,
        args,
        passEnvironment: read.passEnvironment,
        environment: read.environment,
        timeoutSeconds: Duration.toSeconds(read.timeout),
        maxOutputBytes: ByteSize.toNumberUnsafe(read.maxOutput),
        killGraceSeconds: Duration.toSeconds(read.killGrace),
        ...Option.match(read.workingDirectory, {
          onNone: () => undefined,
          onSome: (workingDirectory) => ({ workingDirectory })
        })
      }
    }
  })
)

const module = Config.NonEmptyString("MOLECULE_EXECUTOR_MODULE").pipe(
  Config.map((file): ExecutorChoice => ({ _tag: "module", file }))
)

const executor = Config.Literals(["echo", "command", "fan-out", "module"], "MOLECULE_EXECUTOR").pipe(
  Config.withDefault("echo"),
  Config.flatMap((choice): Config.Config<ExecutorChoice> => {
    if (choice === "command") return command
    return choice === "module" ? module : Config.succeed({ _tag: choice })
  })
)

const pushAllow = Config.Literals(
  ["none", "loopback", "private", "loopback,private", "private,loopback"],
  "MOLECULE_PUSH_ALLOW"
).pipe(Config.map((names) => ({ loopback: names.includes("loopback"), private: names.includes("private") })))

/**
 * The variables and their defaults. A value that cannot be understood is a `ConfigError` that names its variable.
 *
 * **Details**
 *
 * `MOLECULE_COMMAND` is a JSON array, program first, so that nothing needs quoting rules; it is required with
 * `MOLECULE_EXECUTOR=command`, as `MOLECULE_EXECUTOR_MODULE` is with `module`. Durations are written as in `30 seconds`, sizes as in `10 MiB`.
 */
export const config = Config.all({
  name: Config.NonEmptyString("MOLECULE_NAME").pipe(Config.withDefault("molecule workspace")),
  description: Config.String("MOLECULE_DESCRIPTION").pipe(Config.withDefault("A Molecule workspace")),
  initialToken: Config.option(Config.Redacted("WORKSPACE_AUTH_TOKEN")),
  host: Config.NonEmptyString("MOLECULE_A2A_HOST").pipe(Config.withDefault("127.0.0.1")),
  port: Config.schema(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 65535 })),
    "MOLECULE_A2A_PORT"
  ).pipe(Config.withDefault(0)),
  publicUrl: Config.option(Config.URL("MOLECULE_A2A_URL")).pipe(
    Config.map((url) => Option.getOrUndefined(Option.map(url, ({ href }) => href)))
  ),
  mode: Config.Literals(["listen", "poll"], "MOLECULE_A2A_MODE").pipe(Config.withDefault("listen")),
  requireCallerToken: Config.Boolean("MOLECULE_REQUIRE_CALLER_TOKEN").pipe(Config.withDefault(true)),
  assumedVersion: Config.Literals(["0.3", "1.0"], "MOLECULE_A2A_VERSION").pipe(Config.withDefault("0.3")),
  pushAllow: pushAllow.pipe(Config.withDefault({ loopback: false, private: false })),
  maxBodyBytes: Config.ByteSize("MOLECULE_A2A_MAX_BODY").pipe(
    Config.withDefault(ByteSize.mebibytes(10)),
    Config.map(ByteSize.toNumberUnsafe)
  ),
  heartbeatInterval: Config.Duration("MOLECULE_HEARTBEAT_INTERVAL").pipe(Config.withDefault(Duration.seconds(30))),
  ack: Config.Literals(["local", "platform"], "MOLECULE_ACK").pipe(Config.withDefault("local")),
  ackTimeout: Config.Duration("MOLECULE_ACK_TIMEOUT").pipe(Config.withDefault(Duration.seconds(30))),
  healthFailsOn: Config.Array(Troubles, "MOLECULE_HEALTH_FAILS_ON").pipe(
    Config.withDefault(["overdue", "journal", "held", "outbox"] as const)
  ),
  healthMaxOverdue: Config.Duration("MOLECULE_HEALTH_MAX_OVERDUE").pipe(Config.withDefault(Duration.seconds(5))),
  drainTimeout: Config.Duration("MOLECULE_DRAIN_TIMEOUT").pipe(Config.withDefault(Duration.seconds(30))),
  maxRunningTasks: positive("MOLECULE_MAX_RUNNING_TASKS").pipe(Config.withDefault(4)),
  maxUnfinishedTasks: positive("MOLECULE_MAX_TASKS").pipe(Config.withDefault(100)),
  keepTasksFor: Config.Duration("MOLECULE_KEEP_TASKS_FOR").pipe(Config.withDefault(Duration.days(7))),
  keepTasks: positive("MOLECULE_KEEP_TASKS").pipe(Config.withDefault(10_000)),
  rememberTasksFor: Config.Duration("MOLECULE_REMEMBER_TASKS_FOR").pipe(Config.withDefault(Duration.days(30))),
  delegationTimeout: Config.Duration("MOLECULE_DELEGATION_TIMEOUT").pipe(Config.withDefault(Duration.minutes(30))),
  delegationConcurrency: positive("MOLECULE_DELEGATION_CONCURRENCY").pipe(Config.withDefault(5)),
  executor
})

/** The settings as the environment gives them. */
export const layer = Layer.effect(WorkspaceSettings, Effect.map(config, WorkspaceSettings.of))
