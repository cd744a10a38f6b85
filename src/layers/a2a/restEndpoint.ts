/**
 * HTTP+JSON: the operations of A2A 1.0 at the paths that `A2AHttpApi` declares.
 *
 * @module
 */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { mediaType, type Operation, routes } from "../../services/a2a/A2AHttpApi.ts"
import { A2AError } from "../../services/a2a/A2AError.ts"
import { type A2AOperations, streamResumption } from "../../services/a2a/A2AOperations.ts"
import type { AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { extendedCard } from "./capabilities.ts"
import { restError, statusJson } from "./errorBodies.ts"
import type { EventStream } from "./eventStream.ts"
import { activated, parseJson, type RequestReader } from "./requestReader.ts"
import * as RestPaths from "./restPaths.ts"
import { type RpcMethod, streaming, unary, unaryWith } from "./rpcDialect.ts"
import { encodeItem, encodeSent } from "./rpcMethods10.ts"
import * as Versions from "./versions.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse
type Fields = Readonly<Record<string, unknown>>

/** The version that HTTP+JSON is in: 0.3 has other paths, which are not served. */
const served = ["1.0"]

const notAnObject = new A2AError({
  reason: "INVALID_PARAMS",
  message: "Invalid parameters: the body has to be a JSON object"
})
const brokeDown = new A2AError({ reason: "INTERNAL", message: "Internal error: the request could not be processed" })

const notFound = new A2AError({ reason: "METHOD_NOT_FOUND", message: "There is no operation of A2A at this path" })
const otherMethods = (allowed: ReadonlyArray<string>) =>
  new A2AError({ reason: "METHOD_NOT_FOUND", message: `The operations at this path are ${allowed.join(", ")}` })

const queryOf = (search: string): Fields => {
  const params = new URLSearchParams(search)
  return Object.fromEntries(
    Array.from(new Set(params.keys()), (name): readonly [string, unknown] => {
      // An empty parameter is one that is not set, as the defaults of protocol buffers are.
      const values = params.getAll(name).filter((value) => value !== "")
      return [name, values.length > 1 ? values : values[0]]
    }).filter(([, value]) => value !== undefined)
  )
}

// For clients that can set no header, the cursor of the extension is a parameter of the query.
const withCursorOf = (fields: Fields): Fields => {
  const cursor = fields[streamResumption.cursor]
  return cursor === undefined ? fields : { ...fields, metadata: { [streamResumption.cursor]: cursor } }
}

const objectOf = (text: string): Effect.Effect<Fields, A2AError> =>
  Effect.filterOrFail(parseJson(text), Predicate.isObject, () => notAnObject)

const readsBody = (method: string) => method === "POST"

// Whoever asks for plain JSON only gets it by that name; the text prefers its own.
const contentTypeOf = (request: Request) => {
  const { accept } = request.headers
  return accept !== undefined && accept.includes("application/json") && !accept.includes(mediaType)
    ? "application/json"
    : mediaType
}

/** What the endpoint serves. */
export interface Options {
  readonly operations: A2AOperations["Service"]
  readonly identity: AgentIdentity["Service"]
  /** The version of a request that names none: with 0.3 it is refused, as the text wants it. */
  readonly assumed: string
  readonly reader: RequestReader
  readonly streams: EventStream
}

/** Makes the endpoint: a request, and the tenant that its path has named, if any. It never fails. */
export const make = ({ assumed, identity, operations, reader, streams }: Options) => {
  const run: Readonly<Record<Operation, RpcMethod>> = {
    SendMessage: unaryWith(routes.SendMessage.request, encodeSent, operations.sendMessage),
    SendStreamingMessage: streaming(routes.SendStreamingMessage.request, encodeItem, operations.streamMessage),
    GetTask: unary(routes.GetTask.request, routes.GetTask.answer, operations.getTask),
    ListTasks: unary(routes.ListTasks.request, routes.ListTasks.answer, operations.listTasks),
    CancelTask: unary(routes.CancelTask.request, routes.CancelTask.answer, operations.cancelTask),
    SubscribeToTask: streaming(routes.SubscribeToTask.request, encodeItem, operations.subscribe),
    CreateTaskPushNotificationConfig: unary(
      routes.CreateTaskPushNotificationConfig.request,
      routes.CreateTaskPushNotificationConfig.answer,
      operations.createPushConfig
    ),
    ListTaskPushNotificationConfigs: unary(
      routes.ListTaskPushNotificationConfigs.request,
      routes.ListTaskPushNotificationConfigs.answer,
      operations.listPushConfigs
    ),
    GetTaskPushNotificationConfig: unary(
      routes.GetTaskPushNotificationConfig.request,
      routes.GetTaskPushNotificationConfig.answer,
      operations.getPushConfig
    ),
    DeleteTaskPushNotificationConfig: unary(
      routes.DeleteTaskPushNotificationConfig.request,
      routes.DeleteTaskPushNotificationConfig.answer,
      (call, request) => Effect.as(operations.deletePushConfig(call, request), {})
    ),
    GetExtendedAgentCard: unary(routes.GetExtendedAgentCard.request, routes.GetExtendedAgentCard.answer, () =>
      extendedCard(identity)
    )
  }

  const bodyOf = (request: Request): Effect.Effect<Fields, A2AError> =>
    Effect.flatMap(reader.text(request), (text) => (text === "" ? Effect.succeed({}) : objectOf(text)))

  const answer = Effect.fnUntraced(function* (
    request: Request,
    operation: Operation,
    search: string,
    inPath: Fields,
    contentType: string
  ) {
    const caller = yield* reader.caller(request)
    const version = Versions.negotiate(request.headers["a2a-version"], search, served, assumed)
    if (typeof version !== "string") return yield* version
    const given = readsBody(request.method) ? yield* bodyOf(request) : withCursorOf(queryOf(search))
    const call = reader.call(request, caller, "1.0")
    const missing = reader.missing(call)
    if (missing !== undefined) return yield* missing
    const answered = yield* run[operation](call, { ...given, ...inPath })
    const headers = activated(call)
    if (answered._tag === "Value") {
      return HttpServerResponse.text(answered.json, headers === undefined ? { contentType } : { contentType, headers })
    }
    return streams(request, {
      events: answered.events,
      encode: answered.encode,
      resumable: answered.resumable,
      before: "",
      after: "",
      // The official client takes an error for one by the event's name.
      failed: (error) => `event: error\ndata: ${statusJson(error)}\n\n`,
      headers
    })
  })

  return (request: Request, prefix = "", tenant = ""): Effect.Effect<Response> => {
    const contentType = contentTypeOf(request)
    const end = request.url.search(/[?#]/)
    const path = end < 0 ? request.url : request.url.slice(0, end)
    const found = RestPaths.match(request.method, path.slice(prefix.length))
    switch (found._tag) {
      case "Unknown":
        return Effect.succeed(restError(notFound, contentType))
      case "OtherMethods":
        return Effect.succeed(
          restError(otherMethods(found.allowed), contentType, {
            status: 405,
            headers: { allow: found.allowed.join(", ") }
          })
        )
      case "Found": {
        const fields = tenant === "" ? found.fields : { ...found.fields, tenant }
        return answer(request, found.operation, end < 0 ? "" : request.url.slice(end), fields, contentType).pipe(
          Effect.matchCauseEffect({
            onSuccess: Effect.succeed,
            onFailure: (cause) => {
              const failure = Cause.findError(cause)
              if (Result.isSuccess(failure)) return Effect.succeed(restError(failure.success, contentType))
              if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
              return Effect.as(
                Effect.logError("an HTTP+JSON request broke down", cause),
                restError(brokeDown, contentType)
              )
            }
          })
        )
      }
    }
  }
}
