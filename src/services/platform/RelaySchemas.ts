/**
 * The JSON between the relay and agents that come for their messages.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"
import { CallerName, RelayedRequest } from "./RelayQueue.ts"

/** The URL that an agent registers if nobody can connect to it: it will come for its messages. The original's own text. */
export const noInbound = "remote://no-inbound"

/** The longest that a pull waits, in seconds, and the most entries that it answers. */
export const pullLimits = { seconds: 60, entries: 100 } as const

/** A request that was taken, for as long as its lease holds. */
export const QueueEntry = Schema.Struct({
  id: Schema.String,
  /** Proves, in every answer, that it is this agent's. A repeat of the entry has another one. */
  lease: Schema.String,
  /** So long it may be silent about it. */
  lease_seconds: Schema.Finite,
  /** 1 the first time. */
  attempt: Schema.Int,
  caller: CallerName,
  /** What the platform would have sent, with the signed caller token in `authorization`. */
  request: RelayedRequest,
  enqueued_at: Schema.String,
  expires_at: Schema.String
})

/** Answer of `GET /workspaces/:id/a2a/queue`. */
export const PulledEntries = Schema.Struct({ entries: Schema.Array(QueueEntry) })

/** Body of `POST …/queue/:entry/lease`. */
export const RenewLease = Schema.Struct({ lease: Schema.NonEmptyString })

/** Body of `POST …/queue/:entry/answer`: part `sequence` of the answer, from 0 on. A repeat of a part changes nothing. */
export const AnswerPart = Schema.Struct({
  ...RenewLease.fields,
  sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  /** With the first part: how the agent answered. */
  status: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 }))),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  body: Schema.optionalKey(Schema.String),
  /** With the last part. */
  done: Schema.optionalKey(Schema.Boolean)
})

/** Answer to both: the entry is held on. */
export const LeaseHeld = Schema.Struct({ status: Schema.Literal("held"), lease_seconds: Schema.Finite })

/** A row of `GET /workspaces/:id/activity`: a message, for pollers of the original kind. */
export const ActivityRow = Schema.Struct({
  id: Schema.String,
  workspace_id: WorkspaceId,
  activity_type: Schema.Literal("a2a_receive"),
  type: Schema.Literal("a2a_receive"),
  source_id: Schema.NullOr(WorkspaceId),
  target_id: WorkspaceId,
  method: Schema.String,
  summary: Schema.String,
  duration_ms: Schema.Null,
  status: Schema.Literal("ok"),
  error_detail: Schema.Null,
  created_at: Schema.String,
  ts: Schema.String,
  request_body: Schema.Json,
  data: Schema.Struct({
    source: Schema.Literals(["canvas_user", "peer_agent"]),
    kind: Schema.Literal("message"),
    text: Schema.String,
    peer_id: Schema.String,
    activity_id: Schema.String,
    peer_name: Schema.String,
    peer_role: Schema.String,
    agent_card_url: Schema.String
  })
})

/** Body of `POST /workspaces/:id/notify`. */
export const NotifyRequest = Schema.Struct({ message: Schema.NonEmptyString })
