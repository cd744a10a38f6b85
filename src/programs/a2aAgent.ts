/**
 * What the commands of `a2a` share: the agent that is meant, waiting for a task, and saying what comes of it.
 *
 * @module
 */
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Cards from "../layers/a2a/agentCards.ts"
import { type AgentTask, isInterrupted, isTerminal } from "../services/a2a/AgentAnswer.ts"
import type { AgentCard } from "../services/a2a/AgentCard.ts"
import {
  AgentCardInvalid,
  AgentCardNotFound,
  AgentClient,
  type Connection,
  type Credential
} from "../services/a2a/AgentClient.ts"
import { type CliError, local, ofClient } from "./a2aErrors.ts"
import type { Settings } from "./a2aSettings.ts"
import { stateName } from "./a2aText.ts"

const toJson = Schema.encodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))
const fromJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

/** Prints a value as one line of JSON. */
export const printJson = (value: unknown) => Effect.flatMap(Effect.orDie(toJson(value)), (line) => Console.log(line))

/** Prints lines of text. */
export const printText = (lines: ReadonlyArray<string>) => Console.log(lines.join("\n"))

/** Tells something that is no result. */
export const note = (text: string) => Console.error(text)

/** Tells something that is no result, as JSON. */
export const noteJson = (value: unknown) => Effect.flatMap(Effect.orDie(toJson(value)), note)

/** Progress: only somebody who looks on wants it. */
export const progress = Effect.fnUntraced(function* (text: string) {
  if (yield* (yield* Stdio.Stdio).stderrIsTerminal) yield* Console.error(text)
})

const isPath = (ref: string) => /^(\.{0,2}\/|~|file:)/.test(ref) || ref.endsWith(".json")
const isLoopback = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host)

const fileOf = Effect.fnUntraced(function* (ref: string) {
  const path = yield* Path.Path
  return ref.startsWith("file:") ? yield* path.fromFileUrl(new URL(ref)) : path.resolve(ref)
})

const cardOfFile = Effect.fnUntraced(function* (ref: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.flatMap(fileOf(ref), (file) => files.readFileString(file)).pipe(
    Effect.mapError(({ message }) => new AgentCardNotFound({ url: ref, detail: message }))
  )
  const content = fromJson(text)
  if (Result.isFailure(content)) return yield* new AgentCardInvalid({ url: ref, detail: "it is not JSON" })
  return yield* Effect.mapError(
    Effect.fromResult(Cards.understood(content.success)),
    ({ message }) => new AgentCardInvalid({ url: ref, detail: message })
  )
})

/** What a reference means: a URL, or the card of a file. */
export const referenceOf = Effect.fnUntraced(function* (settings: Settings) {
  const ref = settings.text("agent-card")
  if (ref === undefined) {
    return yield* local(
      "USAGE",
      "which agent? --agent-card (or A2ACLI_AGENT_CARD) is missing",
      "a2a card get --agent-card <url>"
    )
  }
  if (/^https?:\/\//i.test(ref)) return ref
  if (!isPath(ref)) return `${isLoopback(ref.split("/")[0] ?? "") ? "http" : "https"}://${ref}`
  return yield* Effect.mapError(cardOfFile(ref), (error) => ofClient(error, { credentials: false, taskId: undefined }))
})

// Where an API key belongs: what the card requires first, then any scheme of that kind.
const keyPlace = (card: AgentCard) => {
  const required = (card.securityRequirements ?? []).flatMap(({ schemes }) => Object.keys(schemes))
  const all = Object.entries(card.securitySchemes ?? {})
  for (const [, scheme] of [...all.filter(([name]) => required.includes(name)), ...all]) {
    const key = scheme["apiKeySecurityScheme"]
    if (!Predicate.isObject(key) || !("name" in key) || !Predicate.isString(key.name)) continue
    const location = "location" in key ? key.location : "header"
    if (location === "query" || location === "cookie") return { in: location, name: key.name } as const
    return { in: "header", name: key.name } as const
  }
  return { in: "header", name: "x-api-key" } as const
}

const credentialsOf =
  (settings: Settings) =>
  (card: AgentCard): ReadonlyArray<Credential> => {
    const bearer = settings.text("bearer")
    const key = settings.text("api-key")
    return [
      ...(bearer === undefined ? [] : [{ scheme: "bearer", token: Redacted.make(bearer) } as const]),
      ...(key === undefined ? [] : [{ scheme: "apiKey", key: Redacted.make(key), ...keyPlace(card) } as const])
    ]
  }

/** Whether the caller has given anything that proves who they are. */
export const hasCredentials = (settings: Settings): boolean =>
  settings.text("bearer") !== undefined || settings.text("api-key") !== undefined || "authorization" in settings.headers

/** The agent that is meant, connected. */
export const connect = Effect.fnUntraced(function* (settings: Settings) {
  const reference = yield* referenceOf(settings)
  const version = settings.text("a2a-version")
  return yield* Effect.flatMap(AgentClient, (client) =>
    client.connect(reference, {
      version,
      lowest: "1.0",
      transports: settings.transports,
      headers: settings.headers,
      credentials: credentialsOf(settings),
      send: settings.timeoutMillis
    })
  )
})

/** Whether there is nothing to wait for. */
export const isSettled = ({ status: { state } }: AgentTask): boolean => isTerminal(state) || isInterrupted(state)

/** So many looks in a row may find nobody there, once the task has been seen. */
const mostMissed = 5

/**
 * Looks at a task again and again, ever less often (up to five times the interval), until it is settled. An agent that has
 * been seen (`patient`, if that was before) may be away for a moment.
 */
export const poll = Effect.fnUntraced(function* (
  connection: Connection,
  taskId: string,
  settings: Settings,
  how: { readonly history?: number | undefined; readonly patient?: boolean } = {}
) {
  const { history } = how
  let seen = how.patient ?? false
  let missed = 0
  let state = ""
  for (let looks = 0; ; looks++) {
    const look = connection.getTask({ id: taskId, ...(history !== undefined && { historyLength: history }) })
    const found = yield* Effect.result(look)
    if (Result.isFailure(found)) {
      const { failure } = found
      const isAway = failure._tag === "AgentUnreachable" || failure._tag === "AgentTimeout"
      if (!seen || !isAway || ++missed > mostMissed) return yield* failure
      yield* progress(`${taskId}: ${failure.message}`)
    } else {
      const task = found.success
      if (isSettled(task)) return task
      if (state !== task.status.state) yield* progress(`${taskId}: ${stateName(task.status.state)}`)
      state = task.status.state
      seen = true
      missed = 0
    }
    yield* Effect.sleep(Duration.millis(settings.pollMillis * Math.min(5, 1.2 ** looks)))
  }
})

/** The task's id, as soon as the agent has told it. */
export interface Known {
  taskId: string | undefined
}

/** How often somebody who looks on is told that there is nothing yet, in seconds. */
const toldEvery = 10

/** Waits for an effect; somebody who looks on is told for how long. */
export const watched = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>, what: () => string) {
  if (!(yield* (yield* Stdio.Stdio).stderrIsTerminal)) return yield* effect
  const telling = Effect.gen(function* () {
    for (let seconds = toldEvery; ; seconds += toldEvery) {
      yield* Effect.sleep(Duration.seconds(toldEvery))
      yield* note(`${what()}: ${seconds} s`)
    }
  })
  return yield* Effect.raceFirst(effect, telling)
})

/** Ends a command in time; what runs on at the agent is named. */
export const inTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  settings: Settings,
  taskId: () => string | undefined
) => {
  const late = Effect.suspend((): Effect.Effect<never, CliError> => {
    const id = taskId()
    const waited = `no end within ${Duration.format(Duration.millis(settings.timeoutMillis))}`
    return Effect.fail(
      id === undefined
        ? local("TIMEOUT", waited)
        : local("TIMEOUT", `${waited}; task ${id} may be going on`, `a2a task get --wait ${id}`)
    )
  })
  // Whoever follows the stream sees what there is.
  const seen = settings.on("stream") ? effect : watched(effect, () => `waiting for ${taskId() ?? "an answer"}`)
  return Effect.timeoutOrElse(seen, { duration: Duration.millis(settings.timeoutMillis), orElse: () => late })
}
