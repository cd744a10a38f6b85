/**
 * One request to an agent that listens, and its answer.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { callerTokenSeconds } from "../../services/a2a/CallerToken.ts"
import { type AgentAnswer, AgentTransport } from "../../services/platform/AgentTransport.ts"
import { CallerTokenSigner } from "../../services/platform/CallerTokenSigner.ts"
import { BadGateway, GatewayTimeout, NotAvailable } from "../../services/platform/PlatformErrors.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import type { CallerName, RelayedRequest } from "../../services/platform/RelayQueue.ts"
import type { WorkspaceRecord } from "../../services/platform/WorkspaceStore.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import * as RelayRequest from "./relayRequest.ts"

/** Seconds after which a caller may try again at an agent that broke off. */
const retryAfter = 30

/** How many caller tokens are kept for the next request of the same caller to the same agent. */
const maxTokens = 10_000

/** The agent has the request, and its answer did not come in time. */
export const tooLate = () =>
  new GatewayTimeout({ error: "workspace agent did not answer in time", code: "agent_timeout" })

const brokeOff = () =>
  new NotAvailable({
    error: "workspace agent busy — retry after a short backoff",
    busy: true,
    retry_after: retryAfter
  })

/**
 * Makes what sends requests to agents.
 *
 * **Details**
 *
 * `AgentUnreachable` is left to the caller: the agent has not seen the request, and it may wait. Every other failure is an
 * answer already. The exchange ends with the scope.
 */
export const make = Effect.gen(function* () {
  const signer = yield* CallerTokenSigner
  const transport = yield* AgentTransport
  const { agentTimeout, maxAgentAnswerBytes } = yield* PlatformSettings

  // A token is good for a minute; one that is to be used has at least half of it left.
  const tokens = new Map<string, { readonly token: Redacted.Redacted; readonly until: number }>()
  const tokenFor = Effect.fnUntraced(function* (caller: CallerName, target: WorkspaceRecord) {
    const key = `${caller} ${target.id}`
    const now = yield* Clock.currentTimeMillis
    const known = tokens.get(key)
    if (known !== undefined && known.until > now) return known.token
    const token = yield* signer.sign({ audience: target.id, subject: caller })
    if (tokens.size >= maxTokens) tokens.clear()
    tokens.set(key, { token, until: now + (callerTokenSeconds * 1000) / 2 })
    return token
  })

  /** Sends it and answers as soon as there is a head. */
  const begin = Effect.fnUntraced(
    function* (caller: CallerName, target: WorkspaceRecord, request: RelayedRequest) {
      const bearer = yield* tokenFor(caller, target)
      const { body, headers, method, path } = request
      const answer = yield* transport.send({
        method,
        url: RelayRequest.urlFor(target.url, path),
        body,
        bearer,
        headers
      })
      const refused = A2AAnswer.refusal(answer)
      return refused === undefined ? answer : yield* refused
    },
    Effect.catchTags({
      AddressRefused: (refusal) =>
        Effect.andThen(
          Effect.logWarning("an agent's address is not allowed", refusal),
          Effect.fail(new BadGateway({ error: "workspace URL is not publicly routable" }))
        ),
      AgentSilent: ({ cause, timedOut }) =>
        Effect.andThen(
          Effect.logWarning("an agent did not answer", cause),
          Effect.fail(timedOut === true ? tooLate() : brokeOff())
        )
    })
  )

  const withLimit = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.timeoutOrElse(effect, { duration: agentTimeout, orElse: () => Effect.fail(tooLate()) })

  return {
    /** The head, with the body still to come; within the time that a whole answer may take. */
    begin: (caller: CallerName, target: WorkspaceRecord, request: RelayedRequest) =>
      withLimit(begin(caller, target, request)),
    /** The rest of an answer that is no stream. */
    finish: (answer: AgentAnswer) => withLimit(A2AAnswer.collect(answer, maxAgentAnswerBytes))
  }
})

/** What {@link make} makes. */
export type RelayForward = Effect.Success<typeof make>
