/**
 * How `a2a` is used, for people.
 *
 * @module
 */
import { type CommandSpec, commands, global, options, type OptionSpec, variableOf } from "./a2aArguments.ts"

const nameOf = ({ aliases = [], name, short, value }: OptionSpec) =>
  [...(short === undefined ? [] : [`-${short}`]), `--${name}`, ...aliases.map((alias) => `--${alias}`)].join(", ") +
  (value === undefined ? "" : ` <${value}>`)

const rows = (lines: ReadonlyArray<readonly [string, string]>) => {
  const width = Math.min(34, Math.max(...lines.map(([left]) => left.length)))
  return lines.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`
  )
}

const optionRows = (names: ReadonlyArray<string>) =>
  rows(
    options
      .filter(({ name }) => names.includes(name))
      .map((option) => [
        nameOf(option),
        option.help +
          (option.repeatable === true ? "; may be repeated" : "") +
          (option.fallback === undefined ? "" : ` [default: ${option.fallback}]`)
      ])
  )

const usageOf = ({ takes, words }: CommandSpec) => `a2a ${words}${takes === "" ? "" : ` ${takes}`}`

const settings = [
  "Settings: an option goes before its environment variable (as in " + variableOf("agent-card") + "), that before the",
  "file of --config or the nearest .env, that before ~/.config/a2a-cli/.env, and that before the default.",
  "A credential on the command line can be seen in the list of processes and stays in the shell's history: prefer",
  `${variableOf("bearer")} and ${variableOf("api-key")}.`
]

/** The tool in whole. */
export const usage = (): string =>
  [
    "usage: a2a <command> [arguments] [options]",
    "",
    "Talk to any A2A agent:",
    ...rows(commands.filter(({ own }) => own !== true).map((command) => [usageOf(command).slice(4), command.help])),
    "",
    "Talk to the peers of this workspace (PLATFORM_URL, WORKSPACE_ID):",
    ...rows(commands.filter(({ own }) => own === true).map((command) => [usageOf(command).slice(4), command.help])),
    "",
    "Options:",
    ...optionRows(global),
    "",
    ...settings,
    "",
    "Exit codes: 0 done, whatever the agent decided; 1 failed; 2 wrong usage; 3 unreachable; 4 credentials; 5 timeout."
  ].join("\n")

/** One command. */
export const commandHelp = (command: CommandSpec): string =>
  [
    `usage: ${usageOf(command)} [options]`,
    "",
    `${command.help}.`,
    ...(command.options.length === 0 ? [] : ["", "Options:", ...optionRows(command.options)]),
    ...(command.own === true ? [] : ["", "Global options:", ...optionRows(global), "", ...settings])
  ].join("\n")
