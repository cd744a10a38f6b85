/**
 * Where tasks' events are pushed to.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { TaskStoreError } from "../durable/TaskStore.ts"
import type { TaskPushNotificationConfig } from "./A2AProtocol.ts"

/** Nothing is sent to this address: it is not one of the outside, or none at all. */
export class PushTargetRefused extends Schema.TaggedError<PushTargetRefused>()("PushTargetRefused", {
  url: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `nothing can be pushed to ${this.url}: ${this.detail}`
  }
}

/** A configuration as it is kept: with its id, and the task that it is for. */
export interface KeptConfig extends TaskPushNotificationConfig {
  readonly id: string
  readonly taskId: string
}

/**
 * The push configurations of tasks. What they ask for is delivered in the background, in the order of each task's events,
 * and survives a restart.
 *
 * **Details**
 *
 * - `set` keeps a configuration on disk and gives it an id, if it has none; one with the same id replaces it. What the task
 *   said before is not pushed.
 * - `remove` may be repeated. Nothing is pushed after it.
 */
export class PushConfigs extends Context.Service<
  PushConfigs,
  {
    readonly set: (
      taskId: string,
      config: TaskPushNotificationConfig
    ) => Effect.Effect<KeptConfig, PushTargetRefused | TaskStoreError>
    readonly get: (taskId: string, id: string) => Effect.Effect<Option.Option<KeptConfig>, TaskStoreError>
    readonly list: (taskId: string) => Effect.Effect<ReadonlyArray<KeptConfig>, TaskStoreError>
    readonly remove: (taskId: string, id: string) => Effect.Effect<void, TaskStoreError>
  }
>()("molecule-effect/services/a2a/PushConfigs") {}
