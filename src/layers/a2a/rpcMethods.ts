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
import { type Message, metadataKey, methods, SendResult, StreamResult, Task } from "../../services/a2a/Protocol.ts"
import * as Cursor from "../../services/durable/Cursor.ts"
import { JournalUnavailable } from "../../services/durable/Journal.ts"
import { TaskNotFound, TaskRunner } from "../../services/durable/TaskRunner.ts"
import { isTerminal, type TaskStoreError } from "../../services/durable/TaskStore.ts"
import * as TaskStream from "./taskStream.ts"
import * as TaskView from "./taskView.ts"

/** What comes in: who calls, the body's text, and the header `Last-Event-ID`, if it is there. */
export interface RpcCall {
  readonly caller: string
  readonly body: string
  readonly lastEventId: string | undefined
}

/** One answer of a stream; `cursor` is where the stream stands after it. An error has none. */
export interface StreamedResponse {
  readonly cursor: Cursor.Cursor | undefined
  readonly response: JsonRpc.Response
}

/** What goes back: one answer, which may be a refusal that the HTTP status tells too, or a stream of them. */
export type RpcAnswer =
  | { readonly _tag: "Single"; readonly response: JsonRpc.Response; readonly busy: Busy | undefined }
  | { readonly _tag: "Streamed"; readonly responses: Stream.Stream<StreamedResponse> }

/** Not an error of the request: there is too much to do, nothing can be kept, or the workspace is shutting down. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", {
  status: Schema.Literals([429, 503]),
  /** Seconds. */
  retryAfter: Schema.Int,
  detail: Schema.String,
  /** Why nothing can be kept. */
  reason: Schema.optionalKey(JournalUnavailable.fields.reason)
}) {}

/** What a sender is told to wait while nothing can be kept, in seconds. */
const unavailableRetryAfter = 5

const unavailableReasons = {
  full: "the disk is full",
  readonly: "the disk is read-only",
  failed: "the disk fails"
} as const

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

// The header is what a browser sets by itself when it connects again, and so is newer than what the body says.
const cursorOf = (metadata: Readonly<Record<string, Schema.Json>> | undefined, lastEventId: string | undefined) => {
  const written = metadata?.[metadataKey.cursor]
  const given =
    lastEventId !== undefined && lastEventId !== ""
      ? Cursor.parse("Last-Event-ID", lastEventId)
      : written === undefined
        ? undefined
        : Cursor.parse(`metadata.${metadataKey.cursor}`, written)
  return given === undefined
    ? Effect.succeedNone
    : Effect.mapError(Effect.asSome(given), (failure) =>
        rpcError(ErrorCode.InvalidParams, "Invalid parameters", [{ path: failure.field, message: failure.message }])
      )
}

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

/** Makes the handler: a call in, the answer out. It never fails. */
export const make: Effect.Effect<(call: RpcCall) => Effect.Effect<RpcAnswer>, never, TaskRunner> = Effect.gen(
  function* () {
    const runner = yield* TaskRunner
    const { at, follow } = TaskStream.make(runner)

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
        // Not "task not found", after which a client would send the message again.
        MessageForgotten: ({ message: detail }) =>
          Effect.fail(
            rpcError(ErrorCode.InvalidParams, "Invalid parameters", [{ path: "message.messageId", message: detail }])
          ),
        // The cause is in the log, with the file's path, which is nobody's business outside.
        JournalUnavailable: ({ reason, remedy }) =>
          Effect.fail(
            new Busy({
              status: 503,
              retryAfter: unavailableRetryAfter,
              detail: `the message is not taken, since nothing can be kept now (${unavailableReasons[reason]}): ${remedy}`,
              reason
            })
          ),
        TooManyTasks: (busy) =>
          Effect.fail(new Busy({ status: 429, retryAfter: busy.retryAfter, detail: busy.message })),
        Draining: (busy) => Effect.fail(new Busy({ status: 503, retryAfter: busy.retryAfter, detail: busy.message })),
        NotConfirmed: (busy) =>
          Effect.fail(new Busy({ status: 503, retryAfter: busy.retryAfter, detail: busy.message }))
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

    const answers = (
      id: JsonRpc.RequestId,
      results: Stream.Stream<TaskStream.Streamed, TaskNotFound | TaskStoreError>
    ): RpcAnswer => ({
      _tag: "Streamed",
      responses: results.pipe(
        Stream.mapEffect(({ cursor, result }) =>
          Effect.map(encodeStream(result), (json) => ({ cursor, response: JsonRpc.success(id, json) }))
        ),
        Stream.catch((failure) =>
          Stream.fromEffect(
            Effect.as(Effect.logError(failure.message), {
              cursor: undefined,
              response: JsonRpc.failure(
                id,
                rpcError(
                  ErrorCode.InternalError,
                  "Internal error: the stream broke off; ask with tasks/get, or resume it with tasks/resubscribe"
                )
              )
            })
          )
        )
      )
    })

    const stream = Effect.fn("A2A.message/stream")(function* (
      { caller, lastEventId }: RpcCall,
      id: JsonRpc.RequestId,
      params: Schema.Json | undefined
    ) {
      const { configuration, message, metadata } = yield* decodeParams(methods["message/stream"], params)
      const cursor = yield* cursorOf(metadata, lastEventId)
      const task = yield* submit(caller, message)
      if (Option.isSome(cursor)) return answers(id, follow(task, cursor.value))
      const snapshot = TaskView.toTask(task, [], configuration?.historyLength)
      return answers(
        id,
        Stream.concat(Stream.succeed<TaskStream.Streamed>({ cursor: at(0), result: snapshot }), follow(task, "start"))
      )
    })

    const resubscribe = Effect.fn("A2A.tasks/resubscribe")(function* (
      { caller, lastEventId }: RpcCall,
      id: JsonRpc.RequestId,
      params: Schema.Json | undefined
    ) {
      const { id: taskId, metadata } = yield* decodeParams(methods["tasks/resubscribe"], params)
      const cursor = yield* cursorOf(metadata, lastEventId)
      const known = yield* owned(caller, taskId)
      if (Option.isSome(cursor)) return answers(id, follow(known, cursor.value))
      // The events before the record: an end that comes between the two is still told, after the snapshot.
      const past = yield* runner.past(taskId)
      const task = yield* runner.get(taskId)
      if (isTerminal(task.state)) {
        return yield* rpcError(
          ErrorCode.UnsupportedOperation,
          `This operation is not supported: the task is ${task.state} and says no more; ask with tasks/get, or give the id of the last event that was received as Last-Event-ID`
        )
      }
      const stands = at(past.at(-1)?.sequence ?? 0)
      return answers(
        id,
        Stream.concat(
          Stream.succeed<TaskStream.Streamed>({ cursor: stands, result: TaskView.toTask(task, past) }),
          follow(task, stands)
        )
      )
    })

    const dispatch = Effect.fnUntraced(
      function* (call: RpcCall, { id = null, method, params }: typeof JsonRpc.Request.Type) {
        const { caller } = call
        const single = (result: Schema.Json): RpcAnswer => ({
          _tag: "Single",
          response: JsonRpc.success(id, result),
          busy: undefined
        })
        switch (method) {
          case "message/send":
            return single(yield* send(caller, params))
          case "message/stream":
            return yield* stream(call, id, params)
          case "tasks/resubscribe":
            return yield* resubscribe(call, id, params)
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

    return Effect.fn("A2A.rpc")(function* (call: RpcCall) {
      const request = yield* Effect.result(parse(call.body))
      if (request._tag === "Failure") {
        const { failure, id } = "failure" in request.failure ? request.failure : { failure: request.failure, id: null }
        return { _tag: "Single", response: JsonRpc.failure(id, failure), busy: undefined } satisfies RpcAnswer
      }
      const id = request.success.id ?? null
      return yield* dispatch(call, request.success).pipe(
        Effect.catchTags({
          RpcError: (failure) =>
            Effect.succeed<RpcAnswer>({ _tag: "Single", response: JsonRpc.failure(id, failure), busy: undefined }),
          Busy: (busy) =>
            Effect.succeed<RpcAnswer>({
              _tag: "Single",
              response: JsonRpc.failure(
                id,
                rpcError(ErrorCode.Busy, busy.detail, {
                  retry_after: busy.retryAfter,
                  ...(busy.reason === undefined ? undefined : { reason: busy.reason })
                })
              ),
              busy
            })
        })
      )
    })
  }
)

// The id of a request that is otherwise wrong, so that its sender can tell which one it was.
const idOf = (json: Schema.Json): JsonRpc.RequestId =>
  Predicate.hasProperty(json, "id") ? Option.getOrNull(Schema.decodeUnknownOption(JsonRpc.RequestId)(json.id)) : null
