/**
 * What the tests of streams run.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as ExecutorFunction from "../../../src/layers/agent/ExecutorFunction.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { output, progress, Step } from "../../../src/services/durable/Step.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import type * as Agent from "../../support/agent.ts"

/** Says 1 to 4 in one step and 5 to 9 in another, every third as progress, and stops for ever before saying `stop`. */
export const speaking = (stop = Infinity, gate: Effect.Effect<void> = Effect.never) =>
  ExecutorFunction.layer(() =>
    Effect.gen(function* () {
      const { emit, step } = yield* Step
      const say = (from: number, to: number) =>
        Effect.forEach(
          Array.from({ length: to - from + 1 }, (_, index) => from + index),
          (n) =>
            Effect.andThen(n === stop ? gate : Effect.void, emit(n % 3 === 0 ? progress(`${n}`) : output(`${n} `))),
          { discard: true }
        )
      yield* step("first", Schema.Void, say(1, 4))
      yield* step("second", Schema.Void, say(5, 9))
      return new TaskOutput({ text: "done" })
    })
  )

/** A file for stores; it goes with the scope. */
export const temporaryFile = Effect.map(
  Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped({ prefix: "molecule-streams-" })),
  (directory) => `${directory}/tasks.db`
)

/** The stores, with something changed about the one of tasks. */
export const replacing =
  (change: (store: TaskStore["Service"]) => Partial<TaskStore["Service"]>) =>
  <E>(stores: Agent.Stores<E>): Agent.Stores<E> =>
    Layer.effectContext(
      Effect.map(Layer.build(stores), (context) => {
        const store = Context.get(context, TaskStore)
        return Context.add(context, TaskStore, { ...store, ...change(store) })
      })
    )

/** A task that says 1024 pieces of 64 KiB, which are made when a page is read, and the lengths of the pages read. */
export const bulky = () => {
  const [count, piece] = [1024, output("x".repeat(65_536))]
  const pages: Array<number> = []
  const stores = replacing((store) => ({
    events: Effect.fnUntraced(function* (taskId, after, limit) {
      const events = yield* store.events(taskId, after, limit)
      if (limit === undefined) return events
      pages.push(events.length)
      return events.map((said) => {
        const { at, attempt, event, number, sequence, step } = said
        if (event._tag !== "Output") return said
        return { taskId, sequence, at, step, attempt, number, event: piece }
      })
    })
  }))
  const executor = ExecutorFunction.layer(() =>
    Effect.gen(function* () {
      const { emit } = yield* Step
      for (let number = 0; number < count; number++) yield* emit(output("x"))
      return new TaskOutput({ text: "" })
    })
  )
  return { count, executor, pages, stores }
}
