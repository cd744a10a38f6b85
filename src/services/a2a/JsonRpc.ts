/**
 * JSON-RPC 2.0 as A2A uses it: one request, one answer (or a stream of answers under the same id).
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** A request's id: a string, an integer or null. Fractions are not allowed by the specification. */
export const RequestId = Schema.NullOr(Schema.Union([Schema.String, Schema.Int]))
/** The type of {@link RequestId}. */
export type RequestId = typeof RequestId.Type

/** The envelope of a request; `params` are decoded by the method's own schema. */
export const Request = Schema.Struct({
  jsonrpc: Schema.Literal("2.0"),
  id: Schema.optionalKey(RequestId),
  method: Schema.String,
  params: Schema.optionalKey(Schema.Json)
})

/**
 * The error numbers: JSON-RPC 2.0 section 5.1, A2A 0.3 section 8.2. `Busy` is ours, from the range that JSON-RPC leaves
 * to servers; it travels with HTTP status 429 or 503 and `Retry-After`.
 */
export const ErrorCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  TaskNotFound: -32001,
  TaskNotCancelable: -32002,
  UnsupportedOperation: -32004,
  ContentTypeNotSupported: -32005,
  Busy: -32050
} as const

/** The error member of an answer; `data` names what is wrong with the request, field by field. */
export class RpcError extends Schema.Error<RpcError>("RpcError")({
  code: Schema.Int,
  message: Schema.String,
  data: Schema.optionalKey(Schema.Json)
}) {
  readonly _tag = "RpcError" as const
}

/** An answer that went well. */
export const Success = Schema.Struct({ jsonrpc: Schema.Literal("2.0"), id: RequestId, result: Schema.Json })

/** An answer that did not. */
export const Failure = Schema.Struct({
  jsonrpc: Schema.Literal("2.0"),
  id: RequestId,
  error: Schema.Struct({ code: Schema.Int, message: Schema.String, data: Schema.optionalKey(Schema.Json) })
})

/** Either answer. */
export const Response = Schema.Union([Failure, Success])
/** The type of {@link Response}. */
export type Response = typeof Response.Type

/** The answer that carries a result. */
export const success = (id: RequestId, result: Schema.Json): Response => ({ jsonrpc: "2.0", id, result })

/** The answer that carries an error. */
export const failure = (id: RequestId, error: RpcError): Response => ({
  jsonrpc: "2.0",
  id,
  error: { code: error.code, message: error.message, ...(error.data === undefined ? undefined : { data: error.data }) }
})
