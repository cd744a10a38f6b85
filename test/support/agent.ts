/**
 * An agent on a real HTTP server: what A2A tests talk to.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { createServer } from "node:http"
import * as A2AServerHttp from "../../src/layers/a2a/A2AServerHttp.ts"
import * as IdentityHttp from "../../src/layers/a2a/IdentityHttp.ts"
import * as OperationsDurable from "../../src/layers/a2a/OperationsDurable.ts"
import * as PushNone from "../../src/layers/a2a/PushNone.ts"
import * as CheckpointMemory from "../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreMemory from "../../src/layers/durable/TaskStoreMemory.ts"
import * as WorkspaceSettingsEnv from "../../src/layers/workspace/WorkspaceSettingsEnv.ts"
import type { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import { CallerRefused, CallerVerifier } from "../../src/services/a2a/CallerVerifier.ts"
import type { Checkpoint } from "../../src/services/durable/Checkpoint.ts"
import type { TaskStore } from "../../src/services/durable/TaskStore.ts"
import { Health, type PublicHealth } from "../../src/services/workspace/Health.ts"
import { Lifecycle, type LifecycleState } from "../../src/services/workspace/Lifecycle.ts"
import { PlatformConfig } from "../../src/services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../src/services/workspace/WorkspaceId.ts"

export const workspaceId = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")

export const settings = (environment: Record<string, string> = {}) =>
  WorkspaceSettingsEnv.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment))))

/** The caller is whoever the token names; the real verifier has tests of its own. */
export const Trusting = Layer.succeed(CallerVerifier, {
  verify: (token) =>
    Option.isNone(token)
      ? Effect.fail(new CallerRefused({ detail: "missing caller token" }))
      : Effect.succeed(Redacted.value(token.value))
})

/** The health of an agent whose stores are in memory; that of the workspace has tests of its own. */
const Well = Layer.succeed(Health, {
  forOperator: Effect.never,
  forAll: Effect.succeed<PublicHealth>({
    status: "ok",
    wrong: [],
    running: 0,
    queued: 0,
    oldestDue: 0,
    held: 0,
    journal: { staged: 0 },
    outbox: { pending: 0 }
  })
})

/** What the runner stands on. */
export type Stores<E = never> = Layer.Layer<TaskStore | Checkpoint | WorkflowEngine.WorkflowEngine, E>

export type Options = Partial<TaskRunnerWorkflow.Options> & { readonly environment?: Record<string, string> }

/** The agent on the stores that are given. */
export const layerOn = <E1, E2, R>(
  stores: Stores<E1>,
  executor: Layer.Layer<AgentExecutor>,
  verifier: Layer.Layer<CallerVerifier, E2, R>,
  options: Options = {}
) =>
  HttpRouter.serve(A2AServerHttp.layer, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(verifier),
    Layer.provide(Well),
    Layer.provide(OperationsDurable.layer.pipe(Layer.provide(PushNone.layer))),
    Layer.provideMerge(IdentityHttp.layer),
    Layer.provideMerge(TaskRunnerWorkflow.layerWith(options)),
    Layer.provide(executor),
    Layer.provideMerge(stores),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(PlatformConfig, {
          platformUrl: "http://platform.invalid",
          workspaceId,
          stateDirectory: "/nowhere"
        }),
        Layer.effect(Lifecycle, SubscriptionRef.make<LifecycleState>("ok")),
        settings(options.environment),
        NodeHttpServer.layer(() => createServer(), {
          host: "127.0.0.1",
          port: 0,
          gracefulShutdownTimeout: "100 millis"
        }),
        NodeHttpClient.layerUndici
      )
    )
  )

const Memory = Layer.mergeAll(WorkflowEngine.layerMemory, TaskStoreMemory.layer, CheckpointMemory.layer).pipe(
  Layer.provide(NodeCrypto.layer)
)

/** The agent on memory stores. */
export const layer = <E, R>(
  executor: Layer.Layer<AgentExecutor>,
  verifier: Layer.Layer<CallerVerifier, E, R>,
  options: Options = {}
) => layerOn(Memory, executor, verifier, options)
