/**
 * The commands of the A2A project's command line, from settings to a result or an error.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as AgentClientHttp from "../layers/a2a/AgentClientHttp.ts"
import * as Agent from "./a2aAgent.ts"
import type { Parsed } from "./a2aArguments.ts"
import { local, ofClient } from "./a2aErrors.ts"
import * as Here from "./a2aHere.ts"
import { report } from "./a2aReport.ts"
import * as Settings from "./a2aSettings.ts"
import * as Standard from "./a2aStandard.ts"

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

const perform = Effect.fnUntraced(function* (words: string, parsed: Parsed, given: Settings.Given) {
  const settings = yield* Settings.make(given)
  const insecure = settings.on("insecure")
  if (insecure) yield* Agent.note("WARNING: TLS certificates are not verified (--insecure)")
  if (insecure && Agent.hasCredentials(settings)) {
    yield* Agent.note("WARNING: credentials are sent to whoever answers: anybody on the way can read them")
  }
  const asked = { credentials: Agent.hasCredentials(settings), taskId: settings.text("task-id") }
  yield* standard(words, parsed, settings).pipe(
    Effect.mapError((error) => (error._tag === "CliError" ? error : ofClient(error, asked))),
    Effect.provide(AgentClientHttp.layer.pipe(Layer.provide(Here.http(insecure)), Layer.merge(NodeCrypto.layer)))
  )
})

/** Runs one of them; succeeds with the exit code. */
export const run = Effect.fnUntraced(function* (words: string, parsed: Parsed) {
  const given = yield* Effect.catchTag(Settings.find(parsed), "ConfigError", ({ message }) =>
    Effect.fail(local("USAGE", message))
  )
  // Nobody has seen --debug in the files before now.
  const level = given.on("debug") ? "Debug" : "Error"
  return yield* perform(words, parsed, given).pipe(
    Effect.as(0),
    Effect.catch((error) => report(error, given.json)),
    Effect.provideService(References.MinimumLogLevel, level)
  )
})
