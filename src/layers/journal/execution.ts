/**
 * One execution as the engine holds it while it lives, and how it is read from the journal.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { JournalRow } from "../../services/durable/Journal.ts"
import { decodeExit, type WorkflowCodec } from "./exitCodec.ts"

/** A workflow that the engine can run, in the scope in which it was registered. */
export interface Registered {
  readonly workflow: Workflow.Any
  readonly codec: WorkflowCodec
  readonly run: (
    payload: object,
    executionId: string
  ) => Effect.Effect<unknown, unknown, WorkflowInstance | WorkflowEngine>
  readonly scope: Scope.Scope
}

/** `explicit`: somebody asks for it; `automatic`: something that the execution waits for has come. */
export type Wake = "explicit" | "automatic"

/** A live execution: one that has not ended, or whose end is not on disk yet. */
export interface Execution {
  readonly id: string
  readonly registered: Registered
  readonly payload: object
  /** Who waits for its end. */
  readonly parents: Set<string>
  /** It was begun by a former process. */
  readonly revived: boolean
  /** Results by `name/attempt`. */
  readonly activities: Map<string, Exit.Exit<Schema.Json, Schema.Json>>
  readonly deferreds: Map<string, Exit.Exit<unknown, unknown>>
  /** Deadlines of the clocks, in milliseconds since 1970. */
  readonly clocks: Map<string, number>
  /** Parent of the scopes of all its runs: what suspended runs hold lasts until the end. */
  readonly scope: Scope.Closeable
  /** Completed when the end is on disk. */
  readonly done: Deferred.Deferred<void>
  instance: WorkflowInstance["Service"]
  fiber: Fiber.Fiber<Workflow.Result<unknown, unknown>> | undefined
  /** The strongest wake that came while a run was still finishing. */
  wakeRequested: Wake | undefined
  interrupted: boolean
  interruptedUnsafe: boolean
  /** A result has been staged and may not be on disk yet: the next activity must not start before it is. */
  unsettled: boolean
}

/** What the journal knows about an execution. */
export interface Recorded {
  readonly started:
    | { readonly workflow: string; readonly payload: Schema.Json; readonly parent: string | undefined }
    | undefined
  readonly activities: Execution["activities"]
  readonly deferreds: Execution["deferreds"]
  readonly clocks: Execution["clocks"]
  readonly interrupted: boolean
  readonly interruptedUnsafe: boolean
  readonly completed: Schema.Json | undefined
}

/** Reads an execution's rows. Rows of other kinds are passed over. */
export const recorded = (rows: ReadonlyArray<JournalRow>): Recorded => {
  const activities: Execution["activities"] = new Map()
  const deferreds: Execution["deferreds"] = new Map()
  const clocks: Execution["clocks"] = new Map()
  let started: Recorded["started"]
  let completed: Schema.Json | undefined
  let interrupted = false
  let interruptedUnsafe = false
  for (const { record } of rows) {
    switch (record._tag) {
      case "ExecutionStarted":
        started = { workflow: record.workflow, payload: record.payload, parent: record.parent }
        break
      case "ActivityCompleted":
        activities.set(`${record.name}/${record.attempt}`, decodeExit(record.exit))
        break
      case "DeferredCompleted":
        if (!deferreds.has(record.name)) deferreds.set(record.name, decodeExit(record.exit))
        break
      case "ClockScheduled":
        if (!clocks.has(record.name)) clocks.set(record.name, record.deadline)
        break
      case "InterruptRequested":
        interrupted = true
        interruptedUnsafe ||= record.unsafe
        break
      case "ExecutionCompleted":
        completed = record.exit
        break
    }
  }
  return { started, activities, deferreds, clocks, interrupted, interruptedUnsafe, completed }
}

/** An execution that has not run in this process yet. */
export const make = (
  id: string,
  registered: Registered,
  payload: object,
  parent: string | undefined,
  known: Recorded
): Execution => ({
  id,
  registered,
  payload,
  parents: new Set(parent === undefined ? [] : [parent]),
  revived: known.started !== undefined,
  activities: known.activities,
  deferreds: known.deferreds,
  clocks: known.clocks,
  scope: Scope.makeUnsafe(),
  done: Deferred.makeUnsafe(),
  instance: WorkflowInstance.initial(registered.workflow, id),
  fiber: undefined,
  wakeRequested: undefined,
  interrupted: known.interrupted,
  interruptedUnsafe: known.interruptedUnsafe,
  unsettled: false
})

/** Is there nothing that a wake of this kind could go on with? */
export const isEnd = (result: Workflow.Result<unknown, unknown>, wake: Wake): boolean =>
  result._tag === "Complete" || (wake === "automatic" && result.failed === true)
