/**
 * Ours: the journal engine with the projections that the workspace has.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import * as Projections from "../../../src/layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../../../src/layers/journal/WorkflowEngineJournal.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import type { Place, System } from "../system.ts"
import { type Intent, runOn } from "../workflow.ts"

const durability = "SQLite, journal_mode=WAL, synchronous=FULL"

const start = Effect.fnUntraced(function* ({ directory, steps }: Place, effects: boolean) {
  const options = {
    filename: `${directory}/journal.db`,
    projections: Projections.all
  }
  const services = yield* Layer.build(
    WorkflowEngineJournal.layer.pipe(
      Layer.provideMerge(JournalSqlite.layerWith(options)),
      Layer.provide(NodeCrypto.layer)
    )
  )
  const journal = Context.get(services, Journal)
  // As `Step` declares an effect outside: its id is on disk before the effect.
  const intent: Intent = (id, step) => {
    const effect = { id: `${id}/${step}`, unknown: "fail" } as const
    return journal.append([{ stream: id, record: { _tag: "StepBegan", step, attempt: 1, effect } }])
  }
  return yield* runOn(Layer.succeedContext(services), { steps, durability, intent: effects ? intent : undefined })
})

/** Pure steps. */
export const journal: System = (place) => start(place, false)

/** Steps with an effect outside, each with its intent committed before. */
export const journalEffects: System = (place) => start(place, true)
