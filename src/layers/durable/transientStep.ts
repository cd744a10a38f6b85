/**
 * The `Step` service of `TaskRunnerTransient`: steps run in place, waits are fibers that wait.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Message, textOf } from "../../services/durable/Content.ts"
import { type AskOptions, CurrentStep, ExecutorError, Step, type WaitOptions } from "../../services/durable/Step.ts"
import * as StepNames from "./stepNames.ts"
import { askName, decisionTime, isAnswer } from "./stepWorkflow.ts"
import * as TransientTask from "./transientTask.ts"

/** What a step needs of the runner. */
export interface Run {
  readonly task: TransientTask.TransientTask
  readonly now: () => DateTime.Utc
  /** Gives up the task's place among those that run, for as long as it waits. */
  readonly parked: <A, E>(waiting: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

const overdue = (within: number, reason: string, from: string) =>
  new ExecutorError({
    reason: "timeout",
    detail: `waited ${Math.round(within / 1000)} s for ${reason} from ${from}, and nothing came`,
    remedy: `see what has become of ${from}, then send the message again`
  })

/** The service, for one task. */
export const make = ({ now, parked, task }: Run): Step["Service"] => {
  const { taskId } = task.record.input
  const names = new Set<string>()
  const numbers = new Map<string, number>()
  const attempts = new Map<string, number>()

  const count = (counts: Map<string, number>, key: string) => {
    const next = (counts.get(key) ?? 0) + 1
    counts.set(key, next)
    return next
  }

  // Each name once: it is what makes a step, or a wait, known to an engine that keeps it.
  const named = <A>(kind: StepNames.Kind, name: string, effect: () => Effect.Effect<A, ExecutorError>) =>
    Effect.suspend(() => {
      const refused = StepNames.refusal(kind, name, names)
      return refused === undefined ? effect() : Effect.fail(refused)
    })

  const waitFor = <A, I>(
    { from, name, reason, schema, within }: WaitOptions<A, I>,
    kind: TransientTask.Waiting["kind"]
  ): Effect.Effect<A, ExecutorError> =>
    Effect.suspend(() => {
      const answer = Deferred.makeUnsafe<A>()
      const decode = Schema.decodeUnknownExit(Schema.toCodecJson(schema))
      const give = (value: Schema.Json) => {
        const exit = decode(value)
        if (Exit.isFailure(exit)) return false
        Deferred.doneUnsafe(answer, Effect.succeed(exit.value))
        return true
      }
      task.waits.set(name, { wait: name, kind, reason, give })
      return parked(
        Effect.timeoutOrElse(Deferred.await(answer), {
          duration: within,
          orElse: () => Effect.fail(overdue(within, reason, from))
        })
      ).pipe(Effect.ensuring(Effect.sync(() => task.waits.delete(name))))
    })

  const ask = ({ kind = "input", name, parts, within = decisionTime }: AskOptions) =>
    Effect.suspend(() => {
      TransientTask.advance(task, { state: `${kind}-required`, message: parts }, now())
      const said = textOf(parts)
      const reason = said === "" ? "an answer" : said.slice(0, 200)
      return waitFor({ name: askName(name), reason, from: "sender", within, schema: Message }, "person")
    })

  const pause = (duration: number) => (duration <= 0 ? Effect.void : parked(Effect.sleep(duration)))

  const once = <A, R>(name: string, effect: Effect.Effect<A, ExecutorError, R>) =>
    Effect.suspend(() =>
      Effect.provideService(effect, CurrentStep, {
        name,
        attempt: count(attempts, name),
        effectId: `${taskId}/${name}`
      })
    )

  const step: Step["Service"]["step"] = Effect.fnUntraced(function* (name, _schema, effect, options = {}) {
    const refused = StepNames.refusal("step", name, names)
    if (refused !== undefined) return yield* refused
    const { delay = 0, times = 0 } = options.retry ?? {}
    for (let attempted = 1; ; attempted++) {
      const exit = yield* Effect.exit(once(name, effect))
      if (Exit.isSuccess(exit) || attempted > times || !isAnswer(exit)) return yield* exit
      yield* pause(delay * 2 ** (attempted - 1))
    }
  })

  return Step.of({
    step,
    emit: (event) =>
      Effect.withFiber((fiber) => {
        const { attempt, name } = fiber.getRef(CurrentStep)
        const number = count(numbers, `${name}/${attempt}`)
        TransientTask.append(task, { taskId, step: name, attempt, number, event }, now())
        return Effect.void
      }),
    wait: (options) =>
      named("wait", options.name, () => waitFor(options, options.from === "person" ? "person" : "signal")),
    ask: (options) => named("ask", options.name, () => ask(options)),
    sleep: (name, duration) => named("wait", name, () => pause(duration))
  })
}
