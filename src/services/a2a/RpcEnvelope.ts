/**
 * The envelope of JSON-RPC 2.0 as A2A uses it: one request, one answer, or a stream of answers under the same id.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** A request's id. JSON-RPC discourages fractions and null, but does not forbid them. */
export const RpcId = Schema.NullOr(Schema.Union([Schema.String, Schema.Finite]))
/** The type of {@link RpcId}. */
export type RpcId = typeof RpcId.Type

/** A request; the method's own schema decodes its `params`. Without an `id` it is a notification: nobody wants an answer. */
export const RpcRequest = Schema.Struct({
  jsonrpc: Schema.Literal("2.0"),
  id: Schema.optionalKey(RpcId),
  method: Schema.String,
  params: Schema.optionalKey(Schema.Union([Schema.Record(Schema.String, Schema.Unknown), Schema.Array(Schema.Unknown)]))
})
/** The type of {@link RpcRequest}. */
export type RpcRequest = typeof RpcRequest.Type

/** An answer that says why there is no result. `data` is an array of details in 1.0. */
export const RpcFailure = Schema.Struct({
  jsonrpc: Schema.Literal("2.0"),
  id: RpcId,
  error: Schema.Struct({ code: Schema.Int, message: Schema.String, data: Schema.optionalKey(Schema.Json) })
})
/** The type of {@link RpcFailure}. */
export type RpcFailure = typeof RpcFailure.Type

/** An answer with a result. */
export const RpcSuccess = Schema.Struct({ jsonrpc: Schema.Literal("2.0"), id: RpcId, result: Schema.Unknown })

/** Either answer. */
export const RpcResponse = Schema.Union([RpcFailure, RpcSuccess], { mode: "oneOf" })
