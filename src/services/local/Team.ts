/**
 * The team that `npm start` brings up: a coordinator and two agents that run real programs.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"

/** A member of the team: who it is, and what it does with a message. */
export interface Member {
  readonly name: string
  readonly role: string
  /** The member that it works for. */
  readonly parent: string | undefined
  /** The settings of its workspace program (see `WorkspaceSettingsEnv`). */
  readonly environment: Readonly<Record<string, string>>
}

const counterScript = `wc -l -w -c | awk '{print $1 " lines, " $2 " words, " $3 " bytes"}'`
const outlinerScript =
  '/^```/ {fenced = !fenced} /^#+ / && !fenced {print; found = 1} END {if (!found) print "(no headings)"}'

/** The team, parents before children. `lead` hands its message to both children; they run `wc` and `awk` on it. */
export const team = [
  {
    name: "lead",
    role: "coordinator",
    parent: undefined,
    environment: { MOLECULE_EXECUTOR: "fan-out", MOLECULE_DESCRIPTION: "Splits a text between its children" }
  },
  {
    name: "counter",
    role: "counts lines, words and bytes",
    parent: "lead",
    environment: {
      MOLECULE_EXECUTOR: "command",
      MOLECULE_COMMAND: `["/bin/sh","-c",${JSON.stringify(counterScript)}]`,
      MOLECULE_DESCRIPTION: "Counts lines, words and bytes"
    }
  },
  {
    name: "outliner",
    role: "lists the headings",
    parent: "lead",
    environment: {
      MOLECULE_EXECUTOR: "command",
      MOLECULE_COMMAND: `["awk",${JSON.stringify(outlinerScript)}]`,
      MOLECULE_DESCRIPTION: "Lists the headings of a Markdown text"
    }
  }
] as const satisfies ReadonlyArray<Member>

/** Which workspace each member is, kept in the state directory's `team.json`. */
export const TeamFile = Schema.Record(Schema.String, WorkspaceId)

/** A step of a task as the platform's checkpoints show it. */
export const StepReport = Schema.Struct({
  workspace: Schema.String,
  workflowId: Schema.String,
  name: Schema.String,
  index: Schema.Int
})

/** What `npm start -- --once … --json` prints: one JSON object. */
export const RunReport = Schema.Struct({
  platformUrl: Schema.String,
  taskId: Schema.String,
  state: Schema.String,
  steps: Schema.Array(StepReport),
  result: Schema.String
})

/** The team could not be brought up, or did not stay up; `remedy` says what a person can do. */
export class TeamError extends Schema.TaggedError<TeamError>()("TeamError", {
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message() {
    return `${this.detail}\n  ${this.remedy}`
  }
}
