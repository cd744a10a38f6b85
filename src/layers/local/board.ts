/**
 * What the team is doing, read from the platform as anybody with the admin token can.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { reservedPrefix } from "../../services/durable/Checkpoint.ts"
import type { StepReport } from "../../services/local/Team.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import type { Placed } from "./teamSetup.ts"

/** The steps that are on the platform now for the latest task of each member, in order. */
export const steps = Effect.fn("board.steps")(function* (members: ReadonlyArray<Placed>) {
  const { checkpoints } = yield* PlatformClient
  const found: Array<typeof StepReport.Type> = []
  for (const { id, member } of members) {
    const latest = yield* checkpoints.latest({ params: { id } }).pipe(
      Effect.asSome,
      Effect.catchIf(Predicate.isTagged("NotFound"), () => Effect.succeedNone)
    )
    // What the workspace keeps for itself is no task's: the next look finds the task's.
    if (Option.isNone(latest) || latest.value.workflow_id.startsWith(reservedPrefix)) continue
    // The steps inside of a phase are kept under `<task>/<phase>`; the board shows the phases.
    const [workflowId = ""] = latest.value.workflow_id.split("/")
    const rows = yield* checkpoints.list({ params: { id, workflowId } })
    for (const row of rows.toReversed()) {
      found.push({ workspace: member.name, workflowId, name: row.step_name, index: row.step_index })
    }
  }
  return found
})

const column = (text: string, width: number) =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)

/** The team's table: name, status, current task. */
export const table = Effect.fn("board.table")(function* (members: ReadonlyArray<Placed>) {
  const { workspaces } = yield* PlatformClient
  const rows = yield* workspaces.list()
  const lines = members.flatMap(({ id }) =>
    rows
      .filter((row) => row.id === id)
      .map(
        (row) =>
          `  ${column(row.name, 10)} ${column(row.status, 14)} ${row.current_task === "" ? "–" : row.current_task}`
      )
  )
  return [`  ${column("NAME", 10)} ${column("STATUS", 14)} CURRENT TASK`, ...lines].join("\n")
})

/** Are all members online? */
export const allOnline = Effect.fn("board.allOnline")(function* (members: ReadonlyArray<Placed>) {
  const { workspaces } = yield* PlatformClient
  const rows = yield* workspaces.list()
  return members.every(({ id }) => rows.some((row) => row.id === id && row.status === "online"))
})
