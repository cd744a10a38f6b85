/**
 * The task as a workflow of Effect, for every `WorkflowEngine`.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { resultOf, type StepName, stepNames, type Steps } from "./steps.ts"
import type { Running } from "./system.ts"

const ThreeSteps = Workflow.make("ThreeSteps", {
  payload: { id: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ id }) => id
})

/** What a system does in a step before its effect outside, such as to write down that it is about to happen. */
export type Intent = (id: string, step: StepName) => Effect.Effect<void>

const register = (steps: Steps, intent: Intent | undefined) =>
  ThreeSteps.toLayer(
    Effect.fnUntraced(function* ({ id }) {
      const answers: Array<string> = []
      for (const name of stepNames) {
        const execute = Effect.suspend(() => {
          steps.begin(id)
          if (intent === undefined) return Effect.succeed(steps.work(id, name))
          return Effect.map(intent(id, name), () => steps.work(id, name))
        })
        answers.push(yield* Activity.make({ name, success: Schema.String, execute }))
      }
      return resultOf(answers)
    })
  )

/** Runs the tasks on an engine, each as an execution of its own id. */
export const runOn = Effect.fnUntraced(function* <E>(
  engine: Layer.Layer<WorkflowEngine, E>,
  options: { readonly steps: Steps; readonly durability: string; readonly intent?: Intent | undefined }
) {
  const services = yield* Layer.build(register(options.steps, options.intent).pipe(Layer.provideMerge(engine)))
  const { execute } = Context.get(services, WorkflowEngine)
  return {
    durability: options.durability,
    run: (id) => execute(ThreeSteps, { executionId: id, payload: { id } })
  } satisfies Running
})
