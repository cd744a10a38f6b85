/**
 * Where the workspace stands between its start and its end.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as SubscriptionRef from "effect/SubscriptionRef"

/** Not registered yet, at work, or shutting down. */
export type LifecycleState = "starting" | "ok" | "draining"

/** The workspace's state, as `/ready` tells it; set by the part of the program that registers and shuts down. */
export class Lifecycle extends Context.Service<Lifecycle, SubscriptionRef.SubscriptionRef<LifecycleState>>()(
  "molecule-effect/services/workspace/Lifecycle"
) {}
