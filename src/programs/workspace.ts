/**
 * The workspace: one agent, registered with the platform, serving A2A, running its tasks durably.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Match from "effect/Match"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as A2AClientPlatform from "../layers/a2a/A2AClientPlatform.ts"
import * as A2AServerHttp from "../layers/a2a/A2AServerHttp.ts"
import * as CallerVerifierJwt from "../layers/a2a/CallerVerifierJwt.ts"
import * as CallerVerifierOff from "../layers/a2a/CallerVerifierOff.ts"
import * as IdentityHttp from "../layers/a2a/IdentityHttp.ts"
import * as InboxPoll from "../layers/a2a/InboxPoll.ts"
import * as OperationsDurable from "../layers/a2a/OperationsDurable.ts"
import * as PushJournal from "../layers/a2a/PushJournal.ts"
import * as ExecutorCommand from "../layers/agent/ExecutorCommand.ts"
import * as ExecutorEcho from "../layers/agent/ExecutorEcho.ts"
import * as ExecutorModule from "../layers/agent/ExecutorModule.ts"
import * as ProcessRegistryFile from "../layers/agent/ProcessRegistryFile.ts"
import * as CheckpointJournal from "../layers/durable/CheckpointJournal.ts"
import * as Pruning from "../layers/durable/pruning.ts"
import * as RestorePlatform from "../layers/durable/RestorePlatform.ts"
import * as TaskRunnerConfirmed from "../layers/durable/TaskRunnerConfirmed.ts"
import * as TaskRunnerWorkflow from "../layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreJournal from "../layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../layers/journal/JournalSqlite.ts"
import * as Projections from "../layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../layers/journal/WorkflowEngineJournal.ts"
import * as TaskControlSocket from "../layers/local/TaskControlSocket.ts"
import * as DelegationPlatform from "../layers/team/DelegationPlatform.ts"
import * as ExecutorFanOut from "../layers/team/ExecutorFanOut.ts"
import * as ContainerNode from "../layers/workspace/ContainerNode.ts"
import * as CredentialsFile from "../layers/workspace/CredentialsFile.ts"
import * as HealthOfWork from "../layers/workspace/HealthOfWork.ts"
import * as KnownSecretsEnv from "../layers/workspace/KnownSecretsEnv.ts"
import * as PlatformClientHttp from "../layers/workspace/PlatformClientHttp.ts"
import * as PlatformConfigEnv from "../layers/workspace/PlatformConfigEnv.ts"
import * as Preflight from "../layers/workspace/preflight.ts"
import * as PresenceRegistry from "../layers/workspace/PresenceRegistry.ts"
import * as RegistryPlatform from "../layers/workspace/RegistryPlatform.ts"
import * as StateDirectoryNode from "../layers/workspace/StateDirectoryNode.ts"
import * as WorkspaceSettingsEnv from "../layers/workspace/WorkspaceSettingsEnv.ts"
import { ProcessRegistry } from "../services/agent/ProcessRegistry.ts"
import { Lifecycle, type LifecycleState } from "../services/workspace/Lifecycle.ts"
import { Presence } from "../services/workspace/Presence.ts"
import { StateDirectory } from "../services/workspace/StateDirectory.ts"
import { type ExecutorChoice, WorkspaceSettings } from "../services/workspace/WorkspaceSettings.ts"
import { makeServer } from "./httpServer.ts"
import { graceful } from "./teardown.ts"

const Platform = RegistryPlatform.layer.pipe(
  Layer.provideMerge(A2AClientPlatform.layer),
  Layer.provideMerge(PlatformClientHttp.layer),
  Layer.provideMerge(
    Layer.unwrap(
      Effect.map(WorkspaceSettings, ({ initialToken }) => CredentialsFile.layerWith({ initial: initialToken }))
    )
  )
)

const Journal = Layer.unwrap(
  Effect.map(StateDirectory, (state) =>
    JournalSqlite.layerWith({ filename: state.file("workspace.db"), projections: Projections.all })
  )
)

// What the platform knows is taken over before anything else is written or read.
const Checkpoints = CheckpointJournal.layer.pipe(
  Layer.provide(RestorePlatform.atStart),
  Layer.provide(KnownSecretsEnv.layer)
)

const Coordinator = ExecutorFanOut.layer.pipe(Layer.provide(DelegationPlatform.layer))

const executorOf = (choice: ExecutorChoice, workingDirectory: string) =>
  Match.value(choice).pipe(
    Match.tagsExhaustive({
      echo: () => ExecutorEcho.layer,
      command: ({ command }) => ExecutorCommand.layerWith(command, { workingDirectory }),
      "fan-out": () => Coordinator,
      module: ({ file }) => ExecutorModule.layerWith({ file }).pipe(Layer.provide(DelegationPlatform.layer))
    })
  )

const Executor = Layer.unwrap(
  Effect.gen(function* () {
    const { executor } = yield* WorkspaceSettings
    const state = yield* StateDirectory
    return executorOf(executor, state.file("work"))
  })
)

// What a killed predecessor left running is ended before any of its tasks is resumed.
const EndOrphans = Layer.effectDiscard(
  Effect.gen(function* () {
    const registry = yield* ProcessRegistry
    const ended = yield* registry.endOrphans
    if (ended.length > 0)
      yield* Effect.logWarning("ended processes that a former run left behind", { groups: ended.length })
  })
)

const Runner = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ ack, ackTimeout: timeout, maxRunningTasks, maxUnfinishedTasks }) => {
    const runner = TaskRunnerWorkflow.layerWith({ maxRunning: maxRunningTasks, maxUnfinished: maxUnfinishedTasks })
    return ack === "local" ? runner : TaskRunnerConfirmed.layerWith({ timeout }).pipe(Layer.provide(runner))
  })
)

const Pruned = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ keepTasks, keepTasksFor: keepFor, rememberTasksFor: rememberFor }) =>
    Pruning.layerWith({ keepTasks, keepFor, rememberFor })
  )
)

const Tasks = Runner.pipe(
  Layer.merge(Pruned),
  Layer.provideMerge(Layer.mergeAll(WorkflowEngineJournal.layer, TaskStoreJournal.layer, Executor, EndOrphans)),
  Layer.provideMerge(Checkpoints),
  Layer.provideMerge(ProcessRegistryFile.layer),
  Layer.provideMerge(Journal)
)

const CallerVerifier = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ requireCallerToken }) =>
    requireCallerToken ? CallerVerifierJwt.layer : CallerVerifierOff.layer
  )
)

const HttpServer = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ host, port }) =>
    NodeHttpServer.layer(makeServer, { host, port, gracefulShutdownTimeout: "2 seconds" })
  )
)

const Push = Layer.unwrap(Effect.map(WorkspaceSettings, ({ pushAllow: allow }) => PushJournal.layerWith({ allow })))

const Server = HttpRouter.serve(A2AServerHttp.layer, { disableLogger: true }).pipe(
  Layer.provide(CallerVerifier),
  Layer.provide(OperationsDurable.layer.pipe(Layer.provide(Push))),
  Layer.provideMerge(IdentityHttp.layer),
  Layer.provideMerge(HttpServer)
)

// Whoever cannot be connected to comes for its messages; until the last task has ended, since their answers go that way.
const Inbox = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ mode }) => (mode === "poll" ? InboxPoll.layer : Layer.empty))
)

const Preflighted = Layer.effectDiscard(Preflight.check())

const Workspace = PresenceRegistry.layer.pipe(
  Layer.provide(Inbox),
  Layer.provide(Layer.merge(Server, TaskControlSocket.layer)),
  Layer.provide(HealthOfWork.layer),
  Layer.provide(Layer.effect(Lifecycle, SubscriptionRef.make<LifecycleState>("starting"))),
  Layer.provide(Tasks),
  Layer.provide(Platform),
  Layer.provide(StateDirectoryNode.layer),
  Layer.provide(Preflighted),
  Layer.provide(PlatformConfigEnv.layer.pipe(Layer.provideMerge(ContainerNode.layer))),
  Layer.provide(WorkspaceSettingsEnv.layer),
  Layer.provide(Layer.mergeAll(NodeServices.layer, NodeHttpClient.layerUndici, NodeCrypto.layer))
)

Effect.flatMap(Presence, ({ stopped }) => stopped).pipe(
  Effect.tap((reason) => Effect.logWarning(`stopping: ${reason}`)),
  Effect.provide(Workspace),
  Effect.tapError((error) => Console.error(`molecule-workspace: ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: graceful })
)
