/**
 * How errors look on the wire in A2A 1.0: details in the form of `google.rpc`, in `error.data` of JSON-RPC and in
 * `error.details` of HTTP+JSON (specification sections 9.5 and 11.6).
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { FieldViolation } from "./A2AError.ts"

/** Which error it is, exactly. */
export const ErrorInfo = Schema.Struct({
  "@type": Schema.Literal("type.googleapis.com/google.rpc.ErrorInfo"),
  reason: Schema.String,
  domain: Schema.String,
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})

/** Which fields of the request are wrong, and how. */
export const BadRequest = Schema.Struct({
  "@type": Schema.Literal("type.googleapis.com/google.rpc.BadRequest"),
  fieldViolations: Schema.Array(FieldViolation)
})

/** When to try again: seconds and an `s`. */
export const RetryInfo = Schema.Struct({
  "@type": Schema.Literal("type.googleapis.com/google.rpc.RetryInfo"),
  retryDelay: Schema.String
})

/** A detail of an error. */
export const ErrorDetail = Schema.Union([ErrorInfo, BadRequest, RetryInfo])
/** The type of {@link ErrorDetail}. */
export type ErrorDetail = typeof ErrorDetail.Type

/** The body of an error over HTTP+JSON: `google.rpc.Status`. `code` is the HTTP status. */
export const ErrorBody = Schema.Struct({
  error: Schema.Struct({
    code: Schema.Int,
    status: Schema.String,
    message: Schema.String,
    details: Schema.Array(ErrorDetail)
  })
})
/** The type of {@link ErrorBody}. */
export type ErrorBody = typeof ErrorBody.Type

/** The domain of the errors that A2A itself names, and of those that every server may have. */
export const domain = "a2a-protocol.org"
