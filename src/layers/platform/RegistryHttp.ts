/**
 * The registry: register, heartbeat, card, discover, peers, access.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { refusals } from "../../services/platform/Access.ts"
import { AddressPolicy } from "../../services/platform/AddressPolicy.ts"
import * as Hierarchy from "../../services/platform/Hierarchy.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { Forbidden, NotAvailable, NotFound, Unauthorized } from "../../services/platform/PlatformErrors.ts"
import { CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { RelayQueue } from "../../services/platform/RelayQueue.ts"
import { noInbound } from "../../services/platform/RelaySchemas.ts"
import * as StatusMachine from "../../services/platform/StatusMachine.ts"
import { TokenStore } from "../../services/platform/TokenStore.ts"
import { WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import { badField, unavailable } from "./httpAnswers.ts"

// The workspace was there when its token was checked, and is not any more: its token has just gone with it.
const gone = () => Effect.fail(new Unauthorized({ error: refusals.invalid.error }))

/** The handlers of the group `registry`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "registry",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* WorkspaceStore
    const tokens = yield* TokenStore
    const addresses = yield* AddressPolicy
    const queue = yield* RelayQueue

    const mayTalk = Effect.fnUntraced(function* (a: WorkspaceId, b: WorkspaceId) {
      const [first, second] = [yield* store.lineage(a), yield* store.lineage(b)]
      return Option.isSome(first) && Option.isSome(second) && Hierarchy.mayTalk(first.value, second.value)
    })

    return handlers.handleAll({
      register: Effect.fnUntraced(
        function* ({ payload }) {
          const caller = yield* CurrentCaller
          // Nobody can connect to it: it comes for its messages. Any other URL has to be one.
          const polls = payload.url === noInbound
          if (!polls) yield* addresses.check(payload.url)
          // Nobody in particular was let in: then it is for a workspace that never had a token, as the store makes sure.
          const first = caller._tag === "Anonymous" ? yield* tokens.generate : undefined
          yield* store.register(
            {
              id: payload.id,
              url: polls ? "" : payload.url,
              delivery: polls ? "poll" : "push",
              agent_card: payload.agent_card
            },
            first?.record
          )
          // What waits for it goes now.
          yield* queue.wake(payload.id, { now: true })
          yield* Effect.logInfo("workspace registered", { id: payload.id, url: payload.url })
          return {
            status: "registered" as const,
            ...(first === undefined ? undefined : { auth_token: Redacted.value(first.token) })
          }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          AddressRefused: ({ detail }) => Effect.fail(badField("invalid request body", "url", detail)),
          HadToken: () => Effect.fail(new Unauthorized({ error: refusals.missing.error })),
          UnknownWorkspace: gone
        })
      ),

      heartbeat: Effect.fnUntraced(
        function* ({ payload }) {
          yield* store.beat(payload)
          yield* queue.wake(payload.workspace_id)
          return { status: "ok" as const }
        },
        Effect.catchTags({ StoreUnavailable: unavailable, UnknownWorkspace: gone })
      ),

      updateCard: Effect.fnUntraced(
        function* ({ payload }) {
          yield* store.setCard(payload.workspace_id, payload.agent_card)
          return { status: "updated" as const }
        },
        Effect.catchTags({ StoreUnavailable: unavailable, UnknownWorkspace: gone })
      ),

      discover: Effect.fnUntraced(
        function* ({ headers, params }) {
          if (!(yield* mayTalk(headers["x-workspace-id"], params.id))) {
            return yield* new Forbidden({ error: "not authorized to discover this workspace" })
          }
          const found = yield* store.find(params.id)
          if (Option.isNone(found) || found.value.status === "removed") {
            return yield* new NotFound({ error: "workspace not found" })
          }
          const { id, name, status, url } = found.value
          if (!StatusMachine.reachable(status))
            return yield* new NotAvailable({ error: "workspace not available", status })
          return { id, url, name }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      ),

      peers: Effect.fnUntraced(
        function* ({ params, query }) {
          const peers = yield* store.peers(params.id)
          const wanted = (query.q ?? "").toLowerCase()
          return peers
            .filter(
              ({ name, role }) => name.toLowerCase().includes(wanted) || (role ?? "").toLowerCase().includes(wanted)
            )
            .map(({ active_tasks, agent_card, id, name, parent_id, role, status, tier, url }) => ({
              id,
              name,
              role,
              tier,
              status,
              parent_id,
              agent_card,
              url,
              active_tasks
            }))
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          UnknownWorkspace: () => Effect.fail(new NotFound({ error: "workspace not found" }))
        })
      ),

      checkAccess: Effect.fnUntraced(
        function* ({ payload }) {
          return {
            allowed: payload.caller_id === payload.target_id || (yield* mayTalk(payload.caller_id, payload.target_id))
          }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      )
    })
  })
)
