/**
 * Push notifications on the journal: the task's events are the outbox, and each configuration remembers how far it has got.
 *
 * @module
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { StreamResponse, TaskPushNotificationConfig } from "../../services/a2a/A2AProtocol.ts"
import { Task } from "../../services/a2a/Protocol03.ts"
import { type KeptConfig, PushConfigs, type PushOptions, PushTargetRefused } from "../../services/a2a/PushConfigs.ts"
import { Journal } from "../../services/durable/Journal.ts"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { TaskStoreError } from "../../services/durable/TaskStore.ts"
import * as PushRequest from "./pushRequest.ts"
import * as PushRows from "./pushRows.ts"
import * as PushTarget from "./pushTarget.ts"
import * as TaskItems from "./taskItems.ts"
import * as TaskSnapshot from "./taskSnapshot.ts"
import { taskTo03 } from "./translation03.ts"

/** Who may be pushed to, and how long it is tried. */
export interface Options {
  readonly allow: PushTarget.Allowed
  /** Requests at once. */
  readonly concurrency: number
  /** Configurations of one task. */
  readonly maxConfigs: number
  /** Milliseconds between two attempts: the first pause, doubled each time, and the longest. */
  readonly pause: { readonly first: number; readonly longest: number }
  /** Milliseconds for which one notification is tried before it is given up. */
  readonly giveUpAfter: number
}

/** The outside only; eight at once, ten for a task; a second to five minutes; a day, in which a receiver can be mended. */
export const defaults: Options = {
  allow: { loopback: false, private: false },
  concurrency: 8,
  maxConfigs: 10,
  pause: { first: 1000, longest: 5 * 60 * 1000 },
  giveUpAfter: 24 * 60 * 60 * 1000
}

const scheduleOf = ({ giveUpAfter, pause }: Options) =>
  Schedule.min([Schedule.exponential(pause.first), Schedule.spaced(pause.longest)]).pipe(
    Schedule.upTo({ duration: giveUpAfter })
  )

// What was decoded by these schemas can be encoded by them.
// @effect-diagnostics-next-line schemaSync:off
const encodeItem = Schema.encodeSync(Schema.fromJsonString(StreamResponse))
// @effect-diagnostics-next-line schemaSync:off
const encodeTask = Schema.encodeSync(Schema.fromJsonString(Task))
// @effect-diagnostics-next-line schemaSync:off
const encodeConfig = Schema.encodeSync(Schema.toCodecJson(TaskPushNotificationConfig))

const failure =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.mapError(effect, (cause) => new TaskStoreError({ operation: `push: ${operation}`, cause }))

const make = Effect.fnUntraced(function* (options: Options) {
  const journal = yield* Journal
  const runner = yield* TaskRunner
  const client = yield* HttpClient.HttpClient
  const rows = yield* PushRows.make
  const scope = yield* Effect.scope
  const { toTheEnd } = TaskItems.make(runner)
  const requests = yield* Semaphore.make(options.concurrency)
  const retrySchedule = scheduleOf(options)
  const blocked = PushTarget.blockList(options.allow)
  const senders = new Map<string, Fiber.Fiber<void>>()
  const keyOf = ({ id, taskId }: Pick<KeptConfig, "id" | "taskId">) => `${taskId}/${id}`

  const attempt = (config: KeptConfig, version: PushOptions["version"], id: string, body: string) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const answer = yield* requests.withPermit(PushRequest.send({ config, version, id, at, body }))
      return answer._tag === "Failed" ? yield* Effect.fail(answer) : answer
    }).pipe(Effect.provideService(HttpClient.HttpClient, client))

  // One after the other: what comes behind waits until this one has arrived, or is given up.
  const deliver = Effect.fnUntraced(function* ({ config, version }: PushRows.Kept, sequence: number, body: string) {
    const { id, taskId } = config
    const answer = yield* attempt(config, version, `${taskId}/${id}/${sequence}`, body).pipe(
      Effect.tapError(({ detail }) => Effect.logDebug("push notification not delivered yet", { taskId, id, detail })),
      Effect.retry(retrySchedule),
      Effect.catch((failed) => Effect.succeed(failed))
    )
    const detail = answer._tag === "Taken" ? undefined : { detail: answer.detail }
    if (detail !== undefined)
      yield* Effect.logWarning("push notification given up", { taskId, id, sequence, ...detail })
    yield* journal.append([{ stream: taskId, record: { _tag: "PushDelivered", id, upTo: sequence, ...detail } }])
  })

  // 0.3 pushes the task as it stands.
  const taskNow = Effect.fnUntraced(function* (taskId: string) {
    const past = yield* runner.past(taskId)
    return encodeTask(taskTo03(TaskSnapshot.toTask(yield* runner.get(taskId), past)))
  })

  const sender = (kept: PushRows.Kept) =>
    Effect.gen(function* () {
      const { config, delivered, version } = kept
      const { taskId } = config
      const task = yield* runner.get(taskId)
      const items = toTheEnd(task, { epoch: runner.epoch, sequence: delivered })
      yield* Stream.runForEach(items, ({ item, sequence }) =>
        Effect.flatMap(version === "0.3" ? taskNow(taskId) : Effect.succeed(encodeItem(item)), (body) =>
          deliver(kept, sequence, body)
        )
      )
    }).pipe(
      Effect.catch((error) =>
        Effect.logError("pushing has ended", { taskId: kept.config.taskId, detail: error.message })
      ),
      Effect.ensuring(Effect.sync(() => senders.delete(keyOf(kept.config))))
    )

  const stop = Effect.fnUntraced(function* (key: string) {
    const running = senders.get(key)
    if (running !== undefined) yield* Fiber.interrupt(running)
  })

  const start = Effect.fnUntraced(function* (kept: PushRows.Kept) {
    const fiber = yield* Effect.forkIn(sender(kept), scope)
    if (fiber.pollUnsafe() === undefined) senders.set(keyOf(kept.config), fiber)
  })

  yield* Effect.flatMap(rows.open, Effect.forEach(start, { discard: true }))

  const ofTask = (taskId: string) => failure("read")(rows.ofTask(taskId))

  return PushConfigs.of({
    set: Effect.fn("PushConfigs.set")(function* (taskId, given, { after, version }) {
      yield* PushTarget.check(given.url, blocked)
      const config: KeptConfig = { ...given, id: given.id ?? taskId, taskId }
      const before = yield* ofTask(taskId)
      const same = before.find((one) => one.config.id === config.id)
      if (same !== undefined && same.version === version && Equal.equals(same.config, config)) return config
      if (same === undefined && before.length >= options.maxConfigs) {
        const detail = `the task has ${options.maxConfigs} push configurations already: delete one`
        return yield* new PushTargetRefused({ url: given.url, detail })
      }
      const delivered = after ?? (yield* failure("read")(rows.lastEvent(taskId)))
      const record = {
        _tag: "PushConfigured",
        id: config.id,
        version,
        after: delivered,
        config: encodeConfig(config)
      } as const
      yield* stop(keyOf(config))
      yield* journal.append([{ stream: taskId, record }])
      yield* start({ config, version, delivered })
      return config
    }, Effect.uninterruptible),
    get: Effect.fn("PushConfigs.get")(function* (taskId, id) {
      const found = (yield* ofTask(taskId)).find(({ config }) => config.id === id)
      return Option.map(Option.fromUndefinedOr(found), ({ config }) => config)
    }),
    list: Effect.fn("PushConfigs.list")((taskId) =>
      Effect.map(ofTask(taskId), (found) => found.map(({ config }) => config))
    ),
    remove: Effect.fn("PushConfigs.remove")(function* (taskId, id) {
      yield* stop(keyOf({ taskId, id }))
      const known = yield* ofTask(taskId)
      if (!known.some(({ config }) => config.id === id)) return
      yield* journal.append([{ stream: taskId, record: { _tag: "PushRemoved", id } }])
    }, Effect.uninterruptible),
    dead: Effect.fn("PushConfigs.dead")((taskId) => failure("read")(rows.dead(taskId)))
  })
})

/**
 * Push configurations on the journal in context, whose projections must include `pushProjection`.
 *
 * **Details**
 *
 * A task's events are in the journal before anyone is told of them; so nothing is lost between event and notification. Of
 * each configuration the events go out one after the other, each until the receiver takes it (2xx), refuses it (4xx), or
 * `giveUpAfter` has passed; what is given up is kept (`dead`) and passed over. After a crash a notification may come
 * again, under the same `webhook-id`. Redirects are not followed.
 */
export const layerWith = (options: Partial<Options> = {}) => {
  const all = { ...defaults, ...options }
  return Layer.effect(PushConfigs, make(all)).pipe(
    // The sockets themselves connect to no address that is blocked, whatever a name says by then.
    Layer.provide(NodeHttpClient.layerUndiciOptions({ connect: { blockList: PushTarget.blockList(all.allow) } }))
  )
}

/** {@link layerWith} without changes. */
export const layer = layerWith()
