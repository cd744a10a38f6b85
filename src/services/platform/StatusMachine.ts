/**
 * Where a workspace's status may go, and by what: one table.
 *
 * @module
 */
import type { HeartbeatRequest, WorkspaceStatus } from "./PlatformSchemas.ts"

/**
 * What can move a workspace:
 *
 * - `register`: the agent announced itself;
 * - `beatWell`, `beatUnclear`, `beatFailing`, `beatWedged`: a heartbeat, by what it says (see {@link beatTrigger});
 * - `silence`: no heartbeat for too long;
 * - `delete`: the workspace or one of its ancestors was deleted.
 */
export type Trigger = "register" | "beatWell" | "beatUnclear" | "beatFailing" | "beatWedged" | "silence" | "delete"

/** All triggers. */
export const triggers = [
  "register",
  "beatWell",
  "beatUnclear",
  "beatFailing",
  "beatWedged",
  "silence",
  "delete"
] as const satisfies ReadonlyArray<Trigger>

type Row = Readonly<Partial<Record<Trigger, WorkspaceStatus>>>

/** Not seen yet, or not for a while: whatever the agent says proves that it is there. */
const away: Row = {
  register: "online",
  beatWell: "online",
  beatUnclear: "online",
  beatFailing: "degraded",
  beatWedged: "degraded",
  delete: "removed"
}

/**
 * The table: from × trigger → to. What is not in it leaves the status as it is.
 *
 * **Details**
 *
 * A pause ends only by a resume: neither a registration nor a heartbeat undoes it. `removed` is final. `failed` and
 * `hibernated` end by a registration, since only an agent that was started again registers.
 */
export const transitions: Readonly<Record<WorkspaceStatus, Row>> = {
  provisioning: away,
  awaiting_agent: away,
  offline: away,
  online: { beatFailing: "degraded", beatWedged: "degraded", silence: "offline", delete: "removed" },
  degraded: { register: "online", beatWell: "online", silence: "offline", delete: "removed" },
  failed: { register: "online", delete: "removed" },
  hibernated: { register: "online", delete: "removed" },
  paused: { delete: "removed" },
  removed: {}
}

/** The status after a trigger. */
export const next = (from: WorkspaceStatus, trigger: Trigger): WorkspaceStatus => transitions[from][trigger] ?? from

/** At and above this share of failed requests a workspace is degraded; below the lower one it has recovered. */
export const errorRates = { degraded: 0.5, recovered: 0.1 } as const

/**
 * What a heartbeat says. An agent with the capability `status_mgmt` judges by itself: its error rate moves nothing, its
 * `wedged` still does.
 */
export const beatTrigger = (beat: typeof HeartbeatRequest.Type): Trigger => {
  if (beat.runtime_state === "wedged") return "beatWedged"
  if (beat.runtime_metadata?.capabilities?.["status_mgmt"] === true) return "beatUnclear"
  const rate = beat.error_rate ?? 0
  if (rate >= errorRates.degraded) return "beatFailing"
  return rate < errorRates.recovered && (beat.runtime_state ?? "") === "" ? "beatWell" : "beatUnclear"
}

/** May messages be sent to a workspace in this status? */
export const reachable = (status: WorkspaceStatus): boolean => status === "online" || status === "degraded"
