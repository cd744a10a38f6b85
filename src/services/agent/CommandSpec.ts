/**
 * How a program is run for a task.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** The placeholder in an argument that is replaced by the message's text. */
export const messagePlaceholder = "{message}"

/**
 * The configuration of the command executor.
 *
 * **Details**
 *
 * The message goes to standard input, unless some argument contains `{message}`: then it takes the text's place there and
 * standard input is empty. No shell is involved; who wants one names it as the program. The environment holds the
 * variables named in `passEnvironment` (taken from ours), those of `environment`, and what identifies the task
 * (`MOLECULE_TASK_ID`); nothing else, and by default only what a program needs to run at all.
 */
export const CommandSpec = Schema.Struct({
  program: Schema.NonEmptyString,
  args: Schema.Array(Schema.String),
  /** Working directory; the workspace's own work directory if absent. */
  workingDirectory: Schema.optionalKey(Schema.NonEmptyString),
  /** Names of variables handed through from our environment. */
  passEnvironment: Schema.Array(Schema.NonEmptyString),
  /** Variables set for the program. */
  environment: Schema.Record(Schema.String, Schema.String),
  /** How long the program may run, in seconds. */
  timeoutSeconds: Schema.Finite.check(Schema.isGreaterThan(0)),
  /** How many bytes it may write on standard output; more ends it. */
  maxOutputBytes: Schema.Int.check(Schema.isGreaterThan(0)),
  /** After the first signal (SIGTERM), how long until SIGKILL, in seconds. */
  killGraceSeconds: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
})
/** The type of {@link CommandSpec}. */
export type CommandSpec = typeof CommandSpec.Type

/** What holds unless configured: ten minutes, 10 MiB, five seconds of grace, and the variables without which few programs run. */
export const commandDefaults = {
  args: [],
  passEnvironment: ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "SHELL", "TERM"],
  environment: {},
  timeoutSeconds: 600,
  maxOutputBytes: 10 * 1024 * 1024,
  killGraceSeconds: 5
} as const satisfies Partial<CommandSpec>
