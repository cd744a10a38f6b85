/**
 * What the tables of defects in `docs/compatibility.md` are made of.
 *
 * @module
 */

/** A defect of the original, and how it stands here. */
export interface Defect {
  readonly number: number
  /** What the original does, in our words. */
  readonly what: string
  /**
   * - `tested`: a test that has its number in its title shows that ours has it not;
   * - `none`: it concerns nothing that is served here;
   * - `open`: what it concerns is not built yet.
   */
  readonly standing: "tested" | "none" | "open"
  /** Why none, what it waits for, or what is still missing. */
  readonly note: string
}

/** A list of defects of one text. */
export interface DefectList {
  readonly title: string
  /** How its numbers are written in tables: `P` for P1. */
  readonly letter: string
  /** How its numbers begin in the titles of tests. */
  readonly label: string
  /** The text, and the line of it under which the list stands. */
  readonly source: { readonly file: string; readonly after: string; readonly row: RegExp }
  readonly defects: ReadonlyArray<Defect>
}

/** A defect that a test shows ours has not. */
export const tested = (number: number, what: string, note = ""): Defect => ({ number, what, standing: "tested", note })

/** A defect of something that is not served here. */
export const none = (number: number, what: string, note: string): Defect => ({ number, what, standing: "none", note })

/** A defect of something that is not built yet. */
export const open = (number: number, what: string, note: string): Defect => ({ number, what, standing: "open", note })

/** Reasons that several have in common. */
export const because = {
  agents: "the record of agents is not served",
  artifacts: "artifact repositories are not served",
  bundles: "bundles are not served",
  channels: "channels and webhooks are not served",
  containers: "the platform starts no containers",
  files: "files are not served",
  orgImport: "organisations are not imported",
  page: "concerns the original's page, not the platform",
  plugins: "plugins are not served",
  schedules: "schedules are not served",
  templates: "templates are not served",
  viewport: "the viewport is not served",
  activity: "comes with the activity",
  approvals: "comes with the approvals",
  audit: "comes with the audit",
  config: "comes with budget and config",
  delegations: "comes with the delegations",
  development: "comes with development mode: nothing is opened by the environment today",
  events: "comes with the events",
  mcp: "comes with the MCP endpoint",
  memories: "comes with the memories",
  metrics: "comes with the metrics",
  pause: "comes with pause, resume and hibernate",
  secrets: "comes with the secrets",
  team: "comes with expand and collapse",
  traces: "comes with traces and transcript"
}
