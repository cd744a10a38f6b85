/**
 * `TaskRunner` with everything in memory: for tests, and for apps whose tasks may end with the process.
 *
 * @module
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import * as CheckpointMemory from "./CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "./TaskRunnerWorkflow.ts"
import * as TaskStoreMemory from "./TaskStoreMemory.ts"

/** The runner on `WorkflowEngine.layerMemory`; it needs an `AgentExecutor` and a `PlatformConfig`, and gives its `Checkpoint` too. */
export const layerWith = (options: Partial<TaskRunnerWorkflow.Options> = {}) =>
  TaskRunnerWorkflow.layerWith(options).pipe(
    Layer.provide(WorkflowEngine.layerMemory),
    Layer.provide(TaskStoreMemory.layer),
    Layer.provideMerge(CheckpointMemory.layer),
    Layer.provide(SecureRandom.layerWebCrypto)
  )

/** {@link layerWith} without changes. */
export const layer = layerWith()
