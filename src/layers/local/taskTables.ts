/**
 * Tasks, timelines and waits as text for people.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import { isTerminal } from "../../services/durable/TaskStore.ts"
import type {
  TaskLine,
  TaskList,
  TaskStory,
  TimelineItem,
  Wait,
  WaitChains,
  WaitLink
} from "../../services/local/TaskBook.ts"
import type { WorkspaceHealth } from "../../services/workspace/Health.ts"
import { clean, cleanLines, duration, exactTime, table, time } from "./textTable.ts"

/** How much of an id is shown in tables: enough to name a task with, and what the commands take. */
const shortId = 8
/** The longest text in the last column of a table. */
const longText = 80
/** The longest text in any other. */
const shortText = 40
/** How much of a message or an answer is shown; `--json` has all of it. */
const maxText = 2000

const count = (many: number, what: string) => `${many} ${what}${many === 1 ? "" : "s"}`
const short = (id: string) => clean(id, 255).slice(0, shortId)
const ago = (at: DateTime.Utc, now: DateTime.Utc) =>
  duration(Math.max(0, DateTime.toEpochMillis(now) - DateTime.toEpochMillis(at)))

const until = ({ deadline, overdue }: Wait, now: DateTime.Utc) =>
  overdue > 0
    ? `overdue ${duration(overdue)}`
    : `in ${duration(Math.max(0, DateTime.toEpochMillis(deadline) - DateTime.toEpochMillis(now)))}`

const doing = (task: TaskLine, now: DateTime.Utc) => {
  const { damaged, error, held, lastStep, state, waits } = task
  if (damaged !== undefined) return `DAMAGED: ${damaged}`
  if (held !== undefined) return `held (${held.reason}): ${held.detail}`
  const [wait] = waits
  if (wait !== undefined) {
    const more = waits.length > 1 ? `, and ${waits.length - 1} more` : ""
    return `waits for ${wait.wait} from ${wait.from}, ${until(wait, now)}${more}`
  }
  if (state === "failed") return error ?? ""
  if (state !== "working" || lastStep === undefined) return ""
  return `last step ${lastStep.step}, run ${lastStep.attempt}, began ${ago(lastStep.began, now)} ago`
}

/** `tasks list`. */
export const list = ({ pruned, tasks, total }: TaskList, now: DateTime.Utc): string => {
  const gone = pruned > 0 ? `\n${pruned} ended long ago and ${pruned === 1 ? "is" : "are"} not kept any more` : ""
  if (tasks.length === 0) return `no tasks${gone}`
  const rows = tasks.map((task) => [
    short(task.id),
    task.held === undefined ? task.state : "held",
    ago(task.created, now),
    clean(task.caller, 12),
    clean(task.headline, shortText),
    clean(doing(task, now), longText)
  ])
  const rest = total - tasks.length
  const more = rest > 0 ? `\n${rest} older: see --limit` : ""
  return table(["TASK", "STATE", "AGE", "FROM", "MESSAGE", "NOW"], rows) + more + gone
}

const outcomeOf = (item: Extract<TimelineItem, { kind: "step" }>) => {
  const { effect, error, how, outcome, result } = item
  const what = [outcome, outcome === "failed" ? error : result].filter((part) => part).join(": ")
  return [what, how, effect === undefined ? undefined : `effect ${effect}`].filter((part) => part).join("; ")
}

const describe = (item: TimelineItem): ReadonlyArray<string> => {
  switch (item.kind) {
    case "accepted":
      return ["accepted", "", "", item.restored ? "from the platform's checkpoints" : ""]
    case "state":
      return [item.state, "", "", item.error ?? ""]
    case "step": {
      const took = item.took === undefined ? "" : duration(item.took)
      return [`step ${item.step}`, String(item.attempt), took, outcomeOf(item)]
    }
    case "said": {
      const { attempt, characters, lastNote, notes, pieces, step } = item
      const parts = [
        ...(pieces > 0 ? [`${count(pieces, "piece")} of the answer, ${count(characters, "character")}`] : []),
        ...(notes > 0 ? [`${count(notes, "note")}, the last: ${lastNote ?? ""}`] : [])
      ]
      return [step === "" ? "said" : `said in ${step}`, step === "" ? "" : String(attempt), "", parts.join("; ")]
    }
    case "wait": {
      const { deadline, from, how, reason, retries, took, wait } = item
      const asked = retries === 0 ? "" : `, asked again ${count(retries, "time")}`
      const text = `${how}: ${reason} from ${from}, until ${time(deadline)}${asked}`
      return [`wait ${wait}`, "", took === undefined ? "" : duration(took), text]
    }
    case "segment":
      return [`segment ${item.segment}`, "", "", "goes on in a new execution"]
    case "resumed":
      return ["resumed", "", "", item.boot === "trial" ? "alone, as it may have ended the process" : "by a start"]
    case "held":
      return ["held", "", "", `${item.reason}: ${item.detail}`]
    case "released":
      return ["released", "", "", ""]
  }
}

const block = (name: string, text: string) =>
  text === ""
    ? []
    : [`${name}\n${cleanLines(text.slice(0, maxText))}${text.length > maxText ? "\n… (--json has all)" : ""}`]

/** `tasks show`. */
export const story = (task: TaskStory, now: DateTime.Utc): string => {
  const facts = [
    ["task", clean(task.id, 255)],
    ["state", [task.state, clean(doing(task, now), 2 * maxText)].filter((part) => part !== "").join(": ")],
    ...(task.remedy === undefined ? [] : [["remedy", clean(task.remedy, maxText)]]),
    [
      "from",
      `${clean(task.caller, 255)}, message ${clean(task.messageId, 255)}, context ${clean(task.contextId, 255) || "none"}`
    ],
    [
      "accepted",
      `${time(task.created)}, ${ago(task.created, now)} ago${task.restored ? ", restored from the platform" : ""}`
    ],
    ["code", `${clean(task.code, 255) || "any"}, workflow version ${task.version}, segment ${task.segment}`],
    ...(task.boots === 0 ? [] : [["starts", `${task.boots} took it up since it last got on`]])
  ]
  const rows = task.timeline.map((item) => {
    const [what = "", run = "", took = "", text = ""] = describe(item)
    return [exactTime(item.at), clean(what, shortText), run, took, clean(text, 2 * longText)]
  })
  return [
    facts.map(([name = "", value = ""]) => `${name.padEnd(9)} ${value}`.trimEnd()).join("\n"),
    ...block("message", task.text),
    table(["TIME (UTC)", "WHAT", "RUN", "TOOK", "HOW"], rows),
    ...block("answer", task.output ?? "")
  ].join("\n\n")
}

const linkRows = (link: WaitLink, depth: number, now: DateTime.Utc): ReadonlyArray<ReadonlyArray<string>> => {
  const { circle, held, id, next, state, wait } = link
  const name = `${depth === 0 ? "" : `${"  ".repeat(depth - 1)}└ `}${short(id)}`
  const heldText = held === undefined ? "" : `held (${held.reason}): ${held.detail}`
  if (wait === undefined) {
    const standing = isTerminal(state) ? `${state}: nothing more will come from it` : state
    const circular = "A CIRCLE: it waits for the task above, and none of these will go on by itself"
    const why = circle ? circular : heldText === "" ? standing : heldText
    return [[name, "", "", "", clean(why, longText)]]
  }
  const asked = wait.retries === 0 ? "" : ` (asked again ${count(wait.retries, "time")})`
  const own = [
    name,
    clean(wait.wait, shortText),
    clean(wait.from, shortText),
    until(wait, now),
    clean([`${wait.reason}${asked}`, heldText].filter((part) => part !== "").join("; "), longText)
  ]
  return [own, ...next.flatMap((one) => linkRows(one, depth + 1, now))]
}

/** `tasks waits`. */
export const waits = ({ held, oldestDue, waits: chains }: WaitChains, now: DateTime.Utc): string => {
  const rows = chains.flatMap((link) => linkRows(link, 0, now))
  const asides = held.map(({ detail, id, reason }) => [short(id), reason, clean(detail, 4 * longText)])
  return [
    rows.length === 0 ? "no task waits" : table(["TASK", "WAITS FOR", "FROM", "UNTIL", "WHAT"], rows),
    ...(held.length === 0
      ? []
      : [`set aside, and not run until resumed:\n${table(["TASK", "WHY", "DETAIL"], asides)}`]),
    oldestDue === 0 ? "nothing is overdue" : `the oldest due wait is overdue by ${duration(oldestDue)}`
  ].join("\n\n")
}

/** What is not well by the workspace's rule; nothing, if all is. */
export const troubles = ({ held, journal, oldestDue, outbox, wrong }: WorkspaceHealth): ReadonlyArray<string> =>
  wrong.map((trouble) => {
    switch (trouble) {
      case "overdue":
        return `work is overdue by ${duration(oldestDue)}: see molecule tasks waits`
      case "held":
        return `${count(held.length, "task")} set aside: see molecule tasks waits`
      case "journal":
        return clean(journal.refused ?? "the journal cannot be written", maxText)
      case "outbox":
        return clean(outbox.alarm ?? "the outbox was full", maxText)
      case "store":
        return "the journal cannot be read"
    }
  })

/** `health`. */
export const health = (now: WorkspaceHealth): string => {
  const wrong = troubles(now)
  return [
    `process   ${now.pid}`,
    `tasks     ${now.running} running, ${now.queued} queued, ${now.held.length} set aside`,
    `due work  ${now.oldestDue === 0 ? "none" : `the oldest is overdue by ${duration(now.oldestDue)}`}`,
    `journal   ${now.journal.file}, ${now.journal.refused === undefined ? "can be written" : "CANNOT BE WRITTEN"}`,
    `outbox    ${now.outbox.pending} checkpoints to send${now.outbox.alarm === undefined ? "" : ", WAS FULL"}`,
    ...wrong.map((line) => `WRONG     ${line}`)
  ].join("\n")
}
