/**
 * Messages from one workspace to another: the relay.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Hierarchy from "../../services/platform/Hierarchy.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import {
  BadGateway,
  BadRequest,
  Forbidden,
  NotAvailable,
  NotFound,
  TooMany
} from "../../services/platform/PlatformErrors.ts"
import { type Caller, CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { type CallerName, type NewEntry, type RelayedRequest, RelayQueue } from "../../services/platform/RelayQueue.ts"
import * as StatusMachine from "../../services/platform/StatusMachine.ts"
import { type WorkspaceRecord, WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import * as A2AEnvelope from "./a2aEnvelope.ts"
import { errorJson, unavailable } from "./httpAnswers.ts"
import * as RelayForward from "./relayForward.ts"
import * as RelayReply from "./relayReply.ts"
import * as RelayRequest from "./relayRequest.ts"
import * as RelayStream from "./relayStream.ts"
import * as RelayWait from "./relayWait.ts"

type Request = HttpServerRequest.HttpServerRequest

const overBudget = ({ budget_limit, monthly_spend }: WorkspaceRecord) =>
  budget_limit !== null && monthly_spend >= budget_limit

// Why a message cannot be sent to this workspace now, if so.
const obstacle = (target: WorkspaceRecord) => {
  if (target.delivery === "poll" && StatusMachine.reachable(target.status)) return undefined
  if (target.url === "") return new NotAvailable({ error: "workspace has no URL", status: target.status })
  if (!StatusMachine.reachable(target.status))
    return new NotAvailable({ error: "workspace not available", status: target.status })
  return undefined
}

/** Seconds until an agent that could not be reached is tried again, and until a full queue may have room. */
const unreachablePause = 0.5
const fullPause = 5

/** How many callers' last notes are remembered. */
const maxNoted = 10_000

const fieldsOf = (error: NotAvailable | TooMany): Record<string, Schema.Json> => {
  if (error._tag === "TooMany") return error.code === undefined ? {} : { code: error.code }
  const { busy, code, queue_depth, queue_id, status } = error
  const given = Object.entries({ busy, code, queue_id, queue_depth, status })
  return Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

// As in the body, so in the header: some clients know only one of them.
const withRetryAfter = (httpStatus: number) => (error: NotAvailable | TooMany) => {
  const seconds = error.retry_after
  return seconds === undefined
    ? Effect.fail(error)
    : Effect.succeed(
        errorJson(httpStatus, error.error, {
          fields: { ...fieldsOf(error), retry_after: seconds },
          headers: { "retry-after": String(seconds) }
        })
      )
}

/** The handlers of the group `a2a`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "a2a",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* WorkspaceStore
    const random = yield* SecureRandom.SecureRandom
    const settings = yield* PlatformSettings
    const forward = yield* RelayForward.make
    const held = yield* RelayStream.make(settings.streamStall)
    const queue = yield* RelayQueue
    const waitFor = yield* RelayWait.make(held)
    const grace = Duration.toMillis(Duration.sum(settings.offlineAfter, settings.offlineGrace))

    // Most talk to a sibling or an ancestor: for that the caller's own line is enough.
    const checkHierarchy = Effect.fnUntraced(function* (caller: Caller, target: WorkspaceId, found?: WorkspaceRecord) {
      if (caller._tag !== "Workspace" || caller.workspaceId === target) return
      const from = yield* store.lineage(caller.workspaceId)
      if (Option.isSome(from) && found !== undefined) {
        const { ancestors } = from.value
        if (ancestors.includes(target) || ancestors[0] === (found.parent_id ?? undefined)) return
        const to = yield* store.lineage(target)
        if (Option.isSome(to) && Hierarchy.mayTalk(from.value, to.value)) return
      }
      return yield* new Forbidden({ error: "access denied: workspaces cannot communicate per hierarchy rules" })
    })

    // What the caller wants of the agent, as it will be sent.
    const read = Effect.fnUntraced(function* (request: Request, id: WorkspaceId) {
      const path = yield* Effect.fromResult(RelayRequest.pathOf(request))
      const headers = yield* Effect.fromResult(RelayRequest.headersFor(request, id))
      const { method } = request
      if (method !== "GET" && method !== "POST" && method !== "DELETE")
        return yield* new BadRequest({ error: "invalid method" })
      // Read before, and kept: see requestFrame.
      const text = method === "POST" ? yield* Effect.orDie(request.text) : ""
      if (path !== "") {
        const [plain = ""] = path.split("?")
        const relayed: RelayedRequest = { method, path, headers, body: text }
        return { binding: "rest" as const, relayed, subject: A2AEnvelope.subjectOfPath(plain, text) }
      }
      const envelope = A2AEnvelope.normalise(text, {
        request: yield* random.uuidV4(),
        message: yield* random.uuidV4()
      })
      if (Option.isNone(envelope)) return yield* new BadRequest({ error: "invalid JSON" })
      const relayed: RelayedRequest = { method, path, headers, body: envelope.value.text }
      return { binding: "rpc" as const, relayed, subject: envelope.value.subject }
    })

    // It is shown to people: one write a second is as exact as it has to be.
    const noted = new Map<CallerName, number>()
    // The agent has answered: not being able to note it is no reason to keep the answer back.
    const noteOutbound = Effect.fnUntraced(function* (caller: CallerName, status: number) {
      if (caller === "admin" || status >= 400) return
      const now = yield* Clock.currentTimeMillis
      if (now - (noted.get(caller) ?? 0) < 1000) return
      if (noted.size > maxNoted) noted.clear()
      noted.set(caller, now)
      yield* Effect.catch(store.noteOutbound(caller), (error) =>
        Effect.logError("an outbound message was not noted", error)
      )
    })

    const wait = Effect.fnUntraced(function* (entry: NewEntry, binding: A2AAnswer.Binding, limit: number | undefined) {
      const response = yield* waitFor(entry, binding, limit)
      yield* noteOutbound(entry.caller, response.status)
      return response
    })

    // Sends it at once, or puts it into the queue if the agent cannot take it now and the message may wait.
    const exchange = Effect.fnUntraced(function* (
      target: WorkspaceRecord,
      entry: NewEntry,
      options: { readonly binding: A2AAnswer.Binding; readonly limit: number | undefined; readonly mayWait: boolean }
    ) {
      const { binding, limit, mayWait } = options
      const begun = forward.begin(entry.caller, target, entry.request)
      const answer = yield* mayWait ? Effect.catchTag(begun, "AgentUnreachable", () => Effect.undefined) : begun
      const pause = answer === undefined ? unreachablePause : A2AAnswer.busyFor(answer)
      if (answer === undefined || (pause !== undefined && entry.message !== undefined)) {
        const notBefore = (yield* Clock.currentTimeMillis) + (pause ?? 0) * 1000
        return yield* wait({ ...entry, notBefore }, binding, limit)
      }
      const response = A2AAnswer.isStream(answer)
        ? A2AAnswer.toStream(answer, held(answer.body))
        : A2AAnswer.toResponse(answer, yield* forward.finish(answer), binding)
      yield* noteOutbound(entry.caller, answer.status)
      return response
    })

    // A poller of the original kind answers by a new message. If its receiver waits for just that, it is the answer.
    const replyOf = Effect.fnUntraced(function* (caller: Caller, request: Request, target: WorkspaceId) {
      if (caller._tag !== "Workspace" || request.method !== "POST" || !queue.mayConcern(caller.workspaceId)) return
      const body = yield* Effect.orDie(request.text)
      if (!RelayReply.isReply(body)) return undefined
      const from = caller.workspaceId
      const asked = yield* queue.shown(from, target)
      if (Option.isNone(asked)) return undefined
      const { id, lease } = asked.value
      const messageId = yield* random.uuidV4()
      const answer = RelayReply.answerTo(asked.value, { messageId, text: RelayReply.textOf(body) })
      const part = { lease, sequence: 0, done: true, millis: 0, ...answer }
      const result = yield* Effect.result(queue.answer(from, id, part))
      // Answered or gone in this very moment: then it is a message like any other.
      if (Result.isFailure(result)) return undefined
      const echo = RelayReply.answerTo({ body, operation: "message/send" }, { messageId, text: "" })
      return HttpServerResponse.text(echo.body, { contentType: "application/json" })
    })

    const relay = Effect.fnUntraced(
      function* (request: Request, id: WorkspaceId) {
        const caller = yield* CurrentCaller
        const found = yield* store.find(id)
        yield* checkHierarchy(caller, id, Option.getOrUndefined(found))
        if (Option.isNone(found) || found.value.status === "removed")
          return yield* new NotFound({ error: "workspace not found" })
        const target = found.value
        const answered = yield* replyOf(caller, request, id)
        if (answered !== undefined) return answered
        if (overBudget(target)) return errorJson(402, "workspace budget limit exceeded")
        const inTheWay = obstacle(target)
        const recent = (yield* Clock.currentTimeMillis) - target.last_heard_at <= grace
        const onlyAway = target.status === "offline" && recent && (target.url !== "" || target.delivery === "poll")
        if (inTheWay !== undefined && !onlyAway) return yield* inTheWay
        const { binding, relayed, subject } = yield* read(request, id)
        const { message, operation } = subject
        if (inTheWay !== undefined && message === undefined) return yield* inTheWay
        const entry: NewEntry = {
          target: id,
          caller: caller._tag === "Workspace" ? caller.workspaceId : "admin",
          request: relayed,
          operation,
          message
        }
        const limit = RelayRequest.timeoutOf(request)
        const waits =
          inTheWay !== undefined ||
          target.delivery === "poll" ||
          (message !== undefined && queue.mayConcern(id) && (yield* queue.concerns(entry)))
        if (waits) return yield* wait(entry, binding, limit)
        const exchanged = exchange(target, entry, { binding, limit, mayWait: recent && message !== undefined })
        return yield* limit === undefined
          ? exchanged
          : Effect.timeoutOrElse(exchanged, {
              // Of a request that has come into the queue the wait itself knows the limit.
              duration: limit + 50,
              orElse: () => Effect.fail(RelayForward.tooLate())
            })
      },
      Effect.catchTags({
        StoreUnavailable: unavailable,
        AgentUnreachable: ({ cause }) =>
          Effect.andThen(
            Effect.logWarning("an agent cannot be reached", cause),
            Effect.fail(new BadGateway({ error: "failed to reach workspace agent" }))
          ),
        QueueFull: ({ limit }) =>
          Effect.fail(
            new TooMany({
              error: `${limit} requests wait for this agent already`,
              code: "queue_full",
              retry_after: fullPause
            })
          )
      }),
      Effect.catchTags({ NotAvailable: withRetryAfter(503), TooMany: withRetryAfter(429) })
    )

    return handlers
      .handleRaw("proxy", ({ params, request }) => relay(request, params.id))
      .handleRaw("restGet", ({ params, request }) => relay(request, params.id))
      .handleRaw("restPost", ({ params, request }) => relay(request, params.id))
      .handleRaw("restDelete", ({ params, request }) => relay(request, params.id))
  })
)
