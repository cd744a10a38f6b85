/**
 * `molecule`: looking after a workspace's tasks and what it keeps on its disk.
 *
 * @module
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stdio from "effect/Stdio"
import { exitCodeOf, run } from "./moleculeCommands.ts"

// What a program prints may be read by another: the log goes elsewhere.
const Platform = Layer.merge(NodeServices.layer, Layer.succeed(Logger.LogToStderr, true))

Effect.flatMap(Stdio.Stdio, ({ args }) => Effect.flatMap(args, run)).pipe(
  Effect.provide(Platform),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: (exit, onExit) => onExit(exitCodeOf(exit)) })
)
