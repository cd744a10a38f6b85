/**
 * The JSON-RPC methods of an agent, on top of `TaskRunner`: text in, one answer or a stream of answers out.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import * as JsonRpc from "../../services/a2a/JsonRpc.ts"
import { type Message, methods, SendResult, StreamResult, Task } from "../../services/a2a/Protocol.ts"
import { TaskNotFound, TaskRunner } from "../../services/durable/TaskRunner.ts"
import type { TaskEvent, TaskRecord, TaskStoreError } from "../../services/durable/TaskStore.ts"
import * as TaskView from "./taskView.ts"

/** What goes back: one answer, which may be a refusal that the HTTP status tells too, or a stream of them. */
export type RpcAnswer =
  | { readonly _tag: "Single"; readonly response: JsonRpc.Response; readonly busy: Busy | undefined }
  | { readonly _tag: "Streamed"; readonly responses: Stream.Stream<JsonRpc.Response> }

/** Not an error of the request: there is too much to do, or the workspace is shutting down. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", {
  status: Schema.Literals([429, 503]),
  /** Seconds. */
  retryAfter: Schema.Int,
  detail: Schema.String
}) {}

const { ErrorCode } = JsonRpc
const rpcError = (code: number, message: string, data?: Schema.Json) =>
  new JsonRpc.RpcError({ code, message, ...(data === undefined ? undefined : { data }) })

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()
const issuesOf = ({ issue }: Schema.SchemaError): Schema.Json =>
  formatIssue(issue).issues.map(({ message, path }) => ({
    path: (path ?? []).map((segment) => String(Predicate.isObject(segment) ? segment.key : segment)).join("."),
    message
  }))

const decodeParams = <A, I>(schema: Schema.Codec<A, I>, params: Schema.Json | undefined) =>
  Schema.decodeUnknownEffect(schema)(params ?? {}, { errors: "all" }).pipe(
    Effect.mapError((failure) => rpcError(ErrorCode.InvalidParams, "Invalid parameters", issuesOf(failure)))
  )

const storeFailed = (failure: TaskStoreError) =>
  Effect.logError(failure.message).pipe(
    Effect.andThen(
      Effect.fail(rpcError(ErrorCode.InternalError, "Internal error: the task store failed; try again later"))
    )
  )
const notFound = (failure: TaskNotFound) =>
  Effect.fail(rpcError(ErrorCode.TaskNotFound, "Task not found", { id: failure.taskId }))

// What we encode we made ourselves: a failure here is a bug.
const encodeSend = (value: typeof SendResult.Type) =>
  Effect.orDie(Schema.encodeEffect(Schema.toCodecJson(SendResult))(value))
const encodeTask = (value: Task) => Effect.orDie(Schema.encodeEffect(Schema.toCodecJson(Task))(value))
const encodeStream = (value: StreamResult) => Effect.orDie(Schema.encodeEffect(Schema.toCodecJson(StreamResult))(value))

/** Makes the handler: the caller's name and the body's text in, the answer out. It never fails. */
export const make: Effect.Effect<(caller: string, body: string) => Effect.Effect<RpcAnswer>, never, TaskRunner> =
  Effect.gen(function* () {
    const runner = yield* TaskRunner

    // "Not yours" and "does not exist" are one answer. The admin sees every task.
    const owned = (caller: string, id: string) =>
      Effect.filterOrFail(
        runner.get(id),
        (task) => caller === "admin" || caller === task.input.caller,
        () => new TaskNotFound({ taskId: id })
      )

    const submit = Effect.fnUntraced(
      function* (caller: string, message: Message) {
        if (message.taskId !== undefined) {
          const task = yield* owned(caller, message.taskId)
          return yield* rpcError(
            ErrorCode.UnsupportedOperation,
            `This operation is not supported: the task is ${task.state} and takes no further message; leave taskId out to start a new task`
          )
        }
        const text = TaskView.textOf(message)
        if (Option.isNone(text)) {
          return yield* rpcError(
            ErrorCode.ContentTypeNotSupported,
            "Content type not supported: this agent takes text parts only"
          )
        }
        const { contextId = "", messageId } = message
        return yield* runner.submit({ caller, messageId, contextId, text: text.value })
      },
      Effect.catchTags({
        MessageConflict: (conflict) =>
          Effect.fail(
            rpcError(ErrorCode.InvalidParams, "Invalid parameters", [
              { path: "message.messageId", message: conflict.message }
            ])
          ),
        TooManyTasks: (busy) =>
          Effect.fail(new Busy({ status: 429, retryAfter: busy.retryAfter, detail: busy.message })),
        Draining: (busy) => Effect.fail(new Busy({ status: 503, retryAfter: busy.retryAfter, detail: busy.message }))
      })
    )

    const send = Effect.fn("A2A.message/send")(function* (caller: string, params: Schema.Json | undefined) {
      const { configuration, message } = yield* decodeParams(methods["message/send"], params)
      const task = yield* submit(caller, message)
      if (configuration?.blocking === false) {
        return yield* encodeSend(
          TaskView.toTask(task, yield* runner.past(task.input.taskId), configuration.historyLength)
        )
      }
      const ended = yield* runner.result(task.input.taskId)
      return yield* encodeSend(TaskView.toAnswer(ended, yield* runner.past(task.input.taskId)))
    })

    const get = Effect.fn("A2A.tasks/get")(function* (caller: string, params: Schema.Json | undefined) {
      const { historyLength, id } = yield* decodeParams(methods["tasks/get"], params)
      const task = yield* owned(caller, id)
      return yield* encodeTask(TaskView.toTask(task, yield* runner.past(id), historyLength))
    })

    const cancel = Effect.fn("A2A.tasks/cancel")(function* (caller: string, params: Schema.Json | undefined) {
      const { id } = yield* decodeParams(methods["tasks/cancel"], params)
      yield* owned(caller, id)
      const task = yield* Effect.catchTag(runner.cancel(id), "TaskNotCancelable", (failure) =>
        Effect.fail(rpcError(ErrorCode.TaskNotCancelable, `Task cannot be canceled: it is ${failure.state}`))
      )
      return yield* encodeTask(TaskView.toTask(task, yield* runner.past(id)))
    })

    // The pieces of a run of a step after its first one are appended to it.
    const follow = (task: TaskRecord) =>
      runner.events(task.input.taskId, 0).pipe(
        Stream.mapAccum(
          () => new Map<string, number>(),
          (attempts, event: TaskEvent) => {
            const append = attempts.get(event.step) === event.attempt
            if (event.event._tag === "Output") attempts.set(event.step, event.attempt)
            return [attempts, [{ event, append }]] as const
          }
        ),
        Stream.mapEffect(({ append, event }) =>
          Effect.map(event.event._tag === "State" ? runner.get(task.input.taskId) : Effect.succeed(task), (now) =>
            TaskView.toStreamResult(now, event, append)
          )
        )
      )

    const stream = Effect.fn("A2A.message/stream")(function* (
      caller: string,
      id: JsonRpc.RequestId,
      params: Schema.Json | undefined
    ) {
      const { configuration, message } = yield* decodeParams(methods["message/stream"], params)
      const task = yield* submit(caller, message)
      const snapshot = TaskView.toTask(task, [], configuration?.historyLength)
      return Stream.make<[StreamResult]>(snapshot).pipe(
        Stream.concat(follow(task)),
        Stream.mapEffect(encodeStream),
        Stream.map((result) => JsonRpc.success(id, result)),
        Stream.catch((failure) =>
          Stream.fromEffect(
            Effect.as(
              Effect.logError(failure.message),
              JsonRpc.failure(
                id,
                rpcError(ErrorCode.InternalError, "Internal error: the stream broke off; ask with tasks/get")
              )
            )
          )
        )
      )
    })

    const dispatch = Effect.fnUntraced(
      function* (caller: string, { id = null, method, params }: typeof JsonRpc.Request.Type) {
        const single = (result: Schema.Json): RpcAnswer => ({
          _tag: "Single",
          response: JsonRpc.success(id, result),
          busy: undefined
        })
        switch (method) {
          case "message/send":
            return single(yield* send(caller, params))
          case "message/stream":
            return { _tag: "Streamed", responses: yield* stream(caller, id, params) } satisfies RpcAnswer
          case "tasks/get":
            return single(yield* get(caller, params))
          case "tasks/cancel":
            return single(yield* cancel(caller, params))
          default:
            return yield* rpcError(ErrorCode.MethodNotFound, "Method not found", {
              method,
              supported: Object.keys(methods)
            })
        }
      },
      Effect.catchTags({ TaskNotFound: notFound, TaskStoreError: storeFailed })
    )

    const parse = Effect.fnUntraced(function* (body: string) {
      const json = yield* Effect.mapError(Schema.decodeEffect(Schema.fromJsonString(Schema.Json))(body), () =>
        rpcError(ErrorCode.ParseError, "Invalid JSON payload")
      )
      return yield* Effect.mapError(Schema.decodeUnknownEffect(JsonRpc.Request)(json, { errors: "all" }), (failure) =>
        rpcError(ErrorCode.InvalidRequest, "Request payload validation error", issuesOf(failure))
      ).pipe(Effect.mapError((failure) => ({ failure, id: idOf(json) })))
    })

    return Effect.fn("A2A.rpc")(function* (caller: string, body: string) {
      const request = yield* Effect.result(parse(body))
      if (request._tag === "Failure") {
        const { failure, id } = "failure" in request.failure ? request.failure : { failure: request.failure, id: null }
        return { _tag: "Single", response: JsonRpc.failure(id, failure), busy: undefined } satisfies RpcAnswer
      }
      const id = request.success.id ?? null
      return yield* dispatch(caller, request.success).pipe(
        Effect.catchTags({
          RpcError: (failure) =>
            Effect.succeed<RpcAnswer>({ _tag: "Single", response: JsonRpc.failure(id, failure), busy: undefined }),
          Busy: (busy) =>
            Effect.succeed<RpcAnswer>({
              _tag: "Single",
              response: JsonRpc.failure(id, rpcError(ErrorCode.Busy, busy.detail, { retry_after: busy.retryAfter })),
              busy
            })
        })
      )
    })
  })

// The id of a request that is otherwise wrong, so that its sender can tell which one it was.
const idOf = (json: Schema.Json): JsonRpc.RequestId =>
  Predicate.hasProperty(json, "id") ? Option.getOrNull(Schema.decodeUnknownOption(JsonRpc.RequestId)(json.id)) : null
