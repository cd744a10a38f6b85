/**
 * The JSON-RPC endpoint: one request in, one answer or a stream of answers out, in every version that is served.
 *
 * @module
 */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { A2AError } from "../../services/a2a/A2AError.ts"
import type { Call } from "../../services/a2a/A2AOperations.ts"
import { RpcFailure, RpcId, RpcRequest } from "../../services/a2a/RpcEnvelope.ts"
import { headersOf, rpcStatusOf } from "./errorBodies.ts"
import type { EventStream } from "./eventStream.ts"
import { violationsOf } from "./fieldViolations.ts"
import { activated, parseJson, type RequestReader } from "./requestReader.ts"
import type { RpcDialect } from "./rpcDialect.ts"
import * as Versions from "./versions.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const contentType = "application/json"

const decodeRequest = Schema.decodeUnknownExit(RpcRequest, { errors: "all" })
const decodeId = Schema.decodeUnknownOption(RpcId)
// What goes out we made ourselves, and a stream has no other place to encode it.
// @effect-diagnostics-next-line schemaSync:off
const encodeId = Schema.encodeSync(Schema.fromJsonString(RpcId))
// @effect-diagnostics-next-line schemaSync:off
const encodeFailure = Schema.encodeSync(Schema.fromJsonString(RpcFailure))

// The id of a request that is otherwise wrong, so that its sender can tell which one it was.
const idOf = (json: unknown): RpcId => (Predicate.hasProperty(json, "id") ? Option.getOrNull(decodeId(json.id)) : null)

const noBatches = new A2AError({
  reason: "INVALID_REQUEST",
  message: "Request payload validation error: batches are not supported; send one request at a time"
})

const invalidRequest = (failure: Schema.SchemaError) =>
  new A2AError({
    reason: "INVALID_REQUEST",
    message: "Request payload validation error",
    fieldViolations: violationsOf(failure)
  })

const notFound = (method: string, { methods, version }: RpcDialect, others: ReadonlyArray<RpcDialect>) => {
  const other = others.find((one) => one.methods.has(method))
  return new A2AError({
    reason: "METHOD_NOT_FOUND",
    message:
      other === undefined
        ? `Method not found in A2A ${version}: it has ${Array.from(methods.keys()).join(", ")}`
        : `Method not found in A2A ${version}, but in ${other.version}: send the header A2A-Version: ${other.version}`
  })
}

const brokeDown = new A2AError({ reason: "INTERNAL", message: "Internal error: the request could not be processed" })

/** What the endpoint serves. The first dialect is the one whose errors are used where no version is known. */
export interface Options {
  readonly dialects: readonly [RpcDialect, ...ReadonlyArray<RpcDialect>]
  /** The version of a request that names none. */
  readonly assumed: string
  readonly reader: RequestReader
  readonly streams: EventStream
}

/** Makes the endpoint. It never fails. */
export const make = ({ assumed, dialects, reader, streams }: Options) => {
  const served = dialects.map(({ version }) => version)
  const dialectOf = (version: string) => dialects.find((one) => one.version === version)
  const standard = dialectOf(assumed) ?? dialects[0]

  const failureText = (dialect: RpcDialect, id: RpcId, error: A2AError) =>
    encodeFailure({ jsonrpc: "2.0", id, error: dialect.encodeError(error) })

  const failed = (dialect: RpcDialect, id: RpcId, error: A2AError, headers?: Record<string, string>): Response =>
    HttpServerResponse.text(failureText(dialect, id, error), {
      status: rpcStatusOf(error),
      contentType,
      headers: { ...headersOf(error), ...headers }
    })

  const choose = (request: Request, method: string): Exit.Exit<RpcDialect, readonly [RpcDialect, A2AError]> => {
    const header = request.headers["a2a-version"]
    const version = Versions.negotiate(header, request.url, served, assumed)
    if (Exit.isFailure(version)) {
      const refusal = Cause.findError(version.cause)
      return Exit.fail([standard, Result.isSuccess(refusal) ? refusal.success : brokeDown])
    }
    const dialect = dialectOf(version.value) ?? standard
    if (dialect.methods.has(method)) return Exit.succeed(dialect)
    // Only clients of 0.3 may leave the header out: their methods are known by their names, whatever is assumed.
    const old = header === undefined && assumed !== "0.3" ? dialectOf("0.3") : undefined
    if (old?.methods.has(method) === true) return Exit.succeed(old)
    return Exit.fail([dialect, notFound(method, dialect, dialects)])
  }

  const dispatch = Effect.fnUntraced(function* (request: Request, call: Call, { method, params, ...rest }: RpcRequest) {
    const id = rest.id ?? null
    const silent = rest.id === undefined
    const headers = activated(call)
    const refuse = (dialect: RpcDialect, error: A2AError) =>
      // A notification has no answer, not even that; HTTP has one.
      silent
        ? HttpServerResponse.empty({
            status: rpcStatusOf(error) === 200 ? 204 : rpcStatusOf(error),
            headers: headersOf(error)
          })
        : failed(dialect, id, error, headers)

    const chosen = yield* Effect.result(choose(request, method))
    if (Result.isFailure(chosen)) return refuse(...chosen.failure)
    const dialect = chosen.success
    const run = dialect.methods.get(method)
    if (run === undefined) return refuse(dialect, notFound(method, dialect, dialects))
    const result = yield* Effect.result(Effect.flatMap(reader.checkRequired(call), () => run(call, params)))
    if (Result.isFailure(result)) return refuse(dialect, result.failure)
    if (silent) return HttpServerResponse.empty({ status: 204, ...(headers === undefined ? undefined : { headers }) })
    const answer = result.success
    const before = `{"jsonrpc":"2.0","id":${encodeId(id)},"result":`
    if (answer._tag === "Value") {
      return HttpServerResponse.text(
        `${before}${answer.json}}`,
        headers === undefined ? { contentType } : { contentType, headers }
      )
    }
    return streams(request, {
      events: answer.events,
      encode: answer.encode,
      resumable: answer.resumable,
      before,
      after: "}",
      failed: (error) => `data: ${failureText(dialect, id, error)}\n\n`,
      headers
    })
  })

  return (request: Request): Effect.Effect<Response> => {
    let id: RpcId = null
    return Effect.flatMap(reader.call(request), (call) =>
      Effect.flatMap(reader.text(request), (text) =>
        Effect.flatMap(parseJson(text), (json) => {
          if (Array.isArray(json)) return Effect.fail(noBatches)
          id = idOf(json)
          return Effect.flatMap(Exit.mapError(decodeRequest(json), invalidRequest), (envelope) =>
            dispatch(request, call, envelope)
          )
        })
      )
    ).pipe(
      Effect.matchCauseEffect({
        onSuccess: Effect.succeed,
        onFailure: (cause) => {
          const failure = Cause.findError(cause)
          if (Result.isSuccess(failure)) return Effect.succeed(failed(standard, id, failure.success))
          if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
          return Effect.as(Effect.logError("a JSON-RPC request broke down", cause), failed(standard, id, brokeDown))
        }
      })
    )
  }
}
