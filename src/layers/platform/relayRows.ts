/**
 * The rows of the relay's queue.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { CallerName, RelayedRequest } from "../../services/platform/RelayQueue.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

/** What the queue's transactions take turns at: what one of them gives out depends on all that lies before it. */
export const relayLock = "platform/relay"

/** Headers as they are stored. */
export const HeadersJson = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

/** The beginning of an answer as it is stored. */
export const HeadJson = Schema.fromJsonString(
  Schema.Struct({ status: Schema.Int, headers: Schema.Record(Schema.String, Schema.String) })
)

/** What is needed to carry an entry. */
export const Carried = Schema.Struct({
  place: Schema.Int,
  id: Schema.String,
  target: WorkspaceId,
  caller: CallerName,
  method: RelayedRequest.fields.method,
  path: Schema.String,
  headers: HeadersJson,
  body: Schema.String,
  attempts: Schema.Int,
  parts: Schema.Int,
  enqueued_at: Schema.Int,
  expires_at: Schema.Int
})

/** What is needed to judge an answer. */
export const Judged = Schema.Struct({
  place: Schema.Int,
  state: Schema.Literals(["queued", "held", "answered"]),
  lease: Schema.NullOr(Schema.String),
  parts: Schema.Int,
  answer_bytes: Schema.Int
})

/** What a waiting caller has to know. */
export const Watched = Schema.Struct({
  state: Judged.fields.state,
  answer: Schema.NullOr(HeadJson),
  parts: Schema.Int,
  generation: Schema.Int,
  failed: Schema.BooleanFromBit,
  depth: Schema.Int
})

/** A message as a poller of the activity list sees it. */
export const Shown = Schema.Struct({
  place: Schema.Int,
  id: Schema.String,
  caller: CallerName,
  operation: Schema.String,
  body: Schema.String,
  enqueued_at: Schema.Int,
  lease: Schema.NullOr(Schema.String)
})

/** The columns of a row. */
export const columnsOf = (schema: { readonly fields: object }): string => Object.keys(schema.fields).join(", ")
