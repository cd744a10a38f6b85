/**
 * Everything that an A2A operation can answer instead of a result, and how each binding says it.
 *
 * @module
 */
import * as Schema from "effect/Schema"

interface Mapping {
  /** JSON-RPC's number. */
  readonly code: number
  /** HTTP's. */
  readonly status: number
  /** gRPC's name for the status, which HTTP+JSON repeats. */
  readonly grpc: string
}

/**
 * The errors by their reason in `google.rpc.ErrorInfo` (A2A 1.0 sections 5.4, 9.5 and 11.6). Those of JSON-RPC 2.0 itself
 * (section 5.1) come first; `BUSY` and `UNAVAILABLE` are ours, from the numbers that JSON-RPC leaves to servers, and come
 * with `Retry-After`.
 */
export const errors = {
  PARSE_ERROR: { code: -32700, status: 400, grpc: "INVALID_ARGUMENT" },
  INVALID_REQUEST: { code: -32600, status: 400, grpc: "INVALID_ARGUMENT" },
  METHOD_NOT_FOUND: { code: -32601, status: 404, grpc: "UNIMPLEMENTED" },
  INVALID_PARAMS: { code: -32602, status: 400, grpc: "INVALID_ARGUMENT" },
  INTERNAL: { code: -32603, status: 500, grpc: "INTERNAL" },
  UNAUTHENTICATED: { code: -32600, status: 401, grpc: "UNAUTHENTICATED" },
  TOO_LARGE: { code: -32600, status: 413, grpc: "OUT_OF_RANGE" },
  BUSY: { code: -32050, status: 429, grpc: "RESOURCE_EXHAUSTED" },
  UNAVAILABLE: { code: -32050, status: 503, grpc: "UNAVAILABLE" },
  TASK_NOT_FOUND: { code: -32001, status: 404, grpc: "NOT_FOUND" },
  TASK_NOT_CANCELABLE: { code: -32002, status: 400, grpc: "FAILED_PRECONDITION" },
  PUSH_NOTIFICATION_NOT_SUPPORTED: { code: -32003, status: 400, grpc: "FAILED_PRECONDITION" },
  UNSUPPORTED_OPERATION: { code: -32004, status: 400, grpc: "FAILED_PRECONDITION" },
  CONTENT_TYPE_NOT_SUPPORTED: { code: -32005, status: 400, grpc: "INVALID_ARGUMENT" },
  INVALID_AGENT_RESPONSE: { code: -32006, status: 500, grpc: "INTERNAL" },
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: { code: -32007, status: 400, grpc: "FAILED_PRECONDITION" },
  EXTENSION_SUPPORT_REQUIRED: { code: -32008, status: 400, grpc: "FAILED_PRECONDITION" },
  VERSION_NOT_SUPPORTED: { code: -32009, status: 400, grpc: "FAILED_PRECONDITION" }
} as const satisfies Readonly<Record<string, Mapping>>

/** One of {@link errors}. */
export const Reason = Schema.Literals([
  "PARSE_ERROR",
  "INVALID_REQUEST",
  "METHOD_NOT_FOUND",
  "INVALID_PARAMS",
  "INTERNAL",
  "UNAUTHENTICATED",
  "TOO_LARGE",
  "BUSY",
  "UNAVAILABLE",
  "TASK_NOT_FOUND",
  "TASK_NOT_CANCELABLE",
  "PUSH_NOTIFICATION_NOT_SUPPORTED",
  "UNSUPPORTED_OPERATION",
  "CONTENT_TYPE_NOT_SUPPORTED",
  "INVALID_AGENT_RESPONSE",
  "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
  "EXTENSION_SUPPORT_REQUIRED",
  "VERSION_NOT_SUPPORTED"
])
/** The type of {@link Reason}. */
export type Reason = typeof Reason.Type

/** A field of the request, as in `message.parts[0].raw`, and what is wrong with it. */
export const FieldViolation = Schema.Struct({ field: Schema.String, description: Schema.String })

/** Why an operation has no result. `message` is for people, and says what to do where that is not plain. */
export class A2AError extends Schema.TaggedError<A2AError>()("A2AError", {
  reason: Reason,
  message: Schema.String,
  /** Ids and the like; `google.rpc.ErrorInfo.metadata`. Nothing that tells a stranger what exists. */
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  fieldViolations: Schema.optionalKey(Schema.Array(FieldViolation)),
  /** Seconds, where trying again makes sense. */
  retryAfter: Schema.optionalKey(Schema.Int)
}) {}

/** The same for a task that is not there and for one that is somebody else's, to the byte. */
export const taskNotFound = (taskId: string): A2AError =>
  new A2AError({ reason: "TASK_NOT_FOUND", message: "Task not found", metadata: { taskId } })
