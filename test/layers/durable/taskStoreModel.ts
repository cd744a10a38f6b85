import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { output } from "../../../src/services/durable/Step.ts"
import { type TaskState, TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { changeTo } from "./taskStoreCalls.ts"
import { saidBy } from "../../support/events.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const Change = Schema.Literals([
  "submitted",
  "working",
  "input-required",
  "auth-required",
  "completed",
  "failed",
  "canceled",
  "rejected"
])

/** One call of a store; tasks are named by the order of their creation, small numbers so that calls meet. */
export const Operation = Schema.Union([
  Schema.TaggedStruct("Submit", { caller: upTo(1), context: upTo(1), message: upTo(1), text: upTo(1), limit: upTo(4) }),
  Schema.TaggedStruct("Begin", { task: upTo(3), step: upTo(1) }),
  Schema.TaggedStruct("Append", { task: upTo(3), step: upTo(1), attempt: upTo(1), number: upTo(2) }),
  Schema.TaggedStruct("SetState", { task: upTo(3), state: Change }),
  Schema.TaggedStruct("Events", { task: upTo(3), after: upTo(5) })
])
export type Operation = typeof Operation.Type

interface ModelTask {
  readonly key: string
  readonly text: string
  state: TaskState
  readonly begun: Array<string>
  readonly said: Array<string>
}

const order = ["submitted", "working", "input-required", "auth-required"]
const placeOf = (state: TaskState) => (order.includes(state) ? Math.min(order.indexOf(state), 1) : 2)
const leadsOn = (from: TaskState, to: TaskState) =>
  placeOf(to) > placeOf(from) || (placeOf(to) === 1 && placeOf(from) === 1 && to !== from)

/** What a store should answer, in words; written without a look at any of them. */
const makeModel = () => {
  const tasks: Array<ModelTask> = []
  const unfinished = () => tasks.filter(({ state }) => placeOf(state) < 2)

  const answer = (operation: Operation): string => {
    if (operation._tag === "Submit") {
      const key = `${operation.caller}/${operation.context}/${operation.message}`
      const known = tasks.findIndex((task) => task.key === key)
      if (known >= 0) return tasks[known]?.text === `${operation.text}` ? `old ${known}` : `conflict with ${known}`
      if (unfinished().length >= operation.limit) return "too many"
      tasks.push({ key, text: `${operation.text}`, state: "submitted", begun: [], said: [] })
      return `new ${tasks.length - 1}`
    }
    const task = tasks[operation.task]
    switch (operation._tag) {
      case "Begin": {
        if (task === undefined) return "unknown"
        task.begun.push(`${operation.step}`)
        return `attempt ${task.begun.filter((step) => step === `${operation.step}`).length}`
      }
      case "Append": {
        if (task === undefined) return "unknown"
        const key = `${operation.step}/${operation.attempt}/${operation.number}`
        if (task.said.includes(key)) return "said before"
        task.said.push(key)
        return `said as ${task.said.length}`
      }
      case "SetState": {
        if (task === undefined) return "unknown"
        if (!leadsOn(task.state, operation.state)) return `still ${task.state}`
        task.state = operation.state
        task.said.push(operation.state)
        return `now ${task.state}, said as ${task.said.length}`
      }
      case "Events":
        return (task?.said ?? [])
          .map((said, index) => `${index + 1}:${said}`)
          .slice(operation.after)
          .join(" ")
    }
  }
  return { answer, unfinished: () => unfinished().map(({ key }) => key) }
}

/** Runs the operations against the store in context and against the model, and compares every answer. */
export const checkOperations = Effect.fnUntraced(function* (operations: ReadonlyArray<Operation>) {
  const store = yield* TaskStore
  const model = makeModel()
  const ids: Array<string> = []
  const idOf = (task: number) => ids[task] ?? "nobody"

  const run = Effect.fnUntraced(
    function* (operation: Operation) {
      switch (operation._tag) {
        case "Submit": {
          const { caller, context, limit, message, text } = operation
          const answer = yield* store.submit(
            { caller: `${caller}`, contextId: `${context}`, messageId: `${message}`, text: `${text}` },
            limit
          )
          if (answer.created) ids.push(answer.task.input.taskId)
          return `${answer.created ? "new" : "old"} ${ids.indexOf(answer.task.input.taskId)}`
        }
        case "Begin":
          return `attempt ${yield* store.begin(idOf(operation.task), `${operation.step}`)}`
        case "Append": {
          const { attempt, number, step, task } = operation
          const answer = yield* store.append({
            taskId: idOf(task),
            step: step === 0 ? "" : "a",
            attempt: attempt + 1,
            number: number + 1,
            event: output(`${step}/${attempt}/${number}`)
          })
          return Option.match(answer, { onNone: () => "said before", onSome: ({ sequence }) => `said as ${sequence}` })
        }
        case "SetState": {
          const { event, task } = yield* store.setState(idOf(operation.task), changeTo(operation.state))
          return Option.match(event, {
            onNone: () => `still ${task.state}`,
            onSome: ({ sequence }) => `now ${task.state}, said as ${sequence}`
          })
        }
        case "Events": {
          const events = yield* store.events(idOf(operation.task), operation.after)
          return events.map(({ event, sequence }) => `${sequence}:${saidBy(event)}`).join(" ")
        }
      }
    },
    (effect) =>
      effect.pipe(
        Effect.catchTags({
          MessageConflict: ({ taskId }) => Effect.succeed(`conflict with ${ids.indexOf(taskId)}`),
          TooManyTasks: () => Effect.succeed("too many"),
          TaskStoreError: () => Effect.succeed("unknown")
        })
      )
  )

  for (const operation of operations) {
    assert.strictEqual(yield* run(operation), model.answer(operation))
    const unfinished = yield* store.unfinished
    assert.deepStrictEqual(
      unfinished.map(({ input }) => `${input.caller}/${input.contextId}/${input.messageId}`),
      model.unfinished()
    )
  }
})
