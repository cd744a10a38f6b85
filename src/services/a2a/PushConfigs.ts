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

/** A delivery that was given up: the event's number within the task, and why. */
export interface DeadLetter {
  readonly id: string
  readonly sequence: number
  readonly detail: string
}

/** What pushing is begun with. */
export interface PushOptions {
  /** In whose words the receiver is told: each item of the stream by itself in 1.0, the task as it then stands in 0.3. */
  readonly version: "1.0" | "0.3"
  /** Push what the task says after this event; 0 for everything that it ever said. What comes from now on, if not given. */
  readonly after?: number
}

/**
 * The push configurations of tasks. What they ask for is delivered in the background, in the order of each task's events,
 * and survives a restart.
 *
 * **Details**
 *
 * - `set` keeps a configuration on disk and gives it an id, if it has none: the task's. One with the same id replaces it;
 *   the same once more changes nothing.
 * - `remove` may be repeated. Nothing is pushed after it.
 * - `dead` are the deliveries that were given up.
 */
export class PushConfigs extends Context.Service<
  PushConfigs,
  {
    readonly set: (
      taskId: string,
      config: TaskPushNotificationConfig,
      options: PushOptions
    ) => Effect.Effect<KeptConfig, PushTargetRefused | TaskStoreError>
    readonly get: (taskId: string, id: string) => Effect.Effect<Option.Option<KeptConfig>, TaskStoreError>
    readonly list: (taskId: string) => Effect.Effect<ReadonlyArray<KeptConfig>, TaskStoreError>
    readonly remove: (taskId: string, id: string) => Effect.Effect<void, TaskStoreError>
    readonly dead: (taskId: string) => Effect.Effect<ReadonlyArray<DeadLetter>, TaskStoreError>
  }
>()("molecule-effect/services/a2a/PushConfigs") {}
