/**
 * Messages from one workspace to another.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { AgentTransport } from "../../services/platform/AgentTransport.ts"
import { CallerTokenSigner } from "../../services/platform/CallerTokenSigner.ts"
import * as Hierarchy from "../../services/platform/Hierarchy.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { BadGateway, BadRequest, Forbidden, NotAvailable, NotFound } from "../../services/platform/PlatformErrors.ts"
import { type Caller, CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import * as StatusMachine from "../../services/platform/StatusMachine.ts"
import { type WorkspaceRecord, WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import * as A2AEnvelope from "./a2aEnvelope.ts"
import { errorJson, unavailable } from "./httpAnswers.ts"

/** Seconds after which a caller may try again at an agent that does not answer. */
const retryAfter = 30

const busy = () => {
  const error = "workspace agent busy — retry after a short backoff"
  return errorJson(503, error, {
    fields: { busy: true, retry_after: retryAfter },
    headers: { "retry-after": String(retryAfter) }
  })
}

// `X-Timeout` bounds the whole exchange, in seconds. Nothing that is not a positive number does.
const timeoutOf = (request: HttpServerRequest.HttpServerRequest) => {
  const seconds = Number(request.headers["x-timeout"] ?? "")
  return Number.isFinite(seconds) && seconds > 0 ? Option.some(seconds * 1000) : Option.none()
}

const overBudget = ({ budget_limit, monthly_spend }: WorkspaceRecord) =>
  budget_limit !== null && monthly_spend >= budget_limit

/** What of a request's headers is the agent's business. No other one is passed on, least of all the platform's token. */
const passedOn = ["a2a-version", "a2a-extensions", "x-a2a-extensions", "last-event-id"]

const protocolHeaders = ({ headers }: HttpServerRequest.HttpServerRequest) =>
  Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, value] as const]
    })
  )

// Why a message cannot be sent to this workspace now, if so.
const obstacle = (target: WorkspaceRecord) => {
  if (target.status === "removed") return new NotFound({ error: "workspace not found" })
  if (target.url === "") return new NotAvailable({ error: "workspace has no URL", status: target.status })
  if (!StatusMachine.reachable(target.status))
    return new NotAvailable({ error: "workspace not available", status: target.status })
  return undefined
}

/** The handlers of the group `a2a`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "a2a",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* WorkspaceStore
    const signer = yield* CallerTokenSigner
    const transport = yield* AgentTransport
    const random = yield* SecureRandom.SecureRandom
    const { maxAgentAnswerBytes } = yield* PlatformSettings

    const checkHierarchy = Effect.fnUntraced(function* (caller: Caller, target: WorkspaceId) {
      if (caller._tag !== "Workspace" || caller.workspaceId === target) return
      const from = yield* store.lineage(caller.workspaceId)
      const to = yield* store.lineage(target)
      if (Option.isSome(from) && Option.isSome(to) && Hierarchy.mayTalk(from.value, to.value)) return
      return yield* new Forbidden({ error: "access denied: workspaces cannot communicate per hierarchy rules" })
    })

    const exchange = Effect.fnUntraced(
      function* (caller: Caller, target: WorkspaceRecord, body: string, request: HttpServerRequest.HttpServerRequest) {
        const subject = caller._tag === "Workspace" ? caller.workspaceId : "admin"
        const bearer = yield* signer.sign({ audience: target.id, subject })
        const answer = yield* transport.post({ url: target.url, body, bearer, headers: protocolHeaders(request) })
        const response = yield* A2AAnswer.toResponse(answer, maxAgentAnswerBytes)
        // The agent has answered: not being able to note it is no reason to keep the answer back.
        if (caller._tag === "Workspace" && answer.status < 400) {
          yield* Effect.catch(store.noteOutbound(caller.workspaceId), (error) =>
            Effect.logError("an outbound message was not noted", error)
          )
        }
        return response
      },
      Effect.catchTags({
        AddressRefused: (refusal) =>
          Effect.andThen(
            Effect.logWarning("an agent's address is not allowed", refusal),
            Effect.fail(new BadGateway({ error: "workspace URL is not publicly routable" }))
          ),
        AgentUnreachable: ({ cause }) =>
          Effect.andThen(
            Effect.logWarning("an agent cannot be reached", cause),
            Effect.fail(new BadGateway({ error: "failed to reach workspace agent" }))
          ),
        AgentSilent: ({ cause }) => Effect.as(Effect.logWarning("an agent did not answer", cause), busy())
      })
    )

    const proxy = Effect.fnUntraced(
      function* (request: HttpServerRequest.HttpServerRequest, id: WorkspaceId) {
        const caller = yield* CurrentCaller
        yield* checkHierarchy(caller, id)
        const found = yield* store.find(id)
        if (Option.isNone(found)) return yield* new NotFound({ error: "workspace not found" })
        const target = found.value
        const inTheWay = obstacle(target)
        if (overBudget(target) && inTheWay?._tag !== "NotFound")
          return errorJson(402, "workspace budget limit exceeded")
        if (inTheWay !== undefined) return yield* inTheWay
        // Read before, and kept: see requestFrame.
        const text = yield* Effect.orDie(request.text)
        const body = A2AEnvelope.normalise(text, { request: yield* random.uuidV4(), message: yield* random.uuidV4() })
        if (Option.isNone(body)) return yield* new BadRequest({ error: "invalid JSON" })
        const exchanged = exchange(caller, target, body.value, request)
        const timeout = timeoutOf(request)
        return yield* Option.isNone(timeout)
          ? exchanged
          : Effect.timeoutOrElse(exchanged, { duration: timeout.value, orElse: () => Effect.succeed(busy()) })
      },
      Effect.catchTag("StoreUnavailable", unavailable)
    )

    return handlers.handleRaw("proxy", ({ params, request }) => proxy(request, params.id))
  })
)
