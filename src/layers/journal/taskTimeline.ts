/**
 * What happened to a task, from its rows in the journal.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Content from "../../services/durable/Content.ts"
import type { JournalRow } from "../../services/durable/Journal.ts"
import type { ExecutorError } from "../../services/durable/Step.ts"
import { isTerminal, type SaidEvent } from "../../services/durable/TaskStore.ts"
import type { TimelineItem } from "../../services/local/TaskBook.ts"
import { decodeExit } from "./exitCodec.ts"

/** Results are told in so many characters at most. */
const maxResult = 200

type Item<K extends TimelineItem["kind"]> = {
  -readonly [P in keyof Extract<TimelineItem, { kind: K }>]: Extract<TimelineItem, { kind: K }>[P]
}

/** The last moment that a date can name, in milliseconds; a deadline may be set beyond it. */
const lastMoment = 8.64e15

/** A time of a row. */
export const momentOf = (millis: number): DateTime.Utc =>
  DateTime.makeUnsafe(Math.min(lastMoment, Math.max(-lastMoment, millis)))

const encodeJson = Schema.encodeUnknownResult(Schema.fromJsonString(Schema.Json))
const clip = (text: string) => (text.length > maxResult ? `${text.slice(0, maxResult - 1)}…` : text)

const textOf = (value: Schema.Json) => (value === null ? "" : clip(Result.getOrElse(encodeJson(value), () => "")))

const noteOf = (event: Exclude<typeof SaidEvent.Type, { readonly _tag: "Output" | "Artifact" }>) => {
  if (event._tag === "Progress") return event.text
  return Content.textOf(event._tag === "Remark" ? event.parts : event.message.parts)
}

const named = (reason: string, detail: string) => (reason === "failed" ? detail : `${reason}: ${detail}`)

/** The failure of a step or a task in one text: the reason, where it says more than that it failed, and the detail. */
export const errorText = ({ detail, reason }: Pick<ExecutorError, "detail" | "reason">): string => named(reason, detail)

const property = (value: unknown, name: string) => {
  const found = Predicate.hasProperty(value, name) ? value[name] : undefined
  return typeof found === "string" ? found : undefined
}

// The error of a step is an encoded `ExecutorError`; whatever else stands there is shown as it is.
const errorOf = (cause: Cause.Cause<Schema.Json>) =>
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => (Cause.hasInterruptsOnly(cause) ? "interrupted" : `defect: ${clip(Cause.pretty(cause))}`),
    onSome: (error) => {
      const detail = property(error, "detail")
      return detail === undefined ? textOf(error) : named(property(error, "reason") ?? "failed", detail)
    }
  })

type Ending = Pick<Item<"step">, "outcome" | "result" | "error">

const endingOf = (encoded: Schema.Json): Ending => {
  const exit = Result.try(() => decodeExit(encoded))
  if (Result.isFailure(exit)) return { outcome: "failed", error: "its result cannot be read" }
  if (Exit.isFailure(exit.success)) return { outcome: "failed", error: errorOf(exit.success.cause) }
  const result = textOf(exit.success.value)
  return result === "" ? { outcome: "completed" } : { outcome: "completed", result }
}

// A step that is tried again has its later tries journaled as `name~2`, `name~3`, ….
const baseOf = (name: string) => name.replace(/~\d+$/, "")

const make = (restored: boolean) => {
  const items: Array<TimelineItem> = []
  // Runs whose end is not known: of this process, and of one that has ended.
  const running = new Map<string, Item<"step">>()
  const lost = new Map<string, Item<"step">>()
  const waits = new Map<string, Item<"wait">>()
  const said = new Map<string, Item<"said">>()
  const add = <I extends TimelineItem>(item: I) => {
    items.push(item)
    return item
  }
  const lose = (step: string, run: Item<"step">) => {
    run.outcome = "lost"
    running.delete(step)
    lost.set(step, run)
  }
  const close = (wait: Item<"wait">, how: Item<"wait">["how"], at: DateTime.Utc) => {
    wait.how = how
    wait.ended = at
    wait.took = Math.max(0, DateTime.toEpochMillis(at) - DateTime.toEpochMillis(wait.at))
    waits.delete(wait.wait)
  }

  const complete = (name: string, at: DateTime.Utc, ending: Ending) => {
    // What runs now is sooner meant than what a former process began.
    const runs = [running, lost].find((some) => some.has(name) || some.has(baseOf(name)))
    const step = runs?.has(name) === false ? baseOf(name) : name
    const run = running.get(step)
    const before = lost.get(step)
    running.delete(step)
    lost.delete(step)
    if (run !== undefined) {
      const took = Math.max(0, DateTime.toEpochMillis(at) - DateTime.toEpochMillis(run.at))
      Object.assign(run, ending, { ended: at, took })
    } else if (before !== undefined) {
      // How long it really took is as unknown as when it happened.
      Object.assign(before, ending, { ended: at, how: "reconciled" })
    } else {
      add({ kind: "step", at, step: name, attempt: 1, ended: at, ...ending, ...(restored ? { how: "restored" } : {}) })
    }
  }

  const speak = (key: string, first: () => Item<"said">) => {
    const known = said.get(key)
    if (known !== undefined) return known
    const item = add(first())
    said.set(key, item)
    return item
  }

  const end = (at: DateTime.Utc) => {
    for (const [step, run] of running) {
      run.outcome = "stopped"
      running.delete(step)
    }
    for (const wait of waits.values()) close(wait, "cancelled", at)
  }

  const visit = ({ at: millis, record }: JournalRow) => {
    const at = momentOf(millis)
    switch (record._tag) {
      case "TaskAccepted":
        add({ kind: "accepted", at, restored: record.restored })
        break
      case "TaskMoved": {
        const error = record.error === undefined ? undefined : { error: errorText(record.error) }
        add({ kind: "state", at, state: record.state, ...error })
        if (isTerminal(record.state)) end(at)
        break
      }
      case "StepBegan": {
        const { attempt, effect, step } = record
        // Runs of one try of a step are counted under its name, too.
        if (step.includes("~")) break
        const before = running.get(step)
        if (before !== undefined) lose(step, before)
        lost.delete(step)
        const run: Item<"step"> = { kind: "step", at, step, attempt, outcome: "running" }
        if (effect !== undefined) run.effect = effect.id
        running.set(step, add(run))
        break
      }
      case "ActivityCompleted":
        complete(record.name, at, endingOf(record.exit))
        break
      case "TaskSaid": {
        const { attempt, event, step } = record
        const item = speak(`${attempt}/${step}`, () => ({
          kind: "said",
          at,
          step,
          attempt,
          until: at,
          pieces: 0,
          characters: 0,
          notes: 0
        }))
        item.until = at
        if (event._tag === "Output") {
          item.pieces++
          item.characters += event.text.length
        } else if (event._tag === "Artifact") {
          item.pieces++
          item.characters += Content.textOf(event.artifact.parts).length
        } else {
          item.notes++
          item.lastNote = clip(noteOf(event))
        }
        break
      }
      case "SegmentBegan":
        add({ kind: "segment", at, segment: record.segment })
        break
      case "WaitBegan": {
        if (waits.has(record.wait)) break
        const { deadline, from, kind: waitKind, reason, wait } = record
        waits.set(
          wait,
          add<Item<"wait">>({
            kind: "wait",
            at,
            wait,
            waitKind,
            reason,
            from,
            deadline: momentOf(deadline),
            retries: 0,
            how: "open"
          })
        )
        break
      }
      case "WaitRetried": {
        const wait = waits.get(record.wait)
        if (wait === undefined) break
        wait.retries++
        wait.deadline = momentOf(record.deadline)
        break
      }
      case "WaitEnded": {
        const wait = waits.get(record.wait)
        if (wait !== undefined) close(wait, record.how, at)
        break
      }
      case "TaskResumed":
        for (const [step, run] of running) lose(step, run)
        add({ kind: "resumed", at, boot: record.boot })
        break
      case "TaskHeld":
        add({ kind: "held", at, reason: record.reason, detail: record.detail })
        break
      case "TaskReleased":
        // An orderly end of the process is noted in this way too; of a task that was not held there is nothing to tell.
        if (items.findLast(({ kind }) => kind === "held" || kind === "released")?.kind === "held") {
          add({ kind: "released", at })
        }
        break
    }
  }
  return { items, visit }
}

/**
 * The timeline of a task: one item for each run of a step, each wait, each change of state, in the order in which they began.
 *
 * **Details**
 *
 * `rows` are those of the task's stream and of the streams of its executions, in any order. Rows of other kinds are passed
 * over. Durations are those between the times of two rows; a clock that was set back makes them 0, never negative.
 *
 * **Example**
 *
 * ```ts
 * const items = timeline([...(yield* read(taskId)), ...(yield* read(executionId(taskId, 0)))])
 * ```
 */
export const timeline = (rows: ReadonlyArray<JournalRow>): ReadonlyArray<TimelineItem> => {
  const ordered = rows.toSorted((a, b) => a.position - b.position)
  const restored = ordered.some(({ record }) => record._tag === "TaskAccepted" && record.restored)
  const { items, visit } = make(restored)
  for (const row of ordered) visit(row)
  return items
}
