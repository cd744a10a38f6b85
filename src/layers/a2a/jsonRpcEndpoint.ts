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
import { activated, jsonOf, parseJson, type RequestReader } from "./requestReader.ts"
import type { RpcAnswer, RpcDialect, RpcMethod } from "./rpcDialect.ts"
import * as Versions from "./versions.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const contentType = "application/json"

const requestOf = jsonOf(RpcRequest)
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

// A notification is not answered, not even with what is wrong with it; HTTP's own part remains.
const silent = (error: A2AError): Response => {
  const status = rpcStatusOf(error)
  return status === 200
    ? HttpServerResponse.empty({ headers: headersOf(error) })
    : HttpServerResponse.empty({ status, headers: { ...headersOf(error), "content-length": "0" } })
}

const brokeDown = new A2AError({ reason: "INTERNAL", message: "Internal error: the request could not be processed" })

/** What the endpoint serves. The first dialect is the one whose errors are used where no version is known. */
export interface Options {
  readonly dialects: readonly [RpcDialect, ...ReadonlyArray<RpcDialect>]
  /** The version of a request that names none. */
  readonly assumed: Call["version"]
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

  const choose = (request: Request, method: string): readonly [RpcDialect, RpcMethod | A2AError] => {
    const header = request.headers["a2a-version"]
    const version = Versions.negotiate(header, request.url, served, assumed)
    if (typeof version !== "string") return [standard, version]
    const dialect = dialectOf(version) ?? standard
    const run = dialect.methods.get(method)
    if (run !== undefined) return [dialect, run]
    // Only clients of 0.3 may leave the header out: their methods are known by their names, whatever is assumed.
    const old = header === undefined && assumed !== "0.3" ? dialectOf("0.3") : undefined
    const oldRun = old?.methods.get(method)
    return old !== undefined && oldRun !== undefined ? [old, oldRun] : [dialect, notFound(method, dialect, dialects)]
  }

  const respond = (request: Request, call: Call, dialect: RpcDialect, id: RpcId, answer: RpcAnswer): Response => {
    const headers = activated(call)
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
  }

  const dispatch = (request: Request, caller: string, envelope: RpcRequest): Effect.Effect<Response> => {
    const id = envelope.id ?? null
    const [dialect, method] = choose(request, envelope.method)
    const call = reader.call(request, caller, dialect.version)
    const failure = reader.missing(call)
    const refuse = (error: A2AError) =>
      envelope.id === undefined ? silent(error) : failed(dialect, id, error, activated(call))
    if (typeof method !== "function") return Effect.succeed(refuse(method))
    if (failure !== undefined) return Effect.succeed(refuse(failure))
    return Effect.match(method(call, envelope.params), {
      onFailure: refuse,
      onSuccess: (answer) =>
        envelope.id === undefined
          ? HttpServerResponse.empty({ status: 204, headers: activated(call) ?? {} })
          : respond(request, call, dialect, id, answer)
    })
  }

  const breaksDown = (id: RpcId, cause: Cause.Cause<A2AError>): Effect.Effect<Response> => {
    const failure = Cause.findError(cause)
    if (Result.isSuccess(failure)) return Effect.succeed(failed(standard, id, failure.success))
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    return Effect.as(Effect.logError("a JSON-RPC request broke down", cause), failed(standard, id, brokeDown))
  }

  /** What is wrong with a body that is no request, with the id that its sender will know it by. */
  const refused = (text: string): Response => {
    const json = parseJson(text)
    if (json._tag === "Failure") {
      const failure = Cause.findError(json.cause)
      return failed(standard, null, Result.isSuccess(failure) ? failure.success : brokeDown)
    }
    if (Array.isArray(json.value)) return failed(standard, null, noBatches)
    const request = Exit.mapError(decodeRequest(json.value), invalidRequest)
    const failure = request._tag === "Failure" ? Cause.findError(request.cause) : undefined
    return failed(
      standard,
      idOf(json.value),
      failure !== undefined && Result.isSuccess(failure) ? failure.success : brokeDown
    )
  }

  return (request: Request): Effect.Effect<Response> => {
    let id: RpcId = null
    return Effect.catchCause(
      Effect.flatMap(reader.caller(request), (caller) =>
        Effect.flatMap(reader.text(request), (text) => {
          const envelope = requestOf(text)
          if (envelope === undefined) return Effect.succeed(refused(text))
          id = envelope.id ?? null
          return dispatch(request, caller, envelope)
        })
      ),
      (cause) => breaksDown(id, cause)
    )
  }
}
