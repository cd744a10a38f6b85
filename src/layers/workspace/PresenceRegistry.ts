/**
 * Registration, heartbeats and the last goodbye, over `Registry`.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { cardTo03 } from "../../services/a2a/AgentCard03.ts"
import { CheckpointOutbox } from "../../services/durable/CheckpointOutbox.ts"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { noInbound } from "../../services/platform/RelaySchemas.ts"
import { Health, type Trouble } from "../../services/workspace/Health.ts"
import { Lifecycle } from "../../services/workspace/Lifecycle.ts"
import { Presence } from "../../services/workspace/Presence.ts"
import { Registry } from "../../services/workspace/Registry.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"

/** Between two attempts to register: from 200 ms, doubling, to 5 s. */
const registerSchedule = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** A change of activity is told at once, but changes within this time are told as one. */
const quiet = "100 millis"

/** How long the last messages to the platform may take at shutdown. */
const goodbyeTimeout = "5 seconds"

/** With these the workspace is up and its work does not go on: the platform calls that wedged, and shows it as degraded. */
const stuck: ReadonlySet<Trouble> = new Set(["overdue", "journal", "store"])

const make = Effect.gen(function* () {
  const registry = yield* Registry
  const health = yield* Health
  const settings = yield* WorkspaceSettings
  const identity = yield* AgentIdentity
  // The platform, and the canvas behind it, read the form of 0.3.
  const card = cardTo03(identity.card)
  const runner = yield* TaskRunner
  const outbox = yield* CheckpointOutbox
  const lifecycle = yield* Lifecycle
  const startedAt = yield* Clock.currentTimeMillis
  const stop = yield* Deferred.make<string>()
  const reachable = yield* Ref.make(true)

  const beat = Effect.fnUntraced(function* (activeTasks: number, currentTask: string) {
    const uptime = (yield* Clock.currentTimeMillis) - startedAt
    const wrong = (yield* health.forAll).wrong.filter((trouble) => stuck.has(trouble))
    yield* registry.heartbeat({
      error_rate: 0,
      sample_error: wrong.join(", "),
      runtime_state: wrong.length === 0 ? "" : "wedged",
      active_tasks: activeTasks,
      current_task: currentTask,
      uptime_seconds: Math.max(0, Math.floor(uptime / 1000))
    })
  })

  // Being cut off is said once when it begins and once when it ends, not at every beat in between.
  const noteReachable = (now: boolean, detail: string) =>
    Effect.flatMap(Ref.getAndSet(reachable, now), (before) =>
      before === now
        ? Effect.void
        : now
          ? Effect.logInfo("the platform is back")
          : Effect.logWarning("the platform does not answer; heartbeats go on", { detail })
    )

  const askWhetherToStop = Effect.gen(function* () {
    const { deleted, paused } = yield* registry.state
    if (deleted) yield* Deferred.succeed(stop, "the platform says that this workspace was deleted")
    if (paused) yield* Effect.logDebug("this workspace is paused: the platform sends it no messages")
  })

  const tell = Effect.gen(function* () {
    const { current, queued, running } = yield* runner.activity
    yield* beat(running + queued, current)
    yield* noteReachable(true, "")
  }).pipe(
    Effect.catchTag("RegistryRefused", (refusal) =>
      Effect.andThen(
        Effect.logWarning("the platform refuses the heartbeat", { detail: refusal.message }),
        askWhetherToStop
      )
    ),
    Effect.catch((error) =>
      Predicate.isTagged(error, "RegistryUnavailable")
        ? noteReachable(false, error.message)
        : Effect.logWarning("the platform refuses to say whether this workspace should go on", {
            detail: error.message
          })
    )
  )

  const url = settings.mode === "poll" ? noInbound : card.url
  yield* Effect.logInfo("registering", { url })
  yield* registry.register({ url, agentCard: card }).pipe(
    Effect.tapError((error) =>
      Predicate.isTagged(error, "RegistryUnavailable")
        ? Effect.logWarning("not registered yet", { detail: error.message })
        : Effect.void
    ),
    Effect.retry({ schedule: registerSchedule, while: Predicate.isTagged("RegistryUnavailable") })
  )
  yield* SubscriptionRef.set(lifecycle, "ok")
  yield* Effect.logInfo("registered")

  // Added before the beats are forked, so it runs after they have ended: nothing contradicts the last one.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* SubscriptionRef.set(lifecycle, "draining")
      yield* Effect.logInfo("shutting down: no new tasks, waiting for those that run")
      const drained = yield* Effect.timeoutOption(Effect.interruptible(runner.drain), settings.drainTimeout)
      if (drained._tag === "None") yield* Effect.logWarning("tasks are still running: they go on at the next start")
      const flushed = yield* Effect.timeoutOption(Effect.interruptible(outbox.flush), goodbyeTimeout)
      if (flushed._tag === "None")
        yield* Effect.logWarning("checkpoints are still unsent: they go out at the next start")
      // Who was told to stop has nobody to say goodbye to.
      if (yield* Deferred.isDone(stop)) return
      yield* Effect.interruptible(beat(0, "")).pipe(
        Effect.timeoutOption(goodbyeTimeout),
        Effect.catch((error) => Effect.logWarning("the last heartbeat did not arrive", { detail: error.message }))
      )
    })
  )

  yield* Stream.merge(Stream.tick(settings.heartbeatInterval), Stream.debounce(runner.activityChanges, quiet)).pipe(
    Stream.runForEach(() => tell),
    Effect.forkScoped
  )
  yield* Effect.forkScoped(
    Effect.repeat(
      Effect.catch(askWhetherToStop, (error) => Effect.logDebug("state not known", { detail: error.message })),
      Schedule.spaced(settings.heartbeatInterval)
    )
  )

  return Presence.of({ stopped: Deferred.await(stop) })
})

/**
 * Registers before it is built (trying again while the platform is away, failing where it refuses), then beats.
 *
 * **Details**
 *
 * When the layer is released the workspace stops taking messages, waits for its tasks, sends what checkpoints it still
 * has, and sends a last heartbeat without active tasks.
 */
export const layer = Layer.effect(Presence, make)
