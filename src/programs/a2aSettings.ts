/**
 * The settings of one call of `a2a`, from the command line, the environment, files and defaults, in this order.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type { Transport } from "../services/a2a/AgentClient.ts"
import { milliseconds, options, type Parsed, readDotenv, variableOf } from "./a2aArguments.ts"
import { local } from "./a2aErrors.ts"

/** A value, and where it is from. */
export interface Setting {
  readonly values: ReadonlyArray<string>
  readonly source: string
}

/** What was given, as it was written. */
export interface Given {
  readonly all: ReadonlyMap<string, Setting>
  readonly text: (name: string) => string | undefined
  readonly texts: (name: string) => ReadonlyArray<string>
  readonly on: (name: string) => boolean
  readonly json: boolean
}

/** The settings of one call. */
export interface Settings extends Given {
  readonly verbose: boolean
  readonly timeoutMillis: number
  readonly pollMillis: number
  readonly transports: ReadonlyArray<Transport>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

const usage = (message: string) => local("USAGE", message, "a2a help")

const readable = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.option(files.readFileString(path))
})

// The nearest `.env` that has settings of ours, from the working directory upwards.
const nearest = Effect.fnUntraced(function* () {
  const path = yield* Path.Path
  for (let folder = path.resolve("."); ; folder = path.dirname(folder)) {
    const file = path.join(folder, ".env")
    const text = yield* readable(file)
    if (Option.isSome(text) && readDotenv(text.value).size > 0) return { file, text: text.value }
    if (path.dirname(folder) === folder) return undefined
  }
})

const filesOf = Effect.fnUntraced(function* (given: string | undefined) {
  const path = yield* Path.Path
  const home = yield* Config.option(Config.String("HOME"))
  const found: Array<readonly [string, ReadonlyMap<string, string>]> = []
  if (given === undefined) {
    const file = yield* nearest()
    if (file !== undefined) found.push([file.file, readDotenv(file.text)])
  } else {
    const text = yield* readable(given)
    if (Option.isNone(text)) return yield* usage(`the file of --config cannot be read: ${given}`)
    found.push([given, readDotenv(text.value)])
  }
  if (Option.isSome(home)) {
    const file = path.join(home.value, ".config", "a2a-cli", ".env")
    const text = yield* readable(file)
    if (Option.isSome(text)) found.push([file, readDotenv(text.value)])
  }
  return found
})

const transportNames: Readonly<Record<string, Transport | "GRPC">> = {
  jsonrpc: "JSONRPC",
  "json-rpc": "JSONRPC",
  "http+json": "HTTP+JSON",
  rest: "HTTP+JSON",
  grpc: "GRPC"
}

const duration = Effect.fnUntraced(function* (name: string, text: string) {
  const found = milliseconds(text)
  return found ?? (yield* usage(`--${name} must be a duration such as 500ms, 90s or 5m; it is ${text}`))
})

const headersOf = Effect.fnUntraced(function* (pairs: ReadonlyArray<string>) {
  const headers: Record<string, string> = {}
  for (const pair of pairs) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[:=]\s*(.*)$/.exec(pair) ?? []
    // Its value may be a secret.
    if (name === undefined || value === undefined) return yield* usage("--svc-param must be <name>:<value>")
    headers[name.toLowerCase()] = value
  }
  return headers
})

/** Finds what was given. A file that cannot be read is wrong usage. */
export const find = Effect.fn("a2a.settings")(function* (parsed: Parsed) {
  const files = yield* filesOf(parsed.values.get("config")?.[0])
  const all = new Map<string, Setting>()
  for (const { explicit, fallback, name, repeatable } of options) {
    const flag = parsed.values.get(name)
    if (flag !== undefined) all.set(name, { values: flag, source: `--${name}` })
    else if (explicit !== true) {
      const variable = variableOf(name)
      const env = yield* Config.option(Config.String(variable))
      const file = files.find(([, values]) => values.has(variable))
      const value = Option.isSome(env) && env.value !== "" ? env.value : file?.[1].get(variable)
      const source = Option.isSome(env) && env.value !== "" ? variable : file?.[0]
      if (value !== undefined && source !== undefined) {
        all.set(name, { values: repeatable === true ? value.split(",").map((one) => one.trim()) : [value], source })
      } else if (fallback !== undefined) all.set(name, { values: [fallback], source: "default" })
    }
  }
  const texts = (name: string) => {
    const setting = all.get(name)
    return setting === undefined || setting.source === "default" ? [] : setting.values
  }
  const text = (name: string) => texts(name)[0]
  const on = (name: string) => /^(true|1|yes|on)$/i.test(text(name) ?? "")
  const given: Given = { all, text, texts, on, json: text("output") === "json" }
  return given
})

/** Understands what was given. What cannot be understood is wrong usage. */
export const make = Effect.fnUntraced(function* (given: Given) {
  const { on, text, texts } = given
  const output = text("output") ?? "text"
  if (output !== "text" && output !== "json") return yield* usage(`--output must be text or json; it is ${output}`)
  const version = text("a2a-version")
  if (version !== undefined && !/^\d+\.\d+$/.test(version)) {
    return yield* usage(`--a2a-version must be as in 1.0; it is ${version}`)
  }
  const transports: Array<Transport> = []
  for (const name of texts("transport")) {
    const known = transportNames[name.toLowerCase()]
    if (known === undefined) return yield* usage(`--transport must be JSONRPC, HTTP+JSON or GRPC; it is ${name}`)
    // What this tool does not have is skipped like what the card does not have.
    if (known === "GRPC") yield* Effect.logDebug("this tool has no GRPC, which is skipped")
    else transports.push(known)
  }
  const settings: Settings = {
    ...given,
    verbose: on("verbose"),
    timeoutMillis: yield* duration("timeout", text("timeout") ?? "30m"),
    pollMillis: Math.max(10, yield* duration("poll-interval", text("poll-interval") ?? "2s")),
    transports,
    headers: yield* headersOf(texts("svc-param"))
  }
  return settings
})

const isNatural = Schema.is(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))

/** A whole number, if the setting is there. */
export const natural = Effect.fnUntraced(function* (settings: Settings, name: string) {
  const text = settings.text(name)
  if (text === undefined) return undefined
  const number = /^\d+$/.test(text) ? Number(text) : -1
  return isNatural(number) ? number : yield* usage(`--${name} must be a whole number; it is ${text}`)
})

const decodeObject = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

/** The object of `--metadata`, if it is there. */
export const metadata = Effect.fnUntraced(function* (settings: Settings) {
  const text = settings.text("metadata")
  if (text === undefined) return undefined
  const value = decodeObject(text)
  return Option.isSome(value) ? value.value : yield* usage("--metadata must be a JSON object")
})
