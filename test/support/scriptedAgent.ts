/**
 * An agent in memory that does what the text of a message says, for tests and benches of what stands before it: bindings
 * and clients. It keeps the last 1,000 tasks, and nothing survives it.
 *
 * | text | what happens |
 * |---|---|
 * | `task <n>` | a task with one artifact that completes after n turns of the event loop (0 unless given) |
 * | `chunks <n> [<bytes>]` | a task whose artifact comes in n chunks, then completes |
 * | `endless [<bytes>]` | a task that never stops saying things |
 * | `hold` | a task that works until it is cancelled |
 * | `ask` | a task that requires input; the next message with its `taskId` completes it |
 * | `busy`, `down`, `die`, `odd` | BUSY, UNAVAILABLE, a defect, an answer that the protocol does not allow |
 * | `break` | a stream that fails after two items |
 * | anything else | an answer that is a message with the same parts |
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import { A2AError, taskNotFound } from "../../src/services/a2a/A2AError.ts"
import { A2AOperations, type Call, type Events, type Streamed } from "../../src/services/a2a/A2AOperations.ts"
import type * as P from "../../src/services/a2a/A2AProtocol.ts"
import { type Message, textOf } from "../../src/services/durable/Content.ts"

interface Kept {
  readonly owner: string
  readonly id: string
  readonly contextId: string
  readonly script: string
  readonly events: Array<Streamed>
  readonly live: PubSub.PubSub<Streamed>
  readonly configs: Map<string, P.TaskPushNotificationConfig>
  readonly history: Array<Message>
  task: P.Task
  open: boolean
}

const fail = (reason: A2AError["reason"], message: string, more: { readonly retryAfter?: number } = {}) =>
  Effect.fail(new A2AError({ reason, message, ...more }))

const ends = (state: P.TaskState) =>
  ["TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"].includes(state)
const pauses = (state: P.TaskState) => state === "TASK_STATE_INPUT_REQUIRED" || state === "TASK_STATE_AUTH_REQUIRED"

const timestamp = "2025-10-28T10:30:00.000Z"

const maxTasks = 1000

/** The agent, and what tests want to know of it. */
export const make = Effect.sync(() => {
  const tasks = new Map<string, Kept>()
  const open = { streams: 0, sends: 0, said: 0 }
  let counter = 0

  const owned = (call: Call, id: string) => {
    const kept = tasks.get(id)
    return kept === undefined || kept.owner !== call.caller ? Effect.fail(taskNotFound(id)) : Effect.succeed(kept)
  }

  const publish = (kept: Kept, item: P.StreamResponse) => {
    const streamed = { cursor: `e-${kept.events.length + 1}`, item }
    kept.events.push(streamed)
    PubSub.publishUnsafe(kept.live, streamed)
  }
  const turn = (kept: Kept, state: P.TaskState) => {
    kept.task = { ...kept.task, status: { state, timestamp } }
    kept.open = !ends(state)
    publish(kept, { statusUpdate: { taskId: kept.id, contextId: kept.contextId, status: kept.task.status } })
  }
  const say = (kept: Kept, text: string, append: boolean, lastChunk: boolean) => {
    const [before] = kept.task.artifacts ?? []
    const parts = [...(append && before !== undefined ? before.parts : []), { text }]
    kept.task = { ...kept.task, artifacts: [{ artifactId: "a", parts }] }
    publish(kept, {
      artifactUpdate: {
        taskId: kept.id,
        contextId: kept.contextId,
        artifact: { artifactId: "a", parts: [{ text }] },
        append,
        lastChunk
      }
    })
  }

  const submit = (call: Call, { message }: P.SendMessageRequest, script: string): Kept => {
    const id = `t-${++counter}`
    const contextId = message.contextId ?? `c-${counter}`
    const kept: Kept = {
      owner: call.caller,
      id,
      contextId,
      script,
      events: [],
      live: Effect.runSync(PubSub.unbounded<Streamed>()),
      configs: new Map(),
      history: [{ ...message, taskId: id, contextId }],
      task: { id, contextId, status: { state: "TASK_STATE_SUBMITTED", timestamp } },
      open: true
    }
    tasks.set(id, kept)
    const [oldest] = tasks.keys()
    if (tasks.size > maxTasks && oldest !== undefined) tasks.delete(oldest)
    return kept
  }

  // A task's whole life, as far as it needs nobody.
  const live = (kept: Kept) => {
    const [verb, count = "1", bytes = "5"] = kept.script.split(" ")
    turn(kept, "TASK_STATE_WORKING")
    if (verb === "hold") return
    if (verb === "ask") return turn(kept, "TASK_STATE_INPUT_REQUIRED")
    if (verb === "chunks") {
      const text = "x".repeat(Number(bytes))
      for (let index = 0; index < Number(count); index++) say(kept, text, index > 0, index === Number(count) - 1)
    } else say(kept, "done", false, true)
    turn(kept, "TASK_STATE_COMPLETED")
  }

  const settled = (kept: Kept): Effect.Effect<P.Task> =>
    Effect.suspend(() =>
      ends(kept.task.status.state) || pauses(kept.task.status.state)
        ? Effect.succeed(kept.task)
        : Effect.scoped(
            Effect.flatMap(PubSub.subscribe(kept.live), (events) =>
              Effect.as(
                Effect.repeat(PubSub.take(events), {
                  until: () => ends(kept.task.status.state) || pauses(kept.task.status.state)
                }),
                kept
              )
            )
          ).pipe(Effect.map(({ task }) => task))
    )

  const counted = (events: Events): Events =>
    Stream.ensuring(
      Stream.onStart(
        events,
        Effect.sync(() => {
          open.streams++
        })
      ),
      Effect.sync(() => {
        open.streams--
      })
    )

  const follow = (kept: Kept, from: number): Events => {
    const done = () => !kept.open || pauses(kept.task.status.state)
    return Stream.unwrap(
      Effect.sync(() => {
        // One at a time, as an agent at work would say them.
        const past = Stream.rechunk(Stream.fromArray(kept.events.slice(from)), 1)
        return done()
          ? past
          : Stream.concat(
              past,
              Stream.fromPubSub(kept.live).pipe(
                Stream.takeUntil(
                  ({ item }) =>
                    "statusUpdate" in item &&
                    (ends(item.statusUpdate.status.state) || pauses(item.statusUpdate.status.state))
                )
              )
            )
      })
    )
  }

  const whole = (kept: Kept, historyLength?: number): P.Task =>
    historyLength === 0
      ? kept.task
      : { ...kept.task, history: historyLength === undefined ? kept.history : kept.history.slice(-historyLength) }

  const refusals: Record<string, Effect.Effect<never, A2AError>> = {
    busy: fail("BUSY", "Too much to do", { retryAfter: 3 }),
    down: fail("UNAVAILABLE", "Shutting down", { retryAfter: 7 }),
    die: Effect.die("scripted defect")
  }
  const isTask = (verb: string) => ["task", "chunks", "hold", "ask", "endless", "break"].includes(verb)

  const begin = (call: Call, request: P.SendMessageRequest): Effect.Effect<Kept | Message, A2AError> => {
    const { message } = request
    const script = textOf(message.parts)
    const verb = script.split(" ")[0] ?? ""
    const refusal = refusals[verb]
    if (refusal !== undefined) return refusal
    if (message.taskId !== undefined) {
      return Effect.flatMap(owned(call, message.taskId), (kept) => {
        if (!pauses(kept.task.status.state)) {
          return fail("UNSUPPORTED_OPERATION", `The task is ${kept.task.status.state} and takes no further message`)
        }
        kept.history.push(message)
        say(kept, script, false, true)
        turn(kept, "TASK_STATE_COMPLETED")
        return Effect.succeed(kept)
      })
    }
    if (!isTask(verb)) {
      return Effect.succeed({
        messageId: `answer-${message.messageId}`,
        role: "ROLE_AGENT",
        parts: verb === "odd" ? [{ raw: "not base64" }] : message.parts,
        ...(message.contextId === undefined ? undefined : { contextId: message.contextId })
      })
    }
    const kept = submit(call, request, script)
    const config = request.configuration?.taskPushNotificationConfig
    if (config !== undefined) kept.configs.set(config.id ?? "default", { ...config, taskId: kept.id })
    return Effect.succeed(kept)
  }

  const isMessage = (one: Kept | Message): one is Message => "messageId" in one

  const operations = A2AOperations.of({
    sendMessage: (call, request) =>
      Effect.flatMap(begin(call, request), (begun): Effect.Effect<P.SendMessageResponse> => {
        if (isMessage(begun)) return Effect.succeed({ message: begun })
        if (begun.task.status.state === "TASK_STATE_SUBMITTED") live(begun)
        const length = request.configuration?.historyLength
        if (request.configuration?.returnImmediately === true) return Effect.succeed({ task: whole(begun, length) })
        return Effect.suspend(() => {
          open.sends++
          return Effect.map(settled(begun), () => ({ task: whole(begun, length) }))
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              open.sends--
            })
          )
        )
      }),
    streamMessage: (call, request) =>
      Effect.map(begin(call, request), (begun): Events => {
        if (isMessage(begun)) return Stream.make({ item: { message: begun } })
        const first: Streamed = { cursor: "e-0", item: { task: begun.task } }
        const [verb, bytes = "5"] = begun.script.split(" ")
        if (verb === "endless") {
          const text = "x".repeat(Number(bytes))
          const item: Streamed = {
            cursor: "e-1",
            item: {
              artifactUpdate: {
                taskId: begun.id,
                contextId: begun.contextId,
                artifact: { artifactId: "a", parts: [{ text }] },
                append: true
              }
            }
          }
          const said = Effect.sync(() => {
            open.said++
            return item
          })
          return counted(Stream.concat(Stream.make(first), Stream.fromEffectRepeat(said)))
        }
        if (verb === "break") {
          return counted(
            Stream.concat(
              Stream.make(first, first),
              Stream.fail(new A2AError({ reason: "UNAVAILABLE", message: "The store is gone", retryAfter: 1 }))
            )
          )
        }
        if (begun.task.status.state === "TASK_STATE_SUBMITTED") live(begun)
        return counted(Stream.concat(Stream.make(first), follow(begun, 0)))
      }),
    getTask: (call, { historyLength, id }) => Effect.map(owned(call, id), (kept) => whole(kept, historyLength)),
    listTasks: (call, { contextId, historyLength, includeArtifacts, pageSize = 50, pageToken, status }) =>
      Effect.suspend(() => {
        const all = Array.from(tasks.values())
          .reverse()
          .filter((kept) => kept.owner === call.caller)
          .filter((kept) => contextId === undefined || kept.contextId === contextId)
          .filter((kept) => status === undefined || kept.task.status.state === status)
        const from = pageToken === undefined || pageToken === "" ? 0 : Number(pageToken)
        if (!Number.isSafeInteger(from)) {
          return Effect.fail(
            new A2AError({
              reason: "INVALID_PARAMS",
              message: "Invalid parameters",
              fieldViolations: [{ field: "pageToken", description: "is not one that this agent has given" }]
            })
          )
        }
        const page = all.slice(from, from + pageSize).map((kept) => {
          const { artifacts, ...rest } = whole(kept, historyLength ?? 0)
          return includeArtifacts === true ? { ...rest, artifacts: artifacts ?? [] } : rest
        })
        const next = from + pageSize
        return Effect.succeed({
          tasks: page,
          nextPageToken: next < all.length ? String(next) : "",
          pageSize,
          totalSize: all.length
        })
      }),
    cancelTask: (call, { id }) =>
      Effect.flatMap(owned(call, id), (kept) => {
        if (!kept.open) return fail("TASK_NOT_CANCELABLE", `The task is ${kept.task.status.state}`)
        turn(kept, "TASK_STATE_CANCELED")
        return Effect.succeed(whole(kept))
      }),
    subscribe: (call, { id }) =>
      Effect.flatMap(owned(call, id), (kept) => {
        const from = call.lastEventId === undefined ? undefined : /^e-(\d+)$/.exec(call.lastEventId)?.[1]
        if (call.lastEventId !== undefined && from === undefined) {
          return fail("INVALID_PARAMS", "Invalid parameters: the cursor is not one")
        }
        if (from !== undefined) return Effect.succeed(counted(follow(kept, Number(from))))
        if (!kept.open) return fail("UNSUPPORTED_OPERATION", `The task is ${kept.task.status.state}`)
        const first: Streamed = { cursor: `e-${kept.events.length}`, item: { task: whole(kept) } }
        return Effect.succeed(counted(Stream.concat(Stream.make(first), follow(kept, kept.events.length))))
      }),
    createPushConfig: (call, config) =>
      Effect.map(owned(call, config.taskId ?? ""), (kept) => {
        const id = config.id ?? `p-${++counter}`
        const made = { ...config, id }
        kept.configs.set(id, made)
        return made
      }),
    getPushConfig: (call, { id, taskId }) =>
      Effect.flatMap(owned(call, taskId), (kept) => {
        const config = kept.configs.get(id)
        return config === undefined ? Effect.fail(taskNotFound(taskId)) : Effect.succeed(config)
      }),
    listPushConfigs: (call, { taskId }) =>
      Effect.map(owned(call, taskId), (kept) => ({ configs: Array.from(kept.configs.values()), nextPageToken: "" })),
    deletePushConfig: (call, { id, taskId }) =>
      Effect.map(owned(call, taskId), (kept) => {
        kept.configs.delete(id)
      })
  })

  return {
    operations,
    /** Streams and blocking sends that have begun and not ended, and what endless ones have said. */
    open
  }
})

/** The agent as a layer. */
export const layer = Layer.effect(
  A2AOperations,
  Effect.map(make, ({ operations }) => operations)
)
