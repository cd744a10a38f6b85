import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as LivenessSweep from "../../../src/layers/platform/LivenessSweep.ts"
import * as WorkspaceStoreSql from "../../../src/layers/platform/WorkspaceStoreSql.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"
import { PlatformSettings, settingsDefaults } from "../../../src/services/platform/PlatformSettings.ts"
import { type NewWorkspace, WorkspaceStore } from "../../../src/services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"

const platform = LivenessSweep.layer.pipe(
  Layer.provideMerge(WorkspaceStoreSql.layer),
  Layer.provideMerge(SqliteClient.layer({ filename: ":memory:" })),
  Layer.provide(NodeCrypto.layer),
  Layer.provide(
    Layer.succeed(PlatformSettings, PlatformSettings.of({ ...settingsDefaults, stateDirectory: "/nowhere" }))
  )
)

const workspace: NewWorkspace = {
  name: "w",
  role: null,
  tier: 3,
  url: "http://127.0.0.1:9/",
  parent_id: null,
  workspace_dir: null,
  workspace_access: "none",
  budget_limit: null,
  max_concurrent_tasks: 1,
  x: 0,
  y: 0
}
const statusOf = Effect.fnUntraced(function* (id: WorkspaceId) {
  const { find } = yield* WorkspaceStore
  return Option.getOrThrow(yield* find(id)).status
})

describe("LivenessSweep", () => {
  it.effect("offline after 90 s without a beat, online again with the next one", () =>
    Effect.gen(function* () {
      const store = yield* WorkspaceStore
      const silent = yield* store.create(workspace, undefined)
      const alive = yield* store.create(workspace, undefined)
      const waiting = yield* store.create({ ...workspace, url: "" }, undefined)
      yield* TestClock.adjust("60 seconds")
      yield* store.beat({ workspace_id: alive.id })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* statusOf(silent.id), "online")
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* statusOf(silent.id), "offline")
      assert.strictEqual(yield* statusOf(alive.id), "online")
      assert.strictEqual(yield* statusOf(waiting.id), "awaiting_agent")
      yield* store.beat({ workspace_id: silent.id })
      assert.strictEqual(yield* statusOf(silent.id), "online")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* statusOf(alive.id), "offline")
      assert.strictEqual(yield* statusOf(silent.id), "online")
    }).pipe(Effect.provide(platform))
  )

  it.effect("after a start everyone has the whole time to be heard, however long the platform was away", () =>
    Effect.gen(function* () {
      const store = yield* WorkspaceStore
      const { id } = yield* store.create(workspace, undefined)
      const sql = yield* SqlClient
      yield* sql`UPDATE workspaces SET last_heard_at = -1000000`
      yield* TestClock.adjust("89 seconds")
      assert.strictEqual(yield* statusOf(id), "online")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* statusOf(id), "offline")
    }).pipe(Effect.provide(platform))
  )

  it.effect("goes on after a failure of the database", () =>
    Effect.gen(function* () {
      const store = yield* WorkspaceStore
      const sql = yield* SqlClient
      const { id } = yield* store.create(workspace, undefined)
      yield* sql`ALTER TABLE workspaces RENAME TO away`
      yield* TestClock.adjust("200 seconds")
      yield* sql`ALTER TABLE away RENAME TO workspaces`
      assert.strictEqual(yield* statusOf(id), "online")
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* statusOf(id), "offline")
    }).pipe(Effect.provide(platform))
  )
})
