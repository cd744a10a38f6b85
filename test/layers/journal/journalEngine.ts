/**
 * The journal engine for the conformance suite: on a file that is opened again, with crashes and with writes that are held.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as WorkflowEngineJournal from "../../../src/layers/journal/WorkflowEngineJournal.ts"
import { ResumedByCaller } from "../../../src/services/durable/AgentTask.ts"
import { Journal, type JournalEntry } from "../../../src/services/durable/Journal.ts"
import { journalAt, temporaryFile } from "../../support/journal.ts"
import type { EngineUnderTest, Gate, GatedStorage } from "./engineConformance.ts"

const temporary = Effect.provide(temporaryFile, NodeServices.layer)

/** Opens the file, and after a crash a copy of it as it was then. The copy is made in one go, so that none of it is torn. */
const storageOf = (engineAt: (filename: string) => GatedStorage["open"]) =>
  Effect.map(temporary, (first) => {
    let filename = first
    let crashes = 0
    return {
      open: Layer.unwrap(Effect.sync(() => engineAt(filename))),
      crash: Effect.sync(() => {
        const copy = `${first}-${++crashes}`
        for (const part of ["", "-wal"]) {
          if (Fs.existsSync(filename + part)) Fs.copyFileSync(filename + part, copy + part)
        }
        filename = copy
      })
    }
  })

/** While the gate is closed, entries wait outside of the journal, in their order. */
const makeGate = Effect.map(Latch.make(true), (latch) => {
  let open = true
  let waiting = 0
  const held: Array<() => void> = []
  const through = Effect.suspend(() => {
    if (open) return Effect.void
    waiting += 1
    return Effect.ensuring(
      latch.await,
      Effect.sync(() => void (waiting -= 1))
    )
  })
  const gate: Gate = {
    close: Effect.suspend(() => {
      open = false
      return Effect.asVoid(latch.close)
    }),
    open: Effect.suspend(() => {
      open = true
      for (const stage of held.splice(0)) stage()
      return Effect.asVoid(latch.open)
    }),
    waiting: Effect.sync(() => waiting)
  }
  const wrap = (journal: Journal["Service"]) => {
    const stageUnsafe = (entries: ReadonlyArray<JournalEntry>) =>
      open ? journal.stageUnsafe(entries) : void held.push(() => journal.stageUnsafe(entries))
    const stage = (entries: ReadonlyArray<JournalEntry>) => Effect.sync(() => stageUnsafe(entries))
    const settled = Effect.andThen(through, journal.settled)
    return Journal.of({
      ...journal,
      stage,
      stageUnsafe,
      settled,
      append: (entries) => Effect.andThen(stage(entries), settled),
      accept: (entries) => Effect.andThen(through, journal.accept(entries))
    })
  }
  return { gate, Gated: Layer.effect(Journal, Effect.map(Journal, wrap)) }
})

const engineAt = (filename: string) => WorkflowEngineJournal.layer.pipe(Layer.provide(journalAt(filename)))

const gated = Effect.gen(function* () {
  const { Gated, gate } = yield* makeGate
  const storage = yield* storageOf((filename) =>
    WorkflowEngineJournal.layer.pipe(Layer.provide(Gated), Layer.provide(journalAt(filename)))
  )
  return { ...storage, gate }
})

/** {@link WorkflowEngineJournal} as the suite wants it. */
export const journalEngine: EngineUnderTest = {
  name: "WorkflowEngineJournal",
  layer: Layer.unwrap(Effect.map(temporary, engineAt)),
  storage: storageOf(engineAt),
  gated,
  onlyByCaller: (workflow) => workflow.annotate(ResumedByCaller, true)
}
