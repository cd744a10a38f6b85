/**
 * `a2a` as a process: its arguments, its exit code.
 *
 * @module
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { exitCodeOf, Machine, run } from "./a2aRun.ts"

/** Runs the command line of this process. */
export const main = () =>
  Effect.flatMap(Stdio.Stdio, ({ args }) => Effect.flatMap(args, run)).pipe(
    Effect.provide(Machine),
    NodeRuntime.runMain({ disableErrorReporting: true, teardown: (exit, onExit) => onExit(exitCodeOf(exit)) })
  )
