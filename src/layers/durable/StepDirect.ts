/**
 * The `Step` service without an engine: every step runs, nothing is journaled.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { type AgentEvent, CurrentStep, ExecutorError, Step } from "../../services/durable/Step.ts"

/** Something that was said, under the key by which an engine would know it again. */
export interface DirectEvent {
  readonly step: string
  readonly attempt: number
  readonly number: number
  readonly event: AgentEvent
}

const next = (counts: Map<string, number>, key: string) => {
  const count = (counts.get(key) ?? 0) + 1
  counts.set(key, count)
  return count
}

const make = (events: Ref.Ref<ReadonlyArray<DirectEvent>>) => {
  const attempts = new Map<string, number>()
  const numbers = new Map<string, number>()
  return Step.of({
    step: (name, _schema, effect) =>
      Effect.suspend(() =>
        Effect.provideService(effect, CurrentStep, {
          name,
          attempt: next(attempts, name),
          effectId: `direct/${name}`
        })
      ),
    emit: Effect.fnUntraced(function* (event) {
      const { attempt, name } = yield* CurrentStep
      const number = next(numbers, `${name}/${attempt}`)
      yield* Ref.update(events, (said) => [...said, { step: name, attempt, number, event }])
    }),
    // Without an engine nobody can provide anything: the wait ends as it does where nobody comes.
    wait: ({ from, name, reason, within }) =>
      Effect.delay(
        new ExecutorError({
          reason: "timeout",
          detail: `waited for ${reason} from ${from} (${name}), and nobody provides anything here`
        }),
        within
      ),
    ask: ({ name, within = 0 }) =>
      Effect.delay(
        new ExecutorError({ reason: "timeout", detail: `asked the task's sender (${name}), and nobody answers here` }),
        within
      ),
    sleep: (_name, duration) => Effect.sleep(duration)
  })
}

/**
 * Runs an executor in place, without a store: to embed it where durability is somebody else's, and to test it. What it
 * says is added to `events`.
 *
 * **Example**
 *
 * ```ts
 * const events = yield* Ref.make<ReadonlyArray<StepDirect.DirectEvent>>([])
 * const answer = yield* executor.execute(task).pipe(Effect.provide(StepDirect.layerWith(events)))
 * ```
 */
export const layerWith = (events: Ref.Ref<ReadonlyArray<DirectEvent>>) => Layer.sync(Step, () => make(events))

/** {@link layerWith} where nobody listens. */
export const layer = Layer.effect(Step, Effect.map(Ref.make<ReadonlyArray<DirectEvent>>([]), make))
