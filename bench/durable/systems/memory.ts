/**
 * `WorkflowEngine.layerMemory`, which keeps nothing: what the workflow library alone costs.
 *
 * @module
 */
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import type { System } from "../system.ts"
import { runOn } from "../workflow.ts"

/** The engine that forgets. */
export const memory: System = ({ steps }) =>
  runOn(WorkflowEngine.layerMemory, { steps, durability: "none: memory only" })
