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
