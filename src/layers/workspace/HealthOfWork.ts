/**
 * `Health` by what the runner, the journal and the outbox say.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { CheckpointOutbox } from "../../services/durable/CheckpointOutbox.ts"
import { Journal, type JournalState } from "../../services/durable/Journal.ts"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { TaskStoreError } from "../../services/durable/TaskStore.ts"
import {
  Health,
  type HealthRule,
  type PublicHealth,
  type Trouble,
  type WorkspaceHealth
} from "../../services/workspace/Health.ts"
import { Lifecycle } from "../../services/workspace/Lifecycle.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"

const make = Effect.fnUntraced(function* (rule: HealthRule) {
  const runner = yield* TaskRunner
  const journal = yield* Journal
  const outbox = yield* CheckpointOutbox
  const lifecycle = yield* Lifecycle
  const { pid } = process

  const activity = Effect.all({
    status: SubscriptionRef.get(lifecycle),
    now: Effect.map(runner.activity, ({ queued, running }) => ({ queued, running }))
  })

  const look = Effect.gen(function* () {
    const { now, status } = yield* activity
    const { held, oldestDue } = yield* runner.health
    const state = yield* journal.state
    const pending = yield* outbox.pending
    const alarm = Option.getOrUndefined(yield* outbox.alarm)
    const found: Record<Exclude<Trouble, "store">, boolean> = {
      overdue: oldestDue > rule.maxOverdue,
      journal: state.refused !== undefined,
      held: held.length > 0,
      outbox: alarm !== undefined
    }
    const wrong = rule.failsOn.filter((trouble) => found[trouble])
    const sent = { pending, ...(alarm === undefined ? undefined : { alarm: alarm.detail }) }
    return { work: { status, wrong, ...now, oldestDue }, held, state, outbox: sent }
  }).pipe(
    Effect.catchTag("CheckpointUnavailable", (cause) =>
      Effect.fail(new TaskStoreError({ operation: "health", cause: cause.message }))
    )
  )

  const journalOf = ({ refused, staged }: JournalState): PublicHealth["journal"] => ({
    staged,
    ...(refused === undefined ? undefined : { refused: refused.reason })
  })

  return Health.of({
    forOperator: Effect.map(look, ({ held, outbox: sent, state: { refused, staged }, work }): WorkspaceHealth => ({
      pid,
      ...work,
      held,
      journal: { file: journal.file, staged, ...(refused === undefined ? undefined : { refused: refused.message }) },
      outbox: sent
    })).pipe(Effect.withSpan("Health.forOperator")),

    forAll: Effect.map(look, ({ held, outbox: sent, state, work }): PublicHealth => ({
      ...work,
      held: held.length,
      journal: journalOf(state),
      outbox: sent
    })).pipe(
      Effect.catch((error) =>
        Effect.gen(function* () {
          yield* Effect.logError(error.message)
          const { now, status } = yield* activity
          const journalNow = journalOf(yield* journal.state)
          return {
            status,
            wrong: ["store"],
            ...now,
            oldestDue: 0,
            held: 0,
            journal: journalNow,
            outbox: { pending: 0 }
          } satisfies PublicHealth
        })
      ),
      Effect.withSpan("Health.forAll")
    )
  })
})

/**
 * By this rule.
 *
 * **Example**
 *
 * ```ts
 * // For a supervisor that starts anew what is not well: only what a start may mend.
 * const Live = HealthOfWork.layerWith({ failsOn: ["overdue"], maxOverdue: 60_000 })
 * ```
 */
export const layerWith = (rule: HealthRule) => Layer.effect(Health, make(rule))

/** By the rule of the settings. */
export const layer = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ healthFailsOn: failsOn, healthMaxOverdue }) =>
    layerWith({ failsOn, maxOverdue: Duration.toMillis(healthMaxOverdue) })
  )
)
