/**
 * An A2A agent that does what a file says, alone: no platform, no credentials, on loopback only. For clients' tests and for
 * test kits.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as CallerVerifierOff from "../layers/a2a/CallerVerifierOff.ts"
import * as CardRoutes from "../layers/a2a/cardRoutes.ts"
import * as OperationsDurable from "../layers/a2a/OperationsDurable.ts"
import * as PushJournal from "../layers/a2a/PushJournal.ts"
import * as RpcMethods03 from "../layers/a2a/rpcMethods03.ts"
import * as ServerHttp from "../layers/a2a/ServerHttp.ts"
import * as ExecutorBehaviours from "../layers/agent/ExecutorBehaviours.ts"
import * as CheckpointJournal from "../layers/durable/CheckpointJournal.ts"
import * as CheckpointNone from "../layers/durable/CheckpointNone.ts"
import * as Pruning from "../layers/durable/pruning.ts"
import * as TaskRunnerWorkflow from "../layers/durable/TaskRunnerWorkflow.ts"
import * as TaskStoreJournal from "../layers/durable/TaskStoreJournal.ts"
import * as JournalSqlite from "../layers/journal/JournalSqlite.ts"
import * as Projections from "../layers/journal/projections.ts"
import * as WorkflowEngineJournal from "../layers/journal/WorkflowEngineJournal.ts"
import { isLoopbackAddress } from "../layers/platform/AddressPolicyRanges.ts"
import * as KnownSecretsEnv from "../layers/workspace/KnownSecretsEnv.ts"
import * as PlatformConfigFixed from "../layers/workspace/PlatformConfigFixed.ts"
import * as StateDirectoryNode from "../layers/workspace/StateDirectoryNode.ts"
import { streamResumption } from "../services/a2a/A2AOperations.ts"
import { type AgentCard, AgentIdentity } from "../services/a2a/AgentCard.ts"
import { StateDirectory } from "../services/workspace/StateDirectory.ts"
import { makeServer } from "./httpServer.ts"
import { graceful } from "./teardown.ts"

/** Without credentials it is for this machine alone. */
class NotLoopback extends Schema.TaggedError<NotLoopback>()("NotLoopback", { host: Schema.String }) {
  override get message() {
    return `--host ${this.host}: whoever reaches the test agent can give it work, without credentials, and have it send requests to this machine; it listens on loopback only: give 127.0.0.1 or ::1`
  }
}

/** As many tasks at once as a kit may leave at work. */
const bounds = { maxRunning: 256, maxUnfinished: 4096 }

interface Options {
  readonly host: string
  readonly port: number
  readonly behaviours: string
  readonly state: string
  readonly assumedVersion: "0.3" | "1.0"
}

const cardAt = (url: string): AgentCard => ({
  name: "test-agent",
  description: "Does what its file says, by the beginning of a message's id",
  version: "0.1.0",
  supportedInterfaces: [
    { url, protocolBinding: "JSONRPC", protocolVersion: "1.0" },
    { url, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
    { url, protocolBinding: "JSONRPC", protocolVersion: "0.3" }
  ],
  capabilities: {
    streaming: true,
    pushNotifications: true,
    extendedAgentCard: true,
    extensions: [{ uri: streamResumption.uri, required: false }]
  },
  defaultInputModes: ["*/*"],
  defaultOutputModes: ["*/*"],
  skills: [{ id: "behaviours", name: "behaviours", description: "What stands in the file", tags: ["test"] }]
})

const Identity = Layer.effect(
  AgentIdentity,
  HttpServer.addressFormattedWith((url) => {
    const card = cardAt(url)
    return Effect.succeed({ card, extendedCard: { ...card, description: `${card.description}, and says so to you` } })
  })
)

const Journal = Layer.unwrap(
  Effect.map(StateDirectory, (directory) =>
    JournalSqlite.layerWith({ filename: directory.file("workspace.db"), projections: Projections.all })
  )
)

const agent = ({ assumedVersion, behaviours, host, port, state }: Options) => {
  const Tasks = Layer.merge(TaskRunnerWorkflow.layerWith(bounds), Pruning.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        WorkflowEngineJournal.layer,
        TaskStoreJournal.layer,
        ExecutorBehaviours.layerWith({ file: behaviours })
      )
    ),
    Layer.provideMerge(CheckpointJournal.layerWith({ remote: CheckpointNone.layer })),
    Layer.provideMerge(Journal)
  )
  const Routes = Layer.merge(
    ServerHttp.layerWith({ dialects: [RpcMethods03.make], assumedVersion }),
    CardRoutes.layerWith({ assumedVersion })
  )
  return HttpRouter.serve(Routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(
      OperationsDurable.layer.pipe(Layer.provide(PushJournal.layerWith({ allow: { loopback: true, private: false } })))
    ),
    Layer.provide(Tasks),
    Layer.provide(Layer.merge(Identity, CallerVerifierOff.silent)),
    Layer.provideMerge(NodeHttpServer.layer(makeServer, { host, port, gracefulShutdownTimeout: "2 seconds" })),
    Layer.provide(KnownSecretsEnv.layer),
    Layer.provide(StateDirectoryNode.layerWith({ path: state })),
    Layer.provide(PlatformConfigFixed.layerTest)
  )
}

const serve = Effect.fnUntraced(function* (options: Options) {
  if (!isLoopbackAddress(options.host)) return yield* new NotLoopback({ host: options.host })
  const announce = HttpServer.addressFormattedWith((url) => Console.log(`the test agent listens on ${url}`))
  return yield* Effect.andThen(announce, Effect.never).pipe(Effect.provide(agent(options)))
})

const command = Command.make(
  "molecule-test-agent",
  {
    port: Flag.Int("port").pipe(Flag.withDescription("0 takes a free one"), Flag.withDefault(9999)),
    host: Flag.String("host").pipe(Flag.withDescription("An address of loopback"), Flag.withDefault("127.0.0.1")),
    behaviours: Flag.String("behaviours").pipe(
      Flag.withDescription("The file that says what is done with which message")
    ),
    state: Flag.String("state").pipe(
      Flag.withDescription("A directory for the tasks, which a restart finds again; a temporary one, if not given"),
      Flag.optional
    ),
    assumedVersion: Flag.Literals("assumed-version", ["0.3", "1.0"]).pipe(
      Flag.withDescription("What a request without A2A-Version is taken for"),
      Flag.withDefault("0.3" as const)
    )
  },
  Effect.fnUntraced(function* ({ state, ...options }) {
    const fs = yield* FileSystem.FileSystem
    const directory = Option.isSome(state)
      ? state.value
      : yield* fs.makeTempDirectoryScoped({ prefix: "molecule-test-agent-" })
    return yield* serve({ ...options, state: directory })
  }, Effect.scoped)
).pipe(Command.withDescription("An A2A agent that does what a file says: docs/a2a-test-agent.md"))

Command.run(command, { version: "0.1.0" }).pipe(
  Effect.tapError((error) =>
    error._tag === "ShowHelp" ? Effect.void : Console.error(`molecule-test-agent: ${error.message}`)
  ),
  Effect.provide(Layer.mergeAll(NodeServices.layer, NodeHttpClient.layerUndici, NodeCrypto.layer)),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: graceful })
)
