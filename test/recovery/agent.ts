/**
 * The agent of the recovery runs: plays a history, each step of which appends a line to a file as its effect.
 *
 * **Details**
 *
 * It is loaded by the production program (`MOLECULE_EXECUTOR=module`). The first word of a message names the history.
 * What the effect of a step is, and how it may be held back, is in the environment, which only this file reads.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { appendFileSync, existsSync } from "node:fs"
import { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { type TaskInput, TaskOutput } from "../../src/services/durable/AgentTask.ts"
import { CurrentStep, ExecutorError, output, progress, Step, type StepRetry } from "../../src/services/durable/Step.ts"
import { Delegation } from "../../src/services/team/Delegation.ts"
import { codeVariable, effectsVariable, formatEffect, gatesVariable, turnOf, turnsVariable } from "./effects.ts"

const code = process.env[codeVariable] ?? "v1"
const effectsFile = process.env[effectsVariable] ?? ""
const gates = process.env[gatesVariable] ?? ""
const inTurns = process.env[turnsVariable] === "1"

/** How long the decision in a history may take; far more than a run. */
const patience = 10 * 60_000

const wrong = new ExecutorError({ reason: "failed", detail: "as the history wants it" })

/** Waits, outside of any step, until the harness opens it. */
const gate = (name: string) =>
  Effect.repeat(
    Effect.sync(() => existsSync(`${gates}/${name}`)),
    {
      until: (open) => open,
      schedule: Schedule.spaced("10 millis")
    }
  )
const turn = (step: string) => (inTurns ? gate(turnOf(step)) : Effect.void)

/** The tools of a history: each step has its effect, says something, and adds a word to the answer. */
const tools = Effect.fnUntraced(function* (task: TaskInput) {
  const { emit, sleep, step, wait } = yield* Step

  const act = (
    name: string,
    options: {
      readonly retry?: StepRetry
      readonly fails?: (attempt: number) => boolean
      readonly body?: (effectId: string) => Effect.Effect<string, ExecutorError>
    } = {}
  ) =>
    Effect.andThen(
      turn(name),
      step(
        name,
        Schema.String,
        Effect.gen(function* () {
          const { attempt, effectId } = yield* CurrentStep
          yield* emit(progress(`${name} begins`))
          yield* Effect.sync(() =>
            appendFileSync(effectsFile, formatEffect({ task: task.taskId, step: name, attempt, effectId }))
          )
          if (options.fails?.(attempt) === true) return yield* wrong
          return options.body === undefined ? name : yield* options.body(effectId)
        }),
        {
          effect: { unknown: "repeat" },
          ...(options.retry === undefined ? undefined : { retry: options.retry })
        }
      )
    )

  const signal = (name: string) =>
    wait({ name, reason: `the word ${name}`, from: "harness", within: patience, schema: Schema.String })

  const say = (...words: ReadonlyArray<string>) =>
    Effect.forEach(words, (word) => emit(output(`${word}\n`)), { discard: true })
  return { act, gate, signal, say, sleep }
})

type Tools = Effect.Success<ReturnType<typeof tools>>
type History = (tools: Tools, task: TaskInput) => Effect.Effect<void, ExecutorError>

/** The schedule ticks so often, this many milliseconds apart. */
const ticks = 4
const tickPause = 150

const answered = (...parts: ReadonlyArray<Effect.Effect<string, ExecutorError>>) => Effect.all(parts)

const histories = (delegation: Delegation["Service"]): Record<string, History> => ({
  suspend: Effect.fnUntraced(function* ({ act, say, signal }) {
    yield* say(...(yield* answered(act("before"), signal("go"), act("after"))))
  }),

  child: Effect.fnUntraced(function* ({ act, say }, task) {
    const ask = (effectId: string) =>
      Effect.gen(function* () {
        const [child] = yield* delegation.children
        if (child === undefined) return yield* wrong
        const message = { target: child.id, messageId: effectId, contextId: task.taskId, text: "suspend" }
        const { text } = yield* delegation.delegate(message)
        return text.trim().split("\n").join("+")
      }).pipe(Effect.mapError((error) => new ExecutorError({ reason: "refused", detail: error.message })))
    yield* say(...(yield* answered(act("ask", { body: ask }), act("end"))))
  }),

  parallel: Effect.fnUntraced(function* ({ act, gate, say }) {
    const both = yield* Effect.all([act("fast"), Effect.andThen(gate("slow"), act("slow"))], { concurrency: 2 })
    yield* say(...both, yield* act("end"))
  }),

  retry: Effect.fnUntraced(function* ({ act, say }) {
    const flaky = act("flaky", { retry: { times: 3, delay: 500 }, fails: (attempt) => attempt === 1 })
    yield* say(...(yield* answered(flaky, act("end"))))
  }),

  cancel: Effect.fnUntraced(function* ({ act, say }) {
    const flaky = act("flaky", { retry: { times: 3, delay: patience }, fails: () => true })
    yield* say(...(yield* answered(flaky, act("end"))))
  }),

  schedule: Effect.fnUntraced(function* ({ act, say, sleep }) {
    for (let tick = 1; tick <= ticks; tick++) {
      yield* sleep(`pause-${tick}`, tickPause)
      yield* say(yield* act(`tick-${tick}`))
    }
  }),

  drain: Effect.fnUntraced(function* ({ act, gate, say, sleep }) {
    yield* gate("first")
    yield* say(yield* act("first"))
    yield* sleep("pause", tickPause)
    yield* say(yield* act("second"))
  }),

  code: Effect.fnUntraced(function* ({ act, gate, say, sleep }) {
    yield* say(yield* act("first"))
    yield* sleep("pause", tickPause)
    yield* gate("second")
    yield* say(yield* act("second"), code)
    yield* act("end")
  })
})

const layer = Layer.effect(
  AgentExecutor,
  Effect.gen(function* () {
    const known = histories(yield* Delegation)
    return AgentExecutor.of({
      name: "recovery",
      code,
      execute: Effect.fnUntraced(function* (task) {
        const [name = ""] = task.text.split(" ")
        const history = known[name]
        if (history === undefined) {
          return yield* new ExecutorError({ reason: "invalid", detail: `no history is called ${name}` })
        }
        yield* history(yield* tools(task), task)
        return new TaskOutput({ text: name })
      })
    })
  })
)

// oxlint-disable-next-line import/no-default-export -- what the program loads is the file's default export
export default layer
