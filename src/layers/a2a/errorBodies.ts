/**
 * Errors in the words of A2A 1.0, for both bindings.
 *
 * @module
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { type A2AError, errors } from "../../services/a2a/A2AError.ts"
import { domain, ErrorBody, type ErrorDetail } from "../../services/a2a/ErrorDetails.ts"
import type { RpcError } from "./rpcDialect.ts"

/** The details of an error: which it is, which fields are wrong, when to try again. */
export const detailsOf = (error: A2AError): ReadonlyArray<ErrorDetail> => [
  {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason: error.reason,
    domain,
    ...(error.metadata === undefined ? undefined : { metadata: error.metadata })
  },
  ...(error.fieldViolations === undefined
    ? []
    : [
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: error.fieldViolations
        } as const
      ]),
  ...(error.retryAfter === undefined
    ? []
    : [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${error.retryAfter}s` } as const])
]

/** The `error` member of JSON-RPC. */
export const rpcErrorOf = (error: A2AError): RpcError => ({
  code: errors[error.reason].code,
  message: error.message,
  data: detailsOf(error)
})

/** Headers that go with an error whatever its form: how to prove who one is, and when to come again. */
export const headersOf = (error: A2AError): Record<string, string> => ({
  ...(error.reason === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : undefined),
  ...(error.retryAfter === undefined ? undefined : { "retry-after": String(error.retryAfter) }),
  // What was not read must not be taken for the next request.
  ...(error.reason === "TOO_LARGE" ? { connection: "close" } : undefined)
})

/** The HTTP status of an answer over JSON-RPC: errors come with 200, but for those that HTTP itself acts upon. */
export const rpcStatusOf = (error: A2AError): number => {
  switch (error.reason) {
    case "UNAUTHENTICATED":
    case "TOO_LARGE":
    case "BUSY":
    case "UNAVAILABLE":
      return errors[error.reason].status
    default:
      return 200
  }
}

// What goes out we made ourselves, and a stream has no other place to encode it.
// @effect-diagnostics-next-line schemaSync:off
const encodeBody = Schema.encodeSync(Schema.fromJsonString(ErrorBody))

/** The body of an error over HTTP+JSON. */
export const statusJson = (error: A2AError, status: number = errors[error.reason].status): string =>
  encodeBody({
    error: { code: status, status: errors[error.reason].grpc, message: error.message, details: detailsOf(error) }
  })

/** An error over HTTP+JSON; `status` where HTTP has a better one than the table, as 405 for a known path. */
export const restError = (
  error: A2AError,
  contentType: string,
  more: { readonly status?: number; readonly headers?: Record<string, string> } = {}
): HttpServerResponse.HttpServerResponse => {
  const status = more.status ?? errors[error.reason].status
  return HttpServerResponse.text(statusJson(error, status), {
    status,
    contentType,
    headers: { ...headersOf(error), ...more.headers }
  })
}
