/**
 * Workflows, activities and calls that the scenarios are made of.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Activity from "effect/workflow/Activity"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Runs, until } from "./runs.ts"

const workflowOf = <const Tag extends string>(tag: Tag) =>
  Workflow.make(tag, {
    payload: { id: Schema.String },
    success: Schema.String,
    error: Schema.String,
    idempotencyKey: ({ id }) => id
  })

/** A workflow from a name to a text, as all of the suite are. */
export type AnyWorkflow = ReturnType<typeof workflowOf<string>>

/** The workflow of most tests. */
export const Subject = workflowOf("Subject")
/** Executes {@link Child}. */
export const Parent = workflowOf("Parent")
/** Executed by {@link Parent}, and sometimes executes {@link Grandchild}. */
export const Child = workflowOf("Child")
/** The innermost. */
export const Grandchild = workflowOf("Grandchild")

/** What the body of a workflow may use. */
export type InWorkflow = WorkflowEngine | WorkflowInstance | Runs | Scope.Scope

/** Registers a workflow with the engine in context. */
export const register = (workflow: AnyWorkflow, body: (id: string) => Effect.Effect<string, string, InWorkflow>) =>
  Effect.flatMap(WorkflowEngine, (engine) => engine.register(workflow, ({ id }) => body(id)))

/** Starts an execution and does not wait for it. */
export const start = (workflow: AnyWorkflow, id = "1") => workflow.execute({ id }, { discard: true })

/** An activity that counts its runs. The result is the body's, or its own name. */
export const step = (name: string, body: Effect.Effect<string, string, InWorkflow> = Effect.succeed(name)) =>
  Activity.make({
    name,
    success: Schema.String,
    error: Schema.String,
    execute: Effect.andThen(hit(name), body)
  })

/** A {@link step} that is undone if the workflow fails. Undoing is no activity: it is counted each time that it is done. */
export const undoable = (name: string) =>
  Workflow.withCompensation(step(name), (value, cause) =>
    hit(`undo ${value}${Cause.hasInterrupts(cause) ? " of an interrupted one" : ""}`)
  )

/** Counts a run. */
export const hit = (name: string) => Effect.flatMap(Runs, (runs) => runs.hit(name))

/** A named text that an execution waits for. */
export const signal = (name: string) => DurableDeferred.make(name, { success: Schema.String, error: Schema.String })

/** Waits for it, in a workflow. */
export const wait = (name: string) => DurableDeferred.await(signal(name))

/** Completes it, from anywhere. */
export const tell = Effect.fnUntraced(function* (workflow: AnyWorkflow, name: string, value = name, id = "1") {
  const token = yield* DurableDeferred.tokenFromPayload(signal(name), { workflow, payload: { id } })
  yield* DurableDeferred.succeed(signal(name), { token, value })
})

/** Completes it with an exit. */
export const tellExit = Effect.fnUntraced(function* (
  workflow: AnyWorkflow,
  name: string,
  exit: Exit.Exit<string, string>
) {
  const token = yield* DurableDeferred.tokenFromPayload(signal(name), { workflow, payload: { id: "1" } })
  yield* DurableDeferred.done(signal(name), { token, exit })
})

/** What the engine says of an execution now. */
export const poll = (workflow: AnyWorkflow, id = "1") =>
  Effect.flatMap(workflow.executionId({ id }), (executionId) => workflow.poll(executionId))

// That a look does not fail at the wrong moment has a test of its own.
const pollUntil = (workflow: AnyWorkflow, id: string, tag: "Complete" | "Suspended") =>
  until(
    Effect.catchCause(poll(workflow, id), () => Effect.succeedNone),
    (result) => Option.isSome(result) && result.value._tag === tag
  )

/** An exit in one word or two, so that engines that keep a cause in other ways can be compared. */
export const outcomeOf = (exit: Exit.Exit<string, string>) => {
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isSome(error)) return `error ${error.value}`
  const defect = Cause.squash(exit.cause)
  return `defect ${defect instanceof Error ? defect.message : String(defect)}`
}

/** Waits for the end of an execution, by looking only: nobody's waiting wakes it. */
export const ended = Effect.fnUntraced(function* (workflow: AnyWorkflow, id = "1") {
  const result = Option.getOrThrow(yield* pollUntil(workflow, id, "Complete"))
  return result._tag === "Complete" ? outcomeOf(result.exit) : "suspended"
})

/** Waits until an execution is suspended. */
export const suspended = (workflow: AnyWorkflow, id = "1") => Effect.asVoid(pollUntil(workflow, id, "Suspended"))

/** Asks for an execution to be interrupted. */
export const interrupt = (workflow: AnyWorkflow, id = "1") =>
  Effect.flatMap(workflow.executionId({ id }), (executionId) => workflow.interrupt(executionId))

/** The same in the hard way. */
export const interruptUnsafe = Effect.fnUntraced(function* (workflow: AnyWorkflow, id = "1") {
  const engine = yield* WorkflowEngine
  yield* engine.interruptUnsafe(workflow, yield* workflow.executionId({ id }))
})

/** Asks for an execution to be resumed. */
export const resume = (workflow: AnyWorkflow, id = "1") =>
  Effect.flatMap(workflow.executionId({ id }), (executionId) => workflow.resume(executionId))
