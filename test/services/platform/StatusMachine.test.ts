import { assert, describe, it } from "@effect/vitest"
import { WorkspaceStatus } from "../../../src/services/platform/PlatformSchemas.ts"
import { beatTrigger, next, reachable, triggers } from "../../../src/services/platform/StatusMachine.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"

// From (rows) by trigger (columns, in the order of `triggers`): written out by hand, against the declarative table.
const expected: Record<WorkspaceStatus, ReadonlyArray<WorkspaceStatus>> = {
  //               register   beatWell   beatUnclear beatFailing beatWedged  silence     delete
  provisioning: ["online", "online", "online", "degraded", "degraded", "provisioning", "removed"],
  awaiting_agent: ["online", "online", "online", "degraded", "degraded", "awaiting_agent", "removed"],
  online: ["online", "online", "online", "degraded", "degraded", "offline", "removed"],
  degraded: ["online", "online", "degraded", "degraded", "degraded", "offline", "removed"],
  offline: ["online", "online", "online", "degraded", "degraded", "offline", "removed"],
  failed: ["online", "failed", "failed", "failed", "failed", "failed", "removed"],
  paused: ["paused", "paused", "paused", "paused", "paused", "paused", "removed"],
  hibernated: ["online", "hibernated", "hibernated", "hibernated", "hibernated", "hibernated", "removed"],
  removed: ["removed", "removed", "removed", "removed", "removed", "removed", "removed"]
}

const workspace_id = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")

describe("StatusMachine", () => {
  for (const from of WorkspaceStatus.literals) {
    it(`from ${from}`, () => {
      assert.deepStrictEqual(
        triggers.map((trigger) => next(from, trigger)),
        expected[from]
      )
    })
  }

  const managed = { capabilities: { status_mgmt: true } }
  const beats: ReadonlyArray<readonly [string, Omit<Parameters<typeof beatTrigger>[0], "workspace_id">, string]> = [
    ["nothing said", {}, "beatWell"],
    ["few errors", { error_rate: 0.09 }, "beatWell"],
    ["some errors", { error_rate: 0.1 }, "beatUnclear"],
    ["many errors", { error_rate: 0.5 }, "beatFailing"],
    ["a state of its own", { runtime_state: "busy" }, "beatUnclear"],
    ["wedged", { runtime_state: "wedged" }, "beatWedged"],
    ["wedged beats errors", { runtime_state: "wedged", error_rate: 1 }, "beatWedged"],
    ["judges itself: errors do not count", { error_rate: 1, runtime_metadata: managed }, "beatUnclear"],
    ["judges itself: wedged does", { runtime_state: "wedged", runtime_metadata: managed }, "beatWedged"],
    ["another capability", { error_rate: 1, runtime_metadata: { capabilities: { other: true } } }, "beatFailing"]
  ]
  for (const [name, beat, trigger] of beats) {
    it(`a beat: ${name}`, () => assert.strictEqual(beatTrigger({ workspace_id, ...beat }), trigger))
  }

  it("messages go to online and degraded workspaces only", () => {
    assert.deepStrictEqual(WorkspaceStatus.literals.filter(reachable), ["online", "degraded"])
  })
})
