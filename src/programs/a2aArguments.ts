/**
 * The command line of `a2a`: its options, and how arguments, environment and files become settings.
 *
 * **Details**
 *
 * A parser of its own, because the parts of a message (`--text`, `--file`, `--data`, `--media-type`) keep the order in
 * which they are given, and because it has to be ready in no time.
 *
 * @module
 */

/** An option. */
export interface OptionSpec {
  /** Without dashes. */
  readonly name: string
  readonly short?: string
  readonly aliases?: ReadonlyArray<string>
  /** What its value is called; without one it is a switch. */
  readonly value?: string
  readonly help: string
  /** What holds where it is not given, for `--help` and `config show`. */
  readonly fallback?: string
  readonly repeatable?: true
  /** It makes a part of the message, in its place. */
  readonly part?: true
  /** It can only be given on the command line. */
  readonly explicit?: true
  /** Never shown. */
  readonly secret?: true
}

/** The options. A command takes those of its list, and the global ones. */
export const options: ReadonlyArray<OptionSpec> = [
  {
    name: "agent-card",
    short: "a",
    value: "ref",
    help: "The agent: a host, an origin, the URL of its card, or a file"
  },
  { name: "output", short: "o", value: "text|json", help: "How results look", fallback: "text" },
  { name: "bearer", value: "token", help: "A bearer token", secret: true },
  { name: "api-key", value: "key", help: "An API key, put where the agent's card says", secret: true },
  { name: "svc-param", value: "k:v", help: "A service parameter: an HTTP header", repeatable: true, secret: true },
  {
    name: "transport",
    value: "binding",
    help: "JSONRPC or HTTP+JSON, highest preference first",
    fallback: "the order of the agent's card",
    repeatable: true
  },
  {
    name: "a2a-version",
    value: "version",
    help: "The protocol's version; 0.3 only if asked for",
    fallback: "the highest 1.x of both"
  },
  { name: "timeout", value: "duration", help: "How long to wait in all, as in 90s, 5m, 1h", fallback: "30m" },
  { name: "poll-interval", value: "duration", help: "Between two looks at a task", fallback: "2s" },
  { name: "insecure", help: "Do not verify TLS certificates (development only)", fallback: "TLS is verified" },
  { name: "config", value: "path", help: "A file of settings in place of the local .env", explicit: true },
  { name: "verbose", help: "Show everything that was said", fallback: "concise" },
  { name: "debug", help: "Tell on stderr what the tool does" },
  { name: "help", short: "h", help: "Show how it is used", explicit: true },
  { name: "version", short: "v", help: "Show the tool's version", explicit: true },
  {
    name: "async",
    aliases: ["return-immediately", "no-wait"],
    help: "Do not wait for the task: tell its ids",
    fallback: "wait"
  },
  { name: "wait", aliases: ["watch"], help: "Wait until the task ends or needs something" },
  { name: "stream", help: "Follow events as they come (with -o json one a line)", explicit: true },
  { name: "context-id", value: "id", help: "The context to begin a task in" },
  { name: "task-id", value: "id", help: "The task to go on with" },
  { name: "metadata", value: "json", help: "An object that goes with the request" },
  { name: "text", value: "text", help: "A part that is text", repeatable: true, part: true, explicit: true },
  { name: "file", value: "path|url", help: "A part that is a file", repeatable: true, part: true, explicit: true },
  {
    name: "data",
    value: "path|-",
    help: "A part that is JSON, of a file or of stdin",
    repeatable: true,
    part: true,
    explicit: true
  },
  {
    name: "media-type",
    value: "type",
    help: "The type of the part before it",
    repeatable: true,
    part: true,
    explicit: true
  },
  { name: "history", value: "n", help: "So many of the latest messages" },
  { name: "status", value: "state", help: "Only tasks in this state" },
  { name: "page-size", value: "n", help: "Tasks on a page, 1 to 100", fallback: "50" },
  { name: "page-token", value: "token", help: "The page to begin with" },
  { name: "validate", help: "Check the card against the schema" },
  { name: "extended", help: "The card for those who have authenticated" }
]

/** Those that every command of the standard takes. */
export const global = options.slice(0, 15).map(({ name }) => name)

/** A command, by its words. */
export interface CommandSpec {
  readonly words: string
  /** Its arguments, for people. */
  readonly takes: string
  readonly help: string
  readonly options: ReadonlyArray<string>
  /** Fewest and most arguments. */
  readonly many: readonly [number, number]
  /** Options end at the first argument: what follows is text. */
  readonly rest?: true
  /** Of the workspace's own commands: neither `-o` nor the agent's card. */
  readonly own?: true
}

const waiting = ["wait", "stream"]

/** The commands. */
export const commands: ReadonlyArray<CommandSpec> = [
  {
    words: "card get",
    takes: "",
    help: "Show an agent's card",
    options: ["validate", "extended", "stream"],
    many: [0, 0]
  },
  {
    words: "send",
    takes: "[text]",
    help: "Send a message, and wait for what becomes of it",
    options: ["async", ...waiting, "context-id", "task-id", "metadata", "text", "file", "data", "media-type"],
    many: [0, 1000]
  },
  { words: "task get", takes: "<task-id>", help: "Show a task", options: [...waiting, "history"], many: [1, 1] },
  {
    words: "task list",
    takes: "",
    help: "List tasks",
    options: ["context-id", "status", "page-size", "page-token", "history", "stream"],
    many: [0, 0]
  },
  {
    words: "task subscribe",
    takes: "<task-id>",
    help: "Follow a task",
    options: [...waiting, "history"],
    many: [1, 1]
  },
  { words: "task cancel", takes: "<task-id>", help: "Cancel a task", options: ["metadata", "stream"], many: [1, 1] },
  { words: "config show", takes: "", help: "Show the settings and where they come from", options: [], many: [0, 0] },
  { words: "help", takes: "[command]", help: "Show how a command is used", options: [], many: [0, 2] },
  {
    words: "delegate",
    takes: "<workspace-id> <task …>",
    help: "Give a task to a peer of this workspace",
    options: ["async", "timeout", "debug", "help"],
    many: [2, 100_000],
    rest: true,
    own: true
  },
  {
    words: "status",
    takes: "<workspace-id> <task-id>",
    help: "Ask a peer how far a task is",
    options: ["debug", "help"],
    many: [2, 2],
    own: true
  },
  {
    words: "peers",
    takes: "",
    help: "List the peers of this workspace",
    options: ["debug", "help"],
    many: [0, 0],
    own: true
  },
  { words: "info", takes: "", help: "Show this workspace", options: ["debug", "help"], many: [0, 0], own: true }
]

/** An option of a part as it was given, or an `argument`. */
export interface GivenPart {
  readonly option: string
  readonly value: string
}

/** A command line, understood. */
export interface Parsed {
  readonly command: CommandSpec | undefined
  /** The words that were taken for a command, if there is none of that name. */
  readonly unknown: string | undefined
  readonly args: ReadonlyArray<string>
  readonly values: ReadonlyMap<string, ReadonlyArray<string>>
  readonly parts: ReadonlyArray<GivenPart>
  /** What is wrong with it. */
  readonly problem: string | undefined
}

const byName = new Map<string, OptionSpec>()
for (const option of options) {
  byName.set(`--${option.name}`, option)
  for (const alias of option.aliases ?? []) byName.set(`--${alias}`, option)
  if (option.short !== undefined) byName.set(`-${option.short}`, option)
}

const commandOf = (first: string, second: string | undefined) =>
  commands.find(({ words }) => words === `${first} ${second ?? ""}`) ?? commands.find(({ words }) => words === first)

/** Understands a command line. Options may stand anywhere, before the command as well; after `--` there are none. */
export const parse = (argv: ReadonlyArray<string>): Parsed => {
  const args: Array<string> = []
  const values = new Map<string, Array<string>>()
  const parts: Array<GivenPart> = []
  let problem: string | undefined
  let literal = false
  let command: CommandSpec | undefined
  const complain = (text: string) => {
    problem ??= text
  }

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ""
    if (literal || word === "-" || !word.startsWith("-")) {
      if (command === undefined && args.length < 2) {
        args.push(word)
        // `card get` is one command, `send get` is not.
        const next = args.length === 1 ? argv[at + 1] : undefined
        command = commandOf(args[0] ?? "", args[1] ?? next)
        if (command !== undefined) {
          const isTwo = command.words.includes(" ")
          if (isTwo && args.length === 1) at++
          args.length = 0
        }
      } else {
        args.push(word)
        if (command?.words === "send") parts.push({ option: "argument", value: word })
        if (command?.rest === true) literal = true
      }
      continue
    }
    if (word === "--") {
      literal = true
      continue
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1
    const name = equals < 0 ? word : word.slice(0, equals)
    const option = byName.get(name)
    if (option === undefined) {
      complain(`there is no option ${name}`)
      continue
    }
    let value = equals < 0 ? undefined : word.slice(equals + 1)
    if (option.value === undefined) {
      if (value !== undefined && value !== "true" && value !== "false") complain(`${name} takes no value`)
      value ??= "true"
    } else if (value === undefined) {
      value = argv[++at]
      if (value === undefined) complain(`${name} needs a value: <${option.value}>`)
    }
    if (option.part === true) parts.push({ option: option.name, value: value ?? "" })
    const before = values.get(option.name)
    if (before !== undefined && option.repeatable === true) before.push(value ?? "")
    else values.set(option.name, [value ?? ""])
  }

  const unknown = command === undefined && args.length > 0 ? args.join(" ") : undefined
  if (command !== undefined) {
    const known = new Set(command.own === true ? command.options : [...global, ...command.options])
    for (const name of values.keys()) if (!known.has(name)) complain(`\`a2a ${command.words}\` has no option --${name}`)
    const asksHelp = values.has("help") || values.has("version")
    const [fewest, most] = command.many
    if (!asksHelp && (args.length < fewest || args.length > most)) {
      complain(`usage: a2a ${command.words}${command.takes === "" ? "" : ` ${command.takes}`}`)
    }
  }
  return { command, unknown, args, values, parts, problem }
}

/** How a setting is called in the environment and in files: `A2ACLI_AGENT_CARD`. */
export const variableOf = (name: string): string => `A2ACLI_${name.toUpperCase().replaceAll("-", "_")}`

/** The settings in a file: `NAME=value` a line, values quoted or not, `#` comments. */
export const readDotenv = (text: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const [, name, rest] = /^\s*(?:export\s+)?(A2ACLI_[A-Z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined || rest === undefined) continue
    const [, double, single] = /^(?:"([^"]*)"|'([^']*)')\s*(?:#.*)?$/.exec(rest) ?? []
    found.set(name, double ?? single ?? rest.replace(/(^|\s)#.*$/, "").trim())
  }
  return found
}

/** `90s`, `1.5m`, `200ms`, or seconds, in milliseconds. */
export const milliseconds = (text: string): number | undefined => {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim()) ?? []
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit]
  return number === undefined || factor === undefined ? undefined : Math.round(Number(number) * factor)
}
