/**
 * The queue as agents that come for their messages use it: our own way, and the original's.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { CallerTokenSigner } from "../../services/platform/CallerTokenSigner.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { BadRequest, LeaseLost, NoLonger, NotFound, PayloadTooLarge } from "../../services/platform/PlatformErrors.ts"
import { CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { type HeldEntry, type InboxRow, RelayQueue } from "../../services/platform/RelayQueue.ts"
import { type ActivityRow, pullLimits } from "../../services/platform/RelaySchemas.ts"
import { WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as A2AAnswer from "./a2aAnswer.ts"
import { unavailable } from "./httpAnswers.ts"
import * as RelayReply from "./relayReply.ts"

/** The most that a page of the activity list holds, and what it holds if nobody says. */
const pages = { most: 500, usual: 100 } as const

// As the original reads numbers in queries: what is none counts as not given.
const numberIn = (text: string | undefined, otherwise: number, most: number) => {
  const value = Math.trunc(Number(text ?? ""))
  return Number.isFinite(value) && value > 0 ? Math.min(value, most) : otherwise
}

const iso = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))
const bodyOf = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

const answerFailures = {
  StoreUnavailable: unavailable,
  EntryGone: () => Effect.fail(new NoLonger({ error: "nobody waits for this any more" })),
  EntryTaken: () =>
    Effect.fail(new LeaseLost({ error: "this entry was given out again, or is answered", code: "lease_lost" }))
}

/** The handlers of the group `inbox`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "inbox",
  Effect.fnUntraced(function* (handlers) {
    const queue = yield* RelayQueue
    const store = yield* WorkspaceStore
    const signer = yield* CallerTokenSigner
    const random = yield* SecureRandom.SecureRandom
    const { queueLease } = yield* PlatformSettings
    const lease = Duration.toMillis(queueLease)
    const held = { status: "held" as const, lease_seconds: Duration.toSeconds(queueLease) }

    const show = Effect.fnUntraced(function* (entry: HeldEntry) {
      const { attempt, caller, enqueuedAt, expiresAt, id, lease: key, request, target } = entry
      const token = yield* signer.sign({ audience: target, subject: caller })
      const headers = { ...request.headers, authorization: `Bearer ${Redacted.value(token)}` }
      return {
        id,
        lease: key,
        lease_seconds: held.lease_seconds,
        attempt,
        caller,
        request: { ...request, headers },
        enqueued_at: iso(enqueuedAt),
        expires_at: iso(expiresAt)
      }
    })

    // Who asked has gone in the very moment: the next to ask gets it, without waiting for the lease to end.
    const giveBack = (entries: ReadonlyArray<HeldEntry>) =>
      Effect.forEach(entries, ({ id, lease: key }) => Effect.ignore(queue.release(id, key, 0)), { discard: true })

    const pull = Effect.fnUntraced(function* (id: WorkspaceId, limit: number, millis: number) {
      const until = (yield* Clock.currentTimeMillis) + millis
      const news = yield* queue.arrivals(id)
      for (;;) {
        const entries = yield* queue.take(id, { limit, lease })
        if (entries.length > 0) return yield* Effect.onInterrupt(Effect.forEach(entries, show), () => giveBack(entries))
        const now = yield* Clock.currentTimeMillis
        if (now >= until) return []
        const due = yield* queue.nextDue(id)
        const pause = Option.match(due, { onNone: () => until - now, onSome: (at) => (at > now ? at - now : 1000) })
        yield* Effect.timeoutOption(news, Math.min(pause, until - now))
      }
    }, Effect.scoped)

    const toActivity = Effect.fnUntraced(function* (workspace: WorkspaceId, row: InboxRow) {
      const peer = row.caller === "admin" ? undefined : Option.getOrUndefined(yield* store.find(row.caller))
      const source = row.caller === "admin" ? null : row.caller
      const at = iso(row.enqueuedAt)
      const activity: typeof ActivityRow.Type = {
        id: row.id,
        workspace_id: workspace,
        activity_type: "a2a_receive",
        type: "a2a_receive",
        source_id: source,
        target_id: workspace,
        method: row.operation,
        summary: `${row.operation} → queued`,
        duration_ms: null,
        status: "ok",
        error_detail: null,
        created_at: at,
        ts: at,
        request_body: Option.getOrElse(bodyOf(row.body), () => row.body),
        data: {
          source: source === null ? "canvas_user" : "peer_agent",
          kind: "message",
          text: RelayReply.textOf(row.body),
          peer_id: source ?? "",
          activity_id: row.id,
          peer_name: peer?.name ?? "",
          peer_role: peer?.role ?? "",
          agent_card_url: ""
        }
      }
      return activity
    })

    return handlers.handleAll({
      pull: Effect.fnUntraced(
        function* ({ params, query }) {
          const limit = numberIn(query.limit, 10, pullLimits.entries)
          const seconds = numberIn(query.wait, 0, pullLimits.seconds)
          return { entries: yield* pull(params.id, limit, seconds * 1000) }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      ),

      renew: Effect.fnUntraced(function* ({ params, payload }) {
        yield* queue.renew(params.id, params.entry, payload.lease, lease)
        return held
      }, Effect.catchTags(answerFailures)),

      answer: Effect.fnUntraced(
        function* ({ params, payload }) {
          const { body = "", done = false, headers = {}, sequence, status } = payload
          const head = status === undefined ? undefined : { status, headers: lowerCased(headers) }
          // Busy: then it waits, as for an agent that listens.
          const busy = head === undefined ? undefined : A2AAnswer.busyFor(head)
          if (busy !== undefined && sequence === 0) {
            const notBefore = (yield* Clock.currentTimeMillis) + Math.max(busy, 1) * 1000
            if (yield* queue.release(params.entry, payload.lease, notBefore)) return held
          }
          yield* queue.answer(params.id, params.entry, {
            lease: payload.lease,
            sequence,
            head,
            body,
            done,
            millis: lease
          })
          return held
        },
        Effect.catchTags({
          ...answerFailures,
          PartOutOfOrder: ({ expected }) =>
            Effect.fail(new LeaseLost({ error: `part ${expected} has to come next`, code: "out_of_order", expected })),
          AnswerTooLarge: ({ limit }) =>
            Effect.fail(new PayloadTooLarge({ error: `the answer is larger than ${limit} bytes` }))
        })
      ),

      activity: Effect.fnUntraced(
        function* ({ params, query }) {
          const caller = yield* CurrentCaller
          const limit = numberIn(query.limit, pages.usual, pages.most)
          const before = query.before_ts === undefined ? Option.none() : DateTime.make(query.before_ts)
          if (query.before_ts !== undefined && Option.isNone(before))
            return yield* new BadRequest({ error: "before_ts must be an RFC 3339 time" })
          if (query.type !== undefined && query.type !== "a2a_receive") return []
          const rows =
            caller._tag === "Workspace"
              ? yield* queue.inbox(params.id, {
                  since: query.since_id,
                  limit,
                  peer: query.peer_id,
                  before: Option.match(before, {
                    onNone: () => undefined,
                    onSome: (at) => DateTime.toEpochMillis(at)
                  })
                })
              : yield* queue.latest(params.id, limit)
          return yield* Effect.forEach(rows, (row) => toActivity(params.id, row))
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          CursorLost: () => Effect.fail(new NoLonger({ error: "since_id is not known: begin without one" }))
        })
      ),

      notify: Effect.fnUntraced(
        function* ({ params, payload }) {
          const found = yield* store.find(params.id)
          if (Option.isNone(found) || found.value.status === "removed")
            return yield* new NotFound({ error: "workspace not found" })
          const asked = yield* queue.shown(params.id, "admin")
          if (Option.isSome(asked)) {
            const reply = { messageId: yield* random.uuidV4(), text: payload.message }
            const { id, lease: key } = asked.value
            const part = {
              lease: key,
              sequence: 0,
              done: true,
              millis: lease,
              ...RelayReply.answerTo(asked.value, reply)
            }
            yield* Effect.catchTags(queue.answer(params.id, id, part), {
              EntryGone: () => Effect.void,
              EntryTaken: () => Effect.void,
              PartOutOfOrder: () => Effect.void,
              AnswerTooLarge: () => Effect.void
            })
          }
          return { status: "sent" as const }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      )
    })
  })
)

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
