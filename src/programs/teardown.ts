/**
 * How a program that serves ends.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type * as Runtime from "effect/Runtime"

/**
 * Exit code 0 for a program that was asked to stop (SIGTERM, SIGINT) and did, 1 for one that failed. Effect's own
 * teardown answers 130 to the first, which a supervisor takes for a failure.
 */
export const graceful: Runtime.Teardown = (exit, onExit) =>
  onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
