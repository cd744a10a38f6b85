/**
 * What was seen of a run, and whether it is as it must be. Pure: it is tested on recorded runs, good and broken.
 *
 * @module
 */
import type { EffectLine } from "./effects.ts"
import type { Expected, Role, Runs } from "./plan.ts"

/** One thing that a client was told on its stream, with the cursor that came with it. */
export interface Told {
  readonly cursor: string
  readonly what:
    | { readonly _tag: "Snapshot" }
    | { readonly _tag: "Gap"; readonly from: string; readonly to: string }
    | { readonly _tag: "Piece"; readonly artifact: string; readonly text: string; readonly append: boolean }
    | { readonly _tag: "Status"; readonly state: string; readonly final: boolean }
}

/** The end of a process, and what was safe at that moment: on its disk, or, where that is deleted, on the platform. */
export interface Death {
  readonly role: Role
  /** How many effects there were. */
  readonly effects: number
  /** The steps, as `<task> <step>`, that must not run again. */
  readonly safe: ReadonlyArray<string>
  /** The state directory was deleted with it: attempts are counted anew. */
  readonly lost: boolean
}

/** What was seen of one task. */
export interface Evidence {
  readonly effects: Readonly<Partial<Record<Role, ReadonlyArray<EffectLine>>>>
  readonly deaths: ReadonlyArray<Death>
  /** Points that were to be reached and were not, and other things that went wrong in the harness. */
  readonly trouble: ReadonlyArray<string>
  readonly stream: ReadonlyArray<Told>
  /** The numbers of the task's events in the journal, in the order of their rows. */
  readonly events: ReadonlyArray<number>
  /** How the task stands for who asks at the end. */
  readonly state: string
  readonly answer: string
  /** The task in the victim's journal was rebuilt from what the platform knew. */
  readonly restored: boolean
  readonly named: ReadonlyArray<string>
  /** Waits that are open at the end. */
  readonly waiting: ReadonlyArray<string>
  /** Tasks in the worker's journal, or in the child's if there are more. */
  readonly tasks: number
}

const parse = (cursor: string) => {
  const [epoch = "", sequence = ""] = cursor.split("-")
  return { epoch, sequence: Number(sequence) }
}

/** What is wrong with the order of what a client was told: each event once, one after the other, or a gap that says so. */
export const checkStream = (stream: ReadonlyArray<Told>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  let last: { readonly epoch: string; readonly sequence: number } | undefined
  for (const { cursor, what } of stream) {
    const now = parse(cursor)
    if (last === undefined) {
      if (what._tag !== "Snapshot" || now.sequence !== 0) problems.push(`the stream begins with ${what._tag} ${cursor}`)
    } else if (what._tag === "Snapshot") {
      problems.push(`a snapshot ${cursor} in the middle of the stream`)
    } else if (what._tag === "Gap") {
      const from = parse(what.from)
      if (from.epoch !== last.epoch || from.sequence !== last.sequence) {
        problems.push(`a gap from ${what.from}, but the last event was ${last.epoch}-${last.sequence}`)
      }
    } else if (now.epoch !== last.epoch) {
      problems.push(`event ${cursor} follows ${last.epoch}-${last.sequence} without a gap`)
    } else if (now.sequence <= last.sequence) {
      problems.push(`event ${cursor} was told twice, or out of order`)
    } else if (now.sequence > last.sequence + 1) {
      problems.push(`${now.sequence - last.sequence - 1} events before ${cursor} are missing without a gap`)
    }
    last = now
  }
  return problems
}

/** The answer as a client puts it together from the pieces. */
export const assemble = (stream: ReadonlyArray<Told>): string => {
  const artifacts = new Map<string, string>()
  for (const { what } of stream) {
    if (what._tag === "Gap") artifacts.clear()
    if (what._tag !== "Piece") continue
    const before = what.append ? (artifacts.get(what.artifact) ?? "") : ""
    artifacts.set(what.artifact, before + what.text)
  }
  return Array.from(artifacts.values()).join("")
}

export const checkEvents = (events: ReadonlyArray<number>) =>
  events.every((number, index) => number === index + 1) ? [] : [`the journal's events are numbered ${events.join(" ")}`]

// Each run of a step is an attempt with a number of its own, as long as there is a journal that counts them.
const checkAttempts = (role: string, lines: ReadonlyArray<EffectLine>, deaths: ReadonlyArray<Death>) => {
  const counted = new Map<string, number>()
  return lines.flatMap(({ attempt, step, task }, index) => {
    if (deaths.some((death) => death.lost && death.role === role && death.effects === index)) counted.clear()
    const key = `${task} ${step}`
    const before = counted.get(key) ?? 0
    counted.set(key, attempt)
    return attempt > before ? [] : [`${role}: ${key} ran as attempt ${attempt} after attempt ${before}`]
  })
}

/** What is wrong with the effects, whatever the history: what was safe ran again, or an effect changed its id. */
export const checkEffects = (effects: Evidence["effects"], deaths: ReadonlyArray<Death>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  for (const { effects: count, role, safe } of deaths) {
    const later = (effects[role] ?? []).slice(count)
    const must = new Set(safe)
    for (const { attempt, step, task } of later) {
      const key = `${task} ${step}`
      if (must.has(key)) problems.push(`${role}: ${key} was completed and ran again (attempt ${attempt})`)
    }
  }
  for (const [role, lines = []] of Object.entries(effects)) {
    problems.push(...checkAttempts(role, lines, deaths))
    const ids = new Map<string, string>()
    const owners = new Map<string, string>()
    for (const { effectId, step, task } of lines) {
      const key = `${task} ${step}`
      const known = ids.get(key) ?? effectId
      if (known !== effectId) problems.push(`${role}: ${key} had the effect ids ${known} and ${effectId}`)
      const owner = owners.get(effectId) ?? key
      if (owner !== key) problems.push(`${role}: ${owner} and ${key} have the same effect id ${effectId}`)
      ids.set(key, known)
      owners.set(effectId, owner)
    }
  }
  return problems
}

const fits = (count: number, runs: Runs) => {
  const [least, most] = typeof runs === "number" ? [runs, runs] : runs
  return count >= least && count <= most
}
/** A number of runs in words. */
export const describeRuns = (runs: Runs): string =>
  typeof runs === "number" ? String(runs) : `${runs[0]} to ${runs[1]}`

const checkRuns = (effects: Evidence["effects"], expected: Expected["runs"]) =>
  Object.entries(expected).flatMap(([role, steps]) => {
    const lines = Object.entries(effects).find(([one]) => one === role)?.[1] ?? []
    const counted = Object.entries(steps).flatMap(([step, runs]) => {
      const count = lines.filter((line) => line.step === step).length
      return fits(count, runs) ? [] : [`${role}: ${step} ran ${count} times, not ${describeRuns(runs)}`]
    })
    const others = lines.filter(({ step }) => !Object.hasOwn(steps, step))
    return [...counted, ...others.map(({ step }) => `${role}: ${step} ran, which is no step of the history`)]
  })

const checkEnd = ({ answer, events, state, stream }: Evidence, expected: Expected) => {
  const problems: Array<string> = []
  const last = stream.at(-1)
  if (state !== expected.end) problems.push(`the task is ${state}, not ${expected.end}`)
  if (last?.what._tag !== "Status" || !last.what.final || last.what.state !== expected.end) {
    problems.push(`the stream ended with ${JSON.stringify(last?.what)}`)
  } else if (parse(last.cursor).sequence !== events.length) {
    problems.push(`the stream ended with ${last.cursor}, the journal has ${events.length} events`)
  }
  if (expected.end === "completed") {
    const put = assemble(stream)
    if (answer !== expected.answer) problems.push(`the answer is ${JSON.stringify(answer)}`)
    if (put !== expected.answer) problems.push(`the streamed answer is ${JSON.stringify(put)}`)
  }
  return problems
}

/** Everything that is wrong with a run of a cell. */
export const check = (evidence: Evidence, expected: Expected): ReadonlyArray<string> => [
  ...evidence.trouble,
  ...checkEnd(evidence, expected),
  ...checkEvents(evidence.events),
  ...checkStream(evidence.stream),
  ...checkEffects(evidence.effects, evidence.deaths),
  ...checkRuns(evidence.effects, expected.runs),
  ...expected.named.filter((name) => !evidence.named.includes(name)).map((name) => `nothing was ${name}`),
  ...(evidence.restored === expected.restored
    ? []
    : [`the task was ${evidence.restored ? "" : "not "}rebuilt from what the platform knew`]),
  ...evidence.waiting.map((wait) => `${wait} is still waiting`),
  ...(evidence.tasks === 1 ? [] : [`the message became ${evidence.tasks} tasks`])
]
