/**
 * The names of steps, waits and questions: each once within a task, and none that the engine's own could run into.
 *
 * @module
 */
import { ExecutorError } from "../../services/durable/Step.ts"

/** What is named. Steps and waits have names of their own; a question is a wait. */
export type Kind = "step" | "wait" | "ask"

/** The name of a try of a step: those after the first are activities of their own. */
export const tryName = (name: string, attempted: number): string => (attempted === 1 ? name : `${name}~${attempted}`)

/** The name of the durable value behind a wait, and of the wait's result among those of the steps. */
export const waitName = (name: string): string => `wait/${name}`

/** What Effect's durable clocks call theirs. */
export const clockName = (name: string): string => `${clockPrefix}${name}`
const clockPrefix = "DurableClock/"

/** The name of a wait's result, by the name of its durable value. */
export const missedName = (deferred: string): string =>
  deferred.startsWith(clockPrefix) ? waitName(deferred.slice(clockPrefix.length)) : deferred

/** The longest name, in characters: it is part of ids, and of a platform's rows. */
export const longest = 200

// The engine's own waits, and what stands for a wait among the results of steps.
const reserved = { step: ["wait/"], wait: ["retry/", "outcome/", "ask/"], ask: [] as ReadonlyArray<string> }

const wrong = (kind: Kind, name: string): string | undefined => {
  if (name === "") return "is empty"
  if (name.length > longest) return `has ${name.length} characters, and ${longest} are allowed`
  if (name.includes("~")) return "has a ~ in it, which marks names of the engine"
  if (name.includes("\u0000")) return "has a NUL in it"
  if (!name.isWellFormed()) return "has half of a character in it, a surrogate without its other"
  const prefix = reserved[kind].find((one) => name.startsWith(one))
  return prefix === undefined ? undefined : `begins with ${prefix}, as names of the engine do`
}

/** Why the name cannot be used, if it cannot; else it is counted among those that were. */
export const refusal = (kind: Kind, name: string, used: Set<string>): ExecutorError | undefined => {
  const problem = wrong(kind, name)
  const key = `${kind === "step" ? "step" : "wait"}/${kind === "ask" ? "ask/" : ""}${name}`
  if (problem === undefined && !used.has(key)) {
    used.add(key)
    return undefined
  }
  return new ExecutorError({
    reason: "failed",
    detail: `the ${kind} ${JSON.stringify(name.slice(0, longest))} cannot be run: its name ${problem ?? "was used before in this task"}`,
    remedy: "give each step, wait and question of a task a name of its own, such as turn-1, turn-2"
  })
}
