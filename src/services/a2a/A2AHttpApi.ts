/**
 * HTTP+JSON, the REST binding of A2A 1.0 (specification section 11): the operations as methods, paths and schemas. One
 * declaration for server and client.
 *
 * **Details**
 *
 * It is not an `HttpApi`, whose paths have no verbs (`/tasks/{id}:cancel`). The rule is that of `google.api.http`: a
 * request, encoded, is one flat object; the fields named in the path's braces go into the path, the others into the query
 * of a `GET` or `DELETE`, or into the body of a `POST`. The answer is the body.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { Metadata } from "../durable/Content.ts"
import * as P from "./A2AProtocol.ts"
import { AgentCard } from "./AgentCard.ts"

/** The media type of requests and answers; `application/json` is taken, too. */
export const mediaType = "application/a2a+json"

/** An operation over HTTP. */
export interface Route<Request, RequestEncoded, Answer, AnswerEncoded> {
  readonly method: "GET" | "POST" | "DELETE"
  /** Below the interface's URL. Names in braces are fields of the request. */
  readonly path: string
  /** Methods that are served besides, for those who read the other of two texts. */
  readonly alsoMethods?: ReadonlyArray<"GET" | "POST">
  readonly request: Schema.Codec<Request, RequestEncoded>
  readonly answer: Schema.Codec<Answer, AnswerEncoded>
  /** Whether the answer is a stream of server-sent events, each with one answer as its data. */
  readonly streams: boolean
}

const whole = Schema.String.check(Schema.isPattern(/^-?\d{1,10}$/, { expected: "a whole number in decimal notation" }))
const wholeOf = <S extends Schema.Codec<number, number>>(to: S) =>
  whole.pipe(Schema.decodeTo(to, SchemaTransformation.numberFromString))
const flag = Schema.Literals(["true", "false"]).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({ decode: (text) => text === "true", encode: (on) => (on ? "true" : "false") })
  )
)

const historyLength = Schema.optionalKey(wholeOf(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))))
const pageSize = Schema.optionalKey(wholeOf(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))))

/** What `GetExtendedAgentCard` takes. */
export const GetExtendedAgentCardRequest = Schema.Struct({ tenant: Schema.optionalKey(Schema.String) })

/**
 * What `SubscribeToTask` takes here: the extension `streamResumption` may add a cursor, for clients that cannot set
 * headers.
 */
export const SubscribeRequest = Schema.Struct({
  ...P.SubscribeToTaskRequest.fields,
  metadata: Schema.optionalKey(Metadata)
})

/** The answer of `DeleteTaskPushNotificationConfig`. */
export const Empty = Schema.Struct({})

const route = <Request, RequestEncoded, Answer, AnswerEncoded>(
  given: Omit<Route<Request, RequestEncoded, Answer, AnswerEncoded>, "streams"> & { readonly streams?: true }
): Route<Request, RequestEncoded, Answer, AnswerEncoded> => ({ ...given, streams: given.streams ?? false })

/** The operations by their names. */
export const routes = {
  SendMessage: route({
    method: "POST",
    path: "/message:send",
    request: P.SendMessageRequest,
    answer: P.SendMessageResponse
  }),
  SendStreamingMessage: route({
    method: "POST",
    path: "/message:stream",
    request: P.SendMessageRequest,
    answer: P.StreamResponse,
    streams: true
  }),
  ListTasks: route({
    method: "GET",
    path: "/tasks",
    request: Schema.Struct({
      ...P.ListTasksRequest.fields,
      pageSize,
      historyLength,
      includeArtifacts: Schema.optionalKey(flag)
    }),
    answer: P.ListTasksResponse
  }),
  CancelTask: route({ method: "POST", path: "/tasks/{id}:cancel", request: P.CancelTaskRequest, answer: P.Task }),
  // The text's table says POST, the proto says GET.
  SubscribeToTask: route({
    method: "POST",
    alsoMethods: ["GET"],
    path: "/tasks/{id}:subscribe",
    request: SubscribeRequest,
    answer: P.StreamResponse,
    streams: true
  }),
  GetTask: route({
    method: "GET",
    path: "/tasks/{id}",
    request: Schema.Struct({ ...P.GetTaskRequest.fields, historyLength }),
    answer: P.Task
  }),
  CreateTaskPushNotificationConfig: route({
    method: "POST",
    path: "/tasks/{taskId}/pushNotificationConfigs",
    request: P.TaskPushNotificationConfig,
    answer: P.TaskPushNotificationConfig
  }),
  ListTaskPushNotificationConfigs: route({
    method: "GET",
    path: "/tasks/{taskId}/pushNotificationConfigs",
    request: Schema.Struct({ ...P.ListPushConfigsRequest.fields, pageSize }),
    answer: P.ListPushConfigsResponse
  }),
  GetTaskPushNotificationConfig: route({
    method: "GET",
    path: "/tasks/{taskId}/pushNotificationConfigs/{id}",
    request: P.PushConfigRequest,
    answer: P.TaskPushNotificationConfig
  }),
  DeleteTaskPushNotificationConfig: route({
    method: "DELETE",
    path: "/tasks/{taskId}/pushNotificationConfigs/{id}",
    request: P.PushConfigRequest,
    answer: Empty
  }),
  GetExtendedAgentCard: route({
    method: "GET",
    path: "/extendedAgentCard",
    request: GetExtendedAgentCardRequest,
    answer: AgentCard
  })
} as const
/** The name of an operation. */
export type Operation = keyof typeof routes

const named = /\{(\w+)\}/g

/** The fields of a request that its path holds. */
export const fieldsOf = (path: string): ReadonlyArray<string> =>
  Array.from(path.matchAll(named), ([, name = ""]) => name)

/**
 * An encoded request as a path and what is left for the query or the body.
 *
 * @example
 * ```ts
 * fill("/tasks/{id}:cancel", { id: "a/b", metadata: {} }) // { path: "/tasks/a%2Fb:cancel", rest: { metadata: {} } }
 * ```
 */
export const fill = (
  path: string,
  encoded: Readonly<Record<string, unknown>>
): { readonly path: string; readonly rest: Readonly<Record<string, unknown>> } => {
  const names = fieldsOf(path)
  return {
    path: path.replaceAll(named, (_, name: string) => encodeURIComponent(String(encoded[name]))),
    rest: Object.fromEntries(Object.entries(encoded).filter(([name]) => !names.includes(name)))
  }
}
