/**
 * The operations of A2A on durable tasks.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { A2AError, taskNotFound } from "../../services/a2a/A2AError.ts"
import { A2AOperations, type Call, type Events, type Streamed } from "../../services/a2a/A2AOperations.ts"
import type * as P from "../../services/a2a/A2AProtocol.ts"
import { PushConfigs } from "../../services/a2a/PushConfigs.ts"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { answerParts } from "../../services/durable/AgentTask.ts"
import { type Message, textOf } from "../../services/durable/Content.ts"
import * as Cursor from "../../services/durable/Cursor.ts"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { isSettled, isTerminal, type TaskRecord } from "../../services/durable/TaskStore.ts"
import { spanIfTraced } from "../tracing/spanIfTraced.ts"
import * as ListToken from "./listToken.ts"
import * as MediaTypes from "./mediaTypes.ts"
import * as OperationErrors from "./operationErrors.ts"
import * as TaskItems from "./taskItems.ts"
import * as TaskSnapshot from "./taskSnapshot.ts"

/** Who may see the tasks of everybody. */
const admin = "admin"

const defaultPageSize = 50

const isPlainText = ({ extensions, metadata, parts, referenceTaskIds }: Message) =>
  extensions === undefined &&
  metadata === undefined &&
  referenceTaskIds === undefined &&
  parts.every((part) => "text" in part && Object.keys(part).length === 1) &&
  parts.length === 1

const hasEmptyText = ({ parts }: Message) => parts.every((part) => "text" in part && part.text === "")

const submissionOf = (caller: string, message: Message) => ({
  caller,
  messageId: message.messageId,
  contextId: message.contextId ?? "",
  text: textOf(message.parts),
  ...(isPlainText(message) ? undefined : { message })
})

const make = Effect.gen(function* () {
  const runner = yield* TaskRunner
  const executor = yield* AgentExecutor
  const push = yield* PushConfigs
  const { follow } = TaskItems.make(runner)
  const inputModes = executor.inputModes ?? MediaTypes.textOnly

  const owned = Effect.fnUntraced(function* (caller: string, taskId: string) {
    const task = yield* runner.get(taskId)
    return caller === admin || caller === task.input.caller ? task : yield* taskNotFound(taskId)
  })

  const snapshot = Effect.fnUntraced(function* (task: TaskRecord, wanted?: TaskSnapshot.Wanted) {
    return TaskSnapshot.toTask(task, yield* runner.past(task.input.taskId), wanted)
  })

  const checkContent = (message: Message) => {
    const index = message.parts.findIndex((part) => !MediaTypes.accepts(inputModes, MediaTypes.of(part)))
    const part = message.parts[index]
    if (part === undefined) return Effect.void
    return Effect.fail(
      new A2AError({
        reason: "CONTENT_TYPE_NOT_SUPPORTED",
        message: `Content type not supported: part ${index} is ${MediaTypes.of(part)}, and this agent takes ${inputModes.join(", ")}`,
        metadata: { mediaType: MediaTypes.of(part) }
      })
    )
  }

  // A message to a task that there is.
  const followUp = Effect.fnUntraced(function* (caller: string, taskId: string, message: Message) {
    const task = yield* owned(caller, taskId)
    const contextId = TaskSnapshot.contextOf(task.input)
    if (message.contextId !== undefined && message.contextId !== contextId) {
      return yield* OperationErrors.invalid("message.contextId", "the task belongs to another context")
    }
    // A message that the task has is no further one, whatever has become of the task.
    return yield* runner.receive(taskId, { ...message, contextId, taskId })
  })

  const submit = Effect.fnUntraced(function* ({ caller, version }: Call, request: P.SendMessageRequest) {
    const { configuration, message } = request
    yield* checkContent(message)
    if (hasEmptyText(message)) {
      return yield* OperationErrors.invalid(
        "message.parts",
        "the message says nothing: give at least one part with content"
      )
    }
    const task =
      message.taskId === undefined
        ? yield* runner.submit(submissionOf(caller, message))
        : yield* followUp(caller, message.taskId, message)
    const config = configuration?.taskPushNotificationConfig
    if (config !== undefined) {
      // Of a task that there was before, what it said is known.
      const after = message.taskId === undefined ? { after: 0 } : undefined
      yield* push.set(task.input.taskId, config, { version, ...after })
    }
    return task
  })

  const repliesTo = (caller: string, message: Message) =>
    message.taskId === undefined && executor.replies?.({ ...submissionOf(caller, message), taskId: "" }) === true

  const reply = (task: TaskRecord): P.SendMessageResponse | undefined => {
    const [first, ...others] = task.output === undefined ? [] : answerParts(task.output)
    return first === undefined
      ? undefined
      : { message: TaskSnapshot.agentMessage(task.input, "answer", [first, ...others]) }
  }

  // Who speaks 0.3 reads an answer of text from a message: so do the original runtime and its clients.
  const saysItAll = Effect.fnUntraced(function* ({ version }: Call, { input, output, state }: TaskRecord) {
    if (version !== "0.3" || state !== "completed" || output === undefined || output.parts !== undefined) return false
    const past = yield* runner.past(input.taskId)
    return !past.some(({ event }) => event._tag === "Artifact")
  })

  const sendMessage = Effect.fnUntraced(function* (call: Call, request: P.SendMessageRequest) {
    const { historyLength, returnImmediately = false } = request.configuration ?? {}
    const task = yield* submit(call, request)
    const direct = request.message.taskId === undefined && executor.replies?.(task.input) === true
    if (returnImmediately && !direct) return { task: yield* snapshot(task, { historyLength }) }
    const now = isSettled(task.state) ? task : yield* runner.settled(task.input.taskId)
    const answer = direct || (yield* saysItAll(call, now)) ? reply(now) : undefined
    return answer ?? { task: yield* snapshot(now, { historyLength }) }
  })

  // The task as it stands and what follows; where it has already ended, that is all there is.
  const live = Effect.fnUntraced(function* (task: TaskRecord, historyLength?: number) {
    const { taskId } = task.input
    const before = yield* runner.get(taskId)
    const past = yield* runner.past(taskId)
    // What it has become while its events were read: told by an event that follows, unless that is among these already.
    const after = yield* runner.get(taskId)
    const now = TaskItems.lastState(past) === after.state ? after : before
    const cursor = { epoch: runner.epoch, sequence: past.at(-1)?.sequence ?? 0 }
    const item = { task: TaskSnapshot.toTask(now, past, { historyLength }) }
    const first: Streamed = { cursor: Cursor.format(cursor), item }
    const ended = isTerminal(now.state)
    const stream = ended ? Stream.succeed(first) : Stream.concat(Stream.succeed(first), follow(now, cursor))
    return { ended, state: now.state, stream }
  })

  // The task as it began and all that it has said: the same for a message that is sent again, whenever that is.
  const fromStart = (task: TaskRecord, historyLength?: number) => {
    const cursor = { epoch: runner.epoch, sequence: 0 }
    const item = { task: TaskSnapshot.toTask(TaskSnapshot.asItBegan(task), [], { historyLength }) }
    const first: Streamed = { cursor: Cursor.format(cursor), item }
    return Stream.concat(Stream.succeed(first), follow(task, cursor))
  }

  const after = (call: Call) =>
    call.lastEventId === undefined
      ? Effect.succeedNone
      : Effect.asSome(Cursor.parse("Last-Event-ID", call.lastEventId)).pipe(
          Effect.catch((error) => OperationErrors.invalid(error.field, error.message))
        )

  const events = (stream: Stream.Stream<Streamed, OperationErrors.Failure>): Events =>
    Stream.mapError(stream, OperationErrors.toA2A)

  const streamMessage = Effect.fnUntraced(function* (call: Call, request: P.SendMessageRequest) {
    const { caller } = call
    const cursor = yield* after(call)
    const task = yield* submit(call, request)
    if (Option.isSome(cursor)) return events(follow(task, cursor.value))
    if (repliesTo(caller, request.message)) {
      const answer = reply(yield* runner.settled(task.input.taskId))
      if (answer !== undefined) return events(Stream.succeed({ item: answer }))
    }
    const { historyLength } = request.configuration ?? {}
    const isNew = request.message.taskId === undefined
    return events(isNew ? fromStart(task, historyLength) : (yield* live(task, historyLength)).stream)
  })

  const subscribe = Effect.fnUntraced(function* (call: Call, { id }: P.SubscribeToTaskRequest) {
    const cursor = yield* after(call)
    const task = yield* owned(call.caller, id)
    // Who lost its connection is told how the task ended; who comes anew asks for the task.
    if (Option.isSome(cursor)) return events(follow(task, cursor.value))
    const { ended, state, stream } = yield* live(task)
    if (!ended) return events(stream)
    return yield* new A2AError({
      reason: "UNSUPPORTED_OPERATION",
      message: `This operation is not supported: the task is ${state} and says nothing more; get it instead`,
      metadata: { taskId: id }
    })
  })

  const listTasks = Effect.fnUntraced(function* ({ caller }: Call, request: P.ListTasksRequest) {
    const { contextId, historyLength, includeArtifacts = false, pageSize = defaultPageSize, pageToken = "" } = request
    const { status, statusTimestampAfter } = request
    const token = pageToken === "" ? undefined : ListToken.read(pageToken)
    if (pageToken !== "" && token === undefined) {
      return yield* OperationErrors.invalid("pageToken", "give the nextPageToken of the page before, as it came")
    }
    const since = statusTimestampAfter === undefined ? undefined : Date.parse(statusTimestampAfter)
    if (since !== undefined && Number.isNaN(since)) {
      return yield* OperationErrors.invalid("statusTimestampAfter", "there is no such time")
    }
    const { tasks, total } = yield* runner.list({
      ...(caller === admin ? undefined : { caller }),
      ...(contextId === undefined || contextId === "" ? undefined : { contextId }),
      ...(status === undefined ? undefined : { state: TaskSnapshot.stateOf(status) }),
      ...(since === undefined ? undefined : { since }),
      ...(token === undefined ? undefined : { after: token }),
      // One more tells whether there is another page.
      limit: pageSize + 1
    })
    const page = tasks.slice(0, pageSize)
    const last = tasks.length > pageSize ? page.at(-1) : undefined
    return {
      tasks: yield* Effect.forEach(page, (task) => snapshot(task, { historyLength, artifacts: includeArtifacts })),
      nextPageToken:
        last === undefined
          ? ""
          : ListToken.write({ updatedAt: DateTime.toEpochMillis(last.updatedAt), taskId: last.input.taskId }),
      pageSize,
      totalSize: total
    }
  })

  const configNotFound = (taskId: string, id: string) =>
    new A2AError({
      reason: "TASK_NOT_FOUND",
      message: "Push notification configuration not found",
      metadata: { taskId, pushNotificationConfigId: id }
    })

  return A2AOperations.of({
    sendMessage: (call, request) => spanIfTraced("A2A.sendMessage", OperationErrors.mapped(sendMessage(call, request))),
    streamMessage: (call, request) =>
      spanIfTraced("A2A.streamMessage", OperationErrors.mapped(streamMessage(call, request))),
    getTask: Effect.fn("A2A.getTask")(function* ({ caller }, { historyLength, id }) {
      return yield* snapshot(yield* owned(caller, id), { historyLength })
    }, OperationErrors.mapped),
    listTasks: Effect.fn("A2A.listTasks")((call, request) => OperationErrors.mapped(listTasks(call, request))),
    cancelTask: Effect.fn("A2A.cancelTask")(function* ({ caller }, { id }) {
      yield* owned(caller, id)
      return yield* snapshot(yield* runner.cancel(id))
    }, OperationErrors.mapped),
    subscribe: Effect.fn("A2A.subscribe")((call, request) => OperationErrors.mapped(subscribe(call, request))),
    createPushConfig: Effect.fn("A2A.createPushConfig")(function* ({ caller, version }, config) {
      const { taskId } = config
      if (taskId === undefined) return yield* OperationErrors.invalid("taskId", "say which task it is for")
      yield* owned(caller, taskId)
      return yield* push.set(taskId, config, { version })
    }, OperationErrors.mapped),
    getPushConfig: Effect.fn("A2A.getPushConfig")(function* ({ caller }, { id, taskId }) {
      yield* owned(caller, taskId)
      const found = yield* push.get(taskId, id)
      return Option.isSome(found) ? found.value : yield* configNotFound(taskId, id)
    }, OperationErrors.mapped),
    listPushConfigs: Effect.fn("A2A.listPushConfigs")(function* ({ caller }, { taskId }) {
      yield* owned(caller, taskId)
      return { configs: yield* push.list(taskId), nextPageToken: "" }
    }, OperationErrors.mapped),
    deletePushConfig: Effect.fn("A2A.deletePushConfig")(function* ({ caller }, { id, taskId }) {
      yield* owned(caller, taskId)
      yield* push.remove(taskId, id)
    }, OperationErrors.mapped)
  })
})

/** The operations on the task runner in context: what they answer is on disk where the runner's is. */
export const layer = Layer.effect(A2AOperations, make)
