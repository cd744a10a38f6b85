/**
 * The errors that the platform answers with. On the wire each is `{"error": "…"}` with its HTTP status, as the original
 * platform's are; in Effect code they are told apart by `_tag`, which does not travel.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** One thing that is wrong with a request: where, and what would be right. */
export const Issue = Schema.Struct({ path: Schema.String, message: Schema.String })

/** 400: the request cannot be understood; `issues` names the fields. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(
  { error: Schema.String, issues: Schema.optionalKey(Schema.Array(Issue)) },
  { httpApiStatus: 400 }
) {
  readonly _tag = "BadRequest" as const
}

/** 401: no credential, or one that is not valid here. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")(
  { error: Schema.String },
  { httpApiStatus: 401 }
) {
  readonly _tag = "Unauthorized" as const
}

/** 403: the credential is good, but not for this. */
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")({ error: Schema.String }, { httpApiStatus: 403 }) {
  readonly _tag = "Forbidden" as const
}

/** 404: there is no such thing. */
export class NotFound extends Schema.Error<NotFound>("NotFound")({ error: Schema.String }, { httpApiStatus: 404 }) {
  readonly _tag = "NotFound" as const
}

/** 404 on the state route: the workspace was deleted and its agent should stop. No other answer means this. */
export class Gone extends Schema.Error<Gone>("Gone")(
  { workspace_id: Schema.String, status: Schema.optionalKey(Schema.Literal("removed")), deleted: Schema.Literal(true) },
  { httpApiStatus: 404 }
) {
  readonly _tag = "Gone" as const
}

/** 409: deleting a workspace that has children needs `?confirm=true`. */
export class ConfirmationRequired extends Schema.Error<ConfirmationRequired>("ConfirmationRequired")(
  {
    status: Schema.Literal("confirmation_required"),
    message: Schema.String,
    children: Schema.Array(Schema.Struct({ id: Schema.String, name: Schema.String })),
    children_count: Schema.Int
  },
  { httpApiStatus: 409 }
) {
  readonly _tag = "ConfirmationRequired" as const
}

/** 413: the body is larger than the limit, which `error` names. */
export class PayloadTooLarge extends Schema.Error<PayloadTooLarge>("PayloadTooLarge")(
  { error: Schema.String },
  { httpApiStatus: 413 }
) {
  readonly _tag = "PayloadTooLarge" as const
}

/** 429: too much of it; `retry_after` in seconds where waiting helps. `queue_full`: as many requests wait for this agent as may. */
export class TooMany extends Schema.Error<TooMany>("TooMany")(
  {
    error: Schema.String,
    code: Schema.optionalKey(Schema.Literal("queue_full")),
    retry_after: Schema.optionalKey(Schema.Int)
  },
  { httpApiStatus: 429 }
) {
  readonly _tag = "TooMany" as const
}

/** 502: the platform could not get an answer from the workspace. `delivery_confirmed` is there once the agent has answered with headers. */
export class BadGateway extends Schema.Error<BadGateway>("BadGateway")(
  { error: Schema.String, delivery_confirmed: Schema.optionalKey(Schema.Boolean) },
  { httpApiStatus: 502 }
) {
  readonly _tag = "BadGateway" as const
}

/** 503: a workspace is there but cannot be talked to now. */
export class NotAvailable extends Schema.Error<NotAvailable>("NotAvailable")(
  {
    error: Schema.String,
    status: Schema.optionalKey(Schema.String),
    busy: Schema.optionalKey(Schema.Boolean),
    retry_after: Schema.optionalKey(Schema.Int),
    /** `queued`: the message waits for the agent; the same message again waits for the same answer. */
    code: Schema.optionalKey(Schema.Literal("queued")),
    queue_id: Schema.optionalKey(Schema.String),
    queue_depth: Schema.optionalKey(Schema.Int)
  },
  { httpApiStatus: 503 }
) {
  readonly _tag = "NotAvailable" as const
}

/**
 * 504: no answer in time. `agent_timeout`: the agent has the request and said nothing; `queue_expired`: the agent never
 * took it.
 */
export class GatewayTimeout extends Schema.Error<GatewayTimeout>("GatewayTimeout")(
  { error: Schema.String, code: Schema.Literals(["agent_timeout", "queue_expired"]) },
  { httpApiStatus: 504 }
) {
  readonly _tag = "GatewayTimeout" as const
}

/** 508: the request has come by this workspace before, or by too many others. */
export class LoopDetected extends Schema.Error<LoopDetected>("LoopDetected")(
  { error: Schema.String, code: Schema.Literal("loop_detected") },
  { httpApiStatus: 508 }
) {
  readonly _tag = "LoopDetected" as const
}

/** 409: an entry of the queue is no longer this agent's to answer, or its parts came out of order (`expected` is next). */
export class LeaseLost extends Schema.Error<LeaseLost>("LeaseLost")(
  {
    error: Schema.String,
    code: Schema.Literals(["lease_lost", "out_of_order"]),
    expected: Schema.optionalKey(Schema.Int)
  },
  { httpApiStatus: 409 }
) {
  readonly _tag = "LeaseLost" as const
}

/** 410: nobody waits for this any more, or this cursor is not known. */
export class NoLonger extends Schema.Error<NoLonger>("NoLonger")({ error: Schema.String }, { httpApiStatus: 410 }) {
  readonly _tag = "NoLonger" as const
}

/** 503: the platform's own store failed. Never an open door, and never a 401. */
export class PlatformUnavailable extends Schema.Error<PlatformUnavailable>("PlatformUnavailable")(
  { error: Schema.String, code: Schema.Literal("platform_unavailable") },
  { httpApiStatus: 503 }
) {
  readonly _tag = "PlatformUnavailable" as const
}

/** The one {@link PlatformUnavailable} there is; its text is the original platform's. */
export const platformUnavailable = () =>
  new PlatformUnavailable({
    error: "platform datastore unavailable — retry shortly",
    code: "platform_unavailable"
  })
