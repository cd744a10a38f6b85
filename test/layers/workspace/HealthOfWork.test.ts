import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as HealthOfWork from "../../../src/layers/workspace/HealthOfWork.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { Journal, JournalUnavailable } from "../../../src/services/durable/Journal.ts"
import { TaskRunner, type WorkHealth } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStoreError } from "../../../src/services/durable/TaskStore.ts"
import { Health, type HealthRule } from "../../../src/services/workspace/Health.ts"
import { Lifecycle, type LifecycleState } from "../../../src/services/workspace/Lifecycle.ts"
import { WorkspaceSettings } from "../../../src/services/workspace/WorkspaceSettings.ts"
import { settings } from "../../support/agent.ts"

const refused = new JournalUnavailable({ file: "/secret/path", reason: "full", detail: "no room", remedy: "make some" })
const alarm = { since: DateTime.makeUnsafe(0), detail: "the outbox is full" }

/** What the parts say; nothing is wrong unless given. */
interface World {
  readonly work?: WorkHealth | TaskStoreError
  readonly refused?: JournalUnavailable
  readonly alarm?: typeof alarm
}

const all: HealthRule = { failsOn: ["overdue", "journal", "held", "outbox"], maxOverdue: 5000 }

const health = (world: World, rule = all) =>
  HealthOfWork.layerWith(rule).pipe(
    Layer.provide(
      Layer.mock(TaskRunner)({
        epoch: "e",
        activity: Effect.succeed({ running: 1, queued: 2, current: "what somebody said" }),
        health: Effect.suspend(() =>
          world.work instanceof TaskStoreError
            ? Effect.fail(world.work)
            : Effect.succeed(world.work ?? { oldestDue: 0, held: [] })
        )
      })
    ),
    Layer.provide(
      Layer.mock(Journal)({
        file: "/secret/path",
        epoch: "e",
        stageUnsafe: () => {},
        state: Effect.succeed({ refused: world.refused, staged: 3 })
      })
    ),
    Layer.provide(
      Layer.mock(CheckpointOutbox)({
        pending: Effect.succeed(7),
        alarm: world.alarm === undefined ? Effect.succeedNone : Effect.succeedSome(world.alarm)
      })
    ),
    Layer.provide(Layer.effect(Lifecycle, SubscriptionRef.make<LifecycleState>("ok")))
  )

const publicly = (world: World, rule?: HealthRule) =>
  Effect.flatMap(Health, ({ forAll }) => forAll).pipe(Effect.provide(health(world, rule)))

const held = [{ taskId: "t", reason: "code", detail: "of a step" }] as const

describe("HealthOfWork", () => {
  it.effect("is the age of the oldest due work, and what else somebody should look at", () =>
    Effect.gen(function* () {
      const wrong = (world: World, rule?: HealthRule) => Effect.map(publicly(world, rule), (now) => now.wrong)
      assert.deepStrictEqual(yield* wrong({}), [])
      assert.deepStrictEqual(yield* wrong({ work: { oldestDue: 5000, held: [] } }), [])
      assert.deepStrictEqual(yield* wrong({ work: { oldestDue: 5001, held: [] } }), ["overdue"])
      assert.deepStrictEqual(yield* wrong({ work: { oldestDue: 5001, held: [] } }, { ...all, maxOverdue: 6000 }), [])
      assert.deepStrictEqual(yield* wrong({ refused }), ["journal"])
      assert.deepStrictEqual(yield* wrong({ work: { oldestDue: 0, held } }), ["held"])
      assert.deepStrictEqual(yield* wrong({ alarm }), ["outbox"])
      const everything = { work: { oldestDue: 9000, held }, refused, alarm }
      assert.deepStrictEqual(yield* wrong(everything), ["overdue", "journal", "held", "outbox"])
      assert.deepStrictEqual(yield* wrong(everything, { ...all, failsOn: ["journal"] }), ["journal"])
    })
  )

  it.effect("tells everybody numbers and reasons, and only the operator ids, paths and details", () =>
    Effect.gen(function* () {
      const world = { work: { oldestDue: 9000, held }, refused, alarm }
      const known = { status: "ok", wrong: all.failsOn, running: 1, queued: 2, oldestDue: 9000 } as const
      const outbox = { pending: 7, alarm: "the outbox is full" }
      assert.deepStrictEqual(yield* publicly(world), {
        ...known,
        held: 1,
        journal: { staged: 3, refused: "full" },
        outbox
      })
      const operator = Effect.flatMap(Health, ({ forOperator }) => forOperator)
      assert.deepStrictEqual(yield* Effect.provide(operator, health(world)), {
        pid: process.pid,
        ...known,
        held,
        journal: { file: "/secret/path", staged: 3, refused: refused.message },
        outbox
      })
    })
  )

  it.effect("is not well where the store cannot be read, whatever the rule", () =>
    Effect.gen(function* () {
      const work = new TaskStoreError({ operation: "waits", cause: "the disk" })
      const now = yield* publicly({ work }, { ...all, failsOn: [] })
      assert.deepInclude(now, { wrong: ["store"], running: 1, queued: 2 })
    })
  )

  it.effect("has its rule from the settings", () =>
    Effect.gen(function* () {
      const read = (environment: Record<string, string>) =>
        Effect.map(WorkspaceSettings, ({ healthFailsOn, healthMaxOverdue }) => ({
          failsOn: healthFailsOn,
          maxOverdue: Duration.toMillis(healthMaxOverdue)
        })).pipe(Effect.provide(settings(environment)))
      assert.deepStrictEqual(yield* read({}), all)
      const other = { MOLECULE_HEALTH_FAILS_ON: "overdue,journal", MOLECULE_HEALTH_MAX_OVERDUE: "1 minute" }
      assert.deepStrictEqual(yield* read(other), { failsOn: ["overdue", "journal"], maxOverdue: 60_000 })
      const error = yield* Effect.flip(read({ MOLECULE_HEALTH_FAILS_ON: "weather" }))
      assert.include(error.message, "MOLECULE_HEALTH_FAILS_ON")
    })
  )
})
