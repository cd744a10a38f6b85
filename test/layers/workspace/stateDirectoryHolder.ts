/**
 * A process that holds a state directory until it is killed: `node stateDirectoryHolder.ts <path>`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as StateDirectoryNode from "../../../src/layers/workspace/StateDirectoryNode.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"

const Held = StateDirectoryNode.layerWith({ path: process.argv[2] ?? "" }).pipe(Layer.provide(NodeServices.layer))

// `runMain` keeps the process alive: without it, it would end with nothing left to do.
StateDirectory.pipe(
  Effect.andThen(Console.log("held")),
  Effect.andThen(Effect.never),
  Effect.provide(Held),
  NodeRuntime.runMain
)
