/**
 * Messages from one workspace to another: the relay.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Hierarchy from "../../services/platform/Hierarchy.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { BadGateway, BadRequest, Forbidden, NotAvailable, NotFound } from "../../services/platform/PlatformErrors.ts"
import { type Caller, CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import type { RelayedRequest } from "../../services/platform/RelayQueue.ts"
import * as StatusMachine from "../../services/platform/StatusMachine.ts"
import { type WorkspaceRecord, WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import * as A2AEnvelope from "./a2aEnvelope.ts"
import { errorJson, unavailable } from "./httpAnswers.ts"
import * as RelayForward from "./relayForward.ts"
import * as RelayRequest from "./relayRequest.ts"
import * as RelayStream from "./relayStream.ts"

type Request = HttpServerRequest.HttpServerRequest

const overBudget = ({ budget_limit, monthly_spend }: WorkspaceRecord) =>
  budget_limit !== null && monthly_spend >= budget_limit

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
    const random = yield* SecureRandom.SecureRandom
    const settings = yield* PlatformSettings
    const forward = yield* RelayForward.make
    const held = yield* RelayStream.make(settings.streamStall)

    const checkHierarchy = Effect.fnUntraced(function* (caller: Caller, target: WorkspaceId) {
      if (caller._tag !== "Workspace" || caller.workspaceId === target) return
      const from = yield* store.lineage(caller.workspaceId)
      const to = yield* store.lineage(target)
      if (Option.isSome(from) && Option.isSome(to) && Hierarchy.mayTalk(from.value, to.value)) return
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
    type Asked = Effect.Success<ReturnType<typeof read>>

    const exchange = Effect.fnUntraced(function* (caller: Caller, target: WorkspaceRecord, asked: Asked) {
      const answer = yield* forward.begin(
        caller._tag === "Workspace" ? caller.workspaceId : "admin",
        target,
        asked.relayed
      )
      const response = A2AAnswer.isStream(answer)
        ? A2AAnswer.toStream(answer, held(answer.body))
        : A2AAnswer.toResponse(answer, yield* forward.finish(answer), asked.binding)
      // The agent has answered: not being able to note it is no reason to keep the answer back.
      if (caller._tag === "Workspace" && answer.status < 400) {
        yield* Effect.catch(store.noteOutbound(caller.workspaceId), (error) =>
          Effect.logError("an outbound message was not noted", error)
        )
      }
      return response
    })

    const relay = Effect.fnUntraced(
      function* (request: Request, id: WorkspaceId) {
        const caller = yield* CurrentCaller
        yield* checkHierarchy(caller, id)
        const found = yield* store.find(id)
        if (Option.isNone(found)) return yield* new NotFound({ error: "workspace not found" })
        const target = found.value
        const inTheWay = obstacle(target)
        if (overBudget(target) && inTheWay?._tag !== "NotFound")
          return errorJson(402, "workspace budget limit exceeded")
        if (inTheWay !== undefined) return yield* inTheWay
        const asked = yield* read(request, id)
        const exchanged = exchange(caller, target, asked)
        const timeout = RelayRequest.timeoutOf(request)
        return yield* timeout === undefined
          ? exchanged
          : Effect.timeoutOrElse(exchanged, {
              duration: timeout,
              orElse: () => Effect.fail(RelayForward.tooLate())
            })
      },
      Effect.catchTags({
        StoreUnavailable: unavailable,
        AgentUnreachable: ({ cause }) =>
          Effect.andThen(
            Effect.logWarning("an agent cannot be reached", cause),
            Effect.fail(new BadGateway({ error: "failed to reach workspace agent" }))
          )
      })
    )

    return handlers
      .handleRaw("proxy", ({ params, request }) => relay(request, params.id))
      .handleRaw("restGet", ({ params, request }) => relay(request, params.id))
      .handleRaw("restPost", ({ params, request }) => relay(request, params.id))
      .handleRaw("restDelete", ({ params, request }) => relay(request, params.id))
  })
)
