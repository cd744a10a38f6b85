/**
 * `docs/recovery.md`: the matrix as a person reads it, made from the same table that is played.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { root } from "../support/processes.ts"
import type { CrashPoint } from "./crashPoint.ts"
import { cells, histories } from "./matrix.ts"
import { type Action, type Cell, type Expected, type Plan, type Point, points, pointTitles, type Runs } from "./plan.ts"

/** Where the document is. */
export const file = "docs/recovery.md"

const head = `# Recovery

What becomes of a task when its process is killed, for each history on which other engines failed and each point at which
the kill can come, with the state directory kept and with it deleted too. This document is made from the table that
\`npm run recovery\` plays (\`test/recovery/matrix.ts\`); \`npm run recovery -- --document\` writes it again, and a test
holds it to the table.

Each cell runs the production program \`src/programs/workspace.ts\` beside the real platform, as processes of their own. The
kill is a SIGKILL at an exact place: a module loaded before the program watches \`node:sqlite\`, on which the journal is
written, and ends the process before a row is inserted, before its COMMIT, or right after it. Each step has an effect
outside the journal: it appends a line with its task, step, attempt and effect id to a file. A client sends the message
through the platform, follows the task's stream, and takes it up again behind the last event that it got after each cut.

Checked in each cell, besides the outcome that the cell names:

- the point was reached, and the process died there;
- no step whose result was on disk (with the state directory deleted: whose checkpoint the platform had) had its effect
  again, and each step that had it again did so under the same effect id;
- the client was told each event once and in order, or a gap that says where from and where to; the answer put together
  from the pieces is the right one, and so is the one that \`tasks/get\` gives;
- the message became one task, its events are numbered without a gap, and nothing is still waiting.

Where the state directory is deleted, that happens after the first kill; id and token come from the environment, and
messages are acknowledged once the platform has confirmed them (\`MOLECULE_ACK=platform\`). Each step before the kill begins
only when the platform has confirmed what came before it, so that it is known what must not run again; the step in flight
had not been confirmed and may run once more, under the same effect id. The task is rebuilt from what the platform knew
(but for the cell in which it was never accepted), and the stream goes on in a new epoch, after a gap event. A value or a
cancellation that only the lost disk had is given again by whoever gave it.

\`npm run recovery -- --only <text>\` plays some of the cells, \`--json\` ends with one JSON object. \`npm run soak\` kills
workspaces and platform at random moments instead (\`--seed\`, which it prints, gives the same moments and targets), while 200
tasks of six of the histories run. What kills in a row set aside is let run again, as a person would do with
\`molecule tasks resume\`, and counted. Then it sends 100,000 requests of any JSON and malformed HTTP to the A2A server.
`

const times = (runs: Runs) => {
  if (typeof runs === "number") return runs === 2 ? "twice" : `${runs} times`
  return `${runs[0]} or ${runs[1]} times`
}

const describePoint = (point: CrashPoint) => {
  if (point.at === "close") return "before the journal is closed"
  const row = [point.kind, ...point.having.map((part) => part.replaceAll('"', "").replace(":", " "))].join(", ")
  switch (point.at) {
    case "before-row":
      return `before the row ${row}`
    case "before-commit":
      return `before the COMMIT with ${row}`
    case "after-commit":
      return `after the COMMIT with ${row}`
  }
}

const describeAction = ({ act, when }: Action): string => {
  const moments = when.flatMap((one) => {
    if ("waiting" in one) return [`it waits for ${one.waiting}${one.of === "child" ? " in the child" : ""}`]
    if ("seen" in one) return [`${one.seen} has had its effect`]
    if ("committed" in one) return [`${one.committed} is committed`]
    if ("says" in one) return [one.says === "shutting down" ? "it drains" : `it has said "${one.says}"`]
    return ["accepted" in one ? "the message is acknowledged" : "the second is refused"]
  })
  const name = act.do === "term" ? "SIGTERM" : "SIGKILL"
  return `${name} when ${moments.join(" and ")}`
}

const describeKills = ({ actions, lives, victim }: Plan): string => {
  const kills = lives.flatMap(({ code, crash }, index) => {
    const outside = actions.filter(({ act, from = 1, to = Infinity }) => {
      const now = index + 1 >= from && index + 1 <= to
      return now && (act.do === "term" || act.do === "kill")
    })
    const asked = outside.map(describeAction)
    const inside = crash === undefined ? [] : [crash.points.map(describePoint).join(", or ")]
    const whose = code === undefined ? "" : `with code ${code}: `
    return [`${whose}${[...asked, ...inside].join("; then ")}`]
  })
  const numbered = kills.length === 1 ? kills : kills.map((kill, index) => `${index + 1}. ${kill}`)
  return `${victim === "child" ? "(the child) " : ""}${numbered.join("<br>")}`
}

const describeExpected = ({ end, named, runs }: Expected): string => {
  const again = Object.values(runs).flatMap((steps) =>
    Object.entries(steps).flatMap(([step, count]) =>
      count === 1 || count === 0 ? [] : [`\`${step}\` ${times(count)}`]
    )
  )
  return [
    ...(named.includes("refused") ? ["the second process is refused and told the first one's pid; then"] : []),
    ...(named.includes("held") ? ["held under v2, with an error that names step and versions; with v1 again"] : []),
    ...(again.length === 0 ? [end] : [`${end}; ${again.join(", ")}`])
  ].join(" ")
}

const describeCell = ({ outcome, wiped }: Cell): string => {
  if (outcome._tag === "NotApplicable") return `n/a: ${outcome.why}`
  const { expected } = outcome.plan
  if (!wiped) return describeExpected(expected)
  return `${describeExpected({ ...expected, runs: {} })}; unconfirmed steps once more at most`
}

const line = (history: string, point: Point) => {
  const [kept, wiped] = [false, true].map((lost) =>
    cells.find((cell) => cell.history === history && cell.point === point && cell.wiped === lost)
  )
  if (kept === undefined || wiped === undefined) return ""
  if (kept.outcome._tag === "NotApplicable" || wiped.outcome._tag === "NotApplicable") {
    return `| ${pointTitles[point]} | | ${describeCell(kept)} | ${describeCell(wiped)} |`
  }
  const kills = [describeKills(kept.outcome.plan), describeKills(wiped.outcome.plan)]
  const how = kills[0] === kills[1] ? kills[0] : `${kills[0]}<br>(deleted: ${kills[1]})`
  return `| ${pointTitles[point]} | ${how} | ${describeCell(kept)} | ${describeCell(wiped)} |`
}

const section = ({ name, seenIn, title }: (typeof histories)[number]) =>
  [
    `## \`${name}\`: ${title}`,
    "",
    `Seen in ${seenIn}.`,
    "",
    "| kill point | where the process dies | process killed | state directory deleted too |",
    "|---|---|---|---|",
    ...points.map((point) => line(name, point))
  ].join("\n")

const counted = () => {
  const run = cells.filter(({ outcome }) => outcome._tag === "Run").length
  return `${run} cells are played; ${cells.length - run} do not apply.\n`
}

/** The text of the document. */
export const text = (): string => `${[head, counted(), ...histories.map((one) => `${section(one)}\n`)].join("\n")}`

/** Writes the document. */
export const write = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  yield* files.writeFileString(`${root}${file}`, text())
})

/** Is the document what the table says? */
export const isUpToDate = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const written = yield* Effect.orElseSucceed(files.readFileString(`${root}${file}`), () => "")
  return written === text()
})
