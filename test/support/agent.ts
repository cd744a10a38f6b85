/**
 * An agent on a real HTTP server, on memory stores: what A2A tests talk to.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { createServer } from "node:http"
import * as A2AServerHttp from "../../src/layers/a2a/A2AServerHttp.ts"
import * as LocalAgentHttp from "../../src/layers/a2a/LocalAgentHttp.ts"
import * as CheckpointMemory from "../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRunnerWorkflow from "../../src/layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreMemory from "../../src/layers/durable/TaskStoreMemory.ts"
import * as WorkspaceSettingsEnv from "../../src/layers/workspace/WorkspaceSettingsEnv.ts"
import type { AgentExecutor } from "../../src/services/agent/AgentExecutor.ts"
import type { CallerVerifier } from "../../src/services/a2a/CallerVerifier.ts"
import { Lifecycle, type LifecycleState } from "../../src/services/workspace/Lifecycle.ts"
import { PlatformConfig } from "../../src/services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../src/services/workspace/WorkspaceId.ts"

export const workspaceId = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")

export const settings = (environment: Record<string, string> = {}) =>
  WorkspaceSettingsEnv.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment))))

export const layer = <E, R>(
  executor: Layer.Layer<AgentExecutor>,
  verifier: Layer.Layer<CallerVerifier, E, R>,
  options: Partial<TaskRunnerWorkflow.Options> & { readonly environment?: Record<string, string> } = {}
) =>
  HttpRouter.serve(A2AServerHttp.layer, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(verifier),
    Layer.provideMerge(LocalAgentHttp.layer),
    Layer.provideMerge(TaskRunnerWorkflow.layerWith(options)),
    Layer.provide(executor),
    Layer.provide(WorkflowEngine.layerMemory),
    Layer.provide(Layer.mergeAll(TaskStoreMemory.layer, CheckpointMemory.layer)),
    Layer.provide(NodeCrypto.layer),
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
