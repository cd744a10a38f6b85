/**
 * The commands of the A2A project's command line: `card get`, `send`, `task …`, `config show`.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { A2AError } from "../services/a2a/A2AError.ts"
import { TaskState } from "../services/a2a/A2AProtocol.ts"
import type { AgentStreamItem, AgentTask, AgentTaskState, SendAnswer } from "../services/a2a/AgentAnswer.ts"
import { AgentCard } from "../services/a2a/AgentCard.ts"
import { AgentClient, type AgentStream, type Connection } from "../services/a2a/AgentClient.ts"
import * as Agent from "./a2aAgent.ts"
import type { Parsed } from "./a2aArguments.ts"
import { options } from "./a2aArguments.ts"
import { local } from "./a2aErrors.ts"
import * as Message from "./a2aMessage.ts"
import { metadata, natural, type Settings } from "./a2aSettings.ts"
import * as Text from "./a2aText.ts"

// For a shell.
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

// What is not a success is worth a word besides the result.
const warn = Effect.fnUntraced(function* ({ id, status: { state } }: AgentTask, settings: Settings) {
  const name = Text.stateName(state)
  if (state === "TASK_STATE_COMPLETED" || !Agent.isSettled({ id, status: { state } })) return
  yield* Agent.note(`task ${id}: ${name}`)
  if (state !== "TASK_STATE_INPUT_REQUIRED" && state !== "TASK_STATE_AUTH_REQUIRED") return
  const agent = settings.text("agent-card") ?? ""
  const line = `a2a send --agent-card ${quoted(agent)} --task-id ${quoted(id)} "<reply>"`
  yield* settings.json ? Agent.note(`to go on: ${line}`) : Agent.printText([Text.field("Resume", line)])
})

const showTask = Effect.fnUntraced(function* (task: AgentTask, settings: Settings, history: boolean) {
  yield* settings.json
    ? Agent.printJson(task)
    : Agent.printText(Text.task(task, { verbose: settings.verbose, history }))
  yield* warn(task, settings)
})

const showAnswer = Effect.fnUntraced(function* (answer: SendAnswer, settings: Settings) {
  if (settings.json) yield* Agent.printJson(answer)
  else if ("message" in answer) yield* Agent.printText(Text.message(answer.message, settings.verbose))
  else yield* Agent.printText(Text.task(answer.task, { verbose: settings.verbose, history: false }))
  if ("task" in answer) yield* warn(answer.task, settings)
})

interface Followed {
  readonly taskId: string | undefined
  readonly last: AgentStreamItem | undefined
  readonly state: AgentTaskState | undefined
}

const idsOf = (item: AgentStreamItem) => {
  if ("task" in item) return { taskId: item.task.id, state: item.task.status.state }
  if ("statusUpdate" in item) return { taskId: item.statusUpdate.taskId, state: item.statusUpdate.status.state }
  return { taskId: "artifactUpdate" in item ? item.artifactUpdate.taskId : item.message.taskId, state: undefined }
}

// Reads a stream to its end, and notes what it tells.
const follow = Effect.fnUntraced(function* <E, R>(
  stream: AgentStream,
  known: Agent.Known,
  each: (item: AgentStreamItem, state: AgentTaskState | undefined) => Effect.Effect<void, E, R>
) {
  let last: AgentStreamItem | undefined
  let state: AgentTaskState | undefined
  yield* Stream.runForEach(stream, ({ item }) => {
    const ids = idsOf(item)
    last = item
    state = ids.state ?? state
    known.taskId = ids.taskId ?? known.taskId
    return each(item, state)
  })
  const followed: Followed = { taskId: known.taskId, last, state }
  return followed
})

const showItem = (settings: Settings) => (item: AgentStreamItem, state: AgentTaskState | undefined) =>
  settings.json ? Agent.printJson(item) : Agent.printText(Text.streamItem(item, state, settings.verbose))

// The task by its stream, where that breaks by looking at it; then the task itself, whole.
const await_ = Effect.fnUntraced(function* (
  connection: Connection,
  stream: AgentStream | undefined,
  settings: Settings,
  known: Agent.Known,
  history?: number
) {
  if (stream === undefined) {
    return { task: yield* Agent.poll(connection, known.taskId ?? "", settings, { history, patient: true }) }
  }
  let told = false
  const followed = yield* Effect.result(
    follow(stream, known, (item, state) => {
      if (told || known.taskId === undefined || "message" in item) {
        return "statusUpdate" in item && state !== undefined
          ? Agent.progress(`${known.taskId ?? ""}: ${Text.stateName(state)}`)
          : Effect.void
      }
      told = true
      return Agent.note(`task ${known.taskId}`)
    })
  )
  if (Result.isFailure(followed)) {
    // What was refused is refused; what only broke can be looked at.
    if (known.taskId === undefined || followed.failure._tag === "A2AError") return yield* followed.failure
    yield* Effect.logDebug("the stream is of no use any more, polling", followed.failure)
    return { task: yield* Agent.poll(connection, known.taskId, settings, { history, patient: told }) }
  }
  const { last } = followed.success
  if (last !== undefined && "message" in last) return last
  return { task: yield* Agent.poll(connection, known.taskId ?? "", settings, { history, patient: true }) }
})

// Whether not to wait: `--wait` and `--stream` go before what is configured.
const isAsync = Effect.fnUntraced(function* ({ values }: Parsed, settings: Settings) {
  const waits = values.has("stream") || (values.has("wait") && settings.on("wait"))
  if (!settings.on("async")) return false
  if (!waits || !values.has("async")) return !waits
  return yield* local("USAGE", "--async does not wait, --stream and --wait do: only one of them", "a2a send --help")
})

const sends = Effect.fnUntraced(function* (parsed: Parsed, settings: Settings, known: Agent.Known) {
  const returnsAtOnce = yield* isAsync(parsed, settings)
  const message = yield* Message.make(parsed.parts, parsed.args, settings)
  const extra = yield* metadata(settings)
  const connection = yield* Agent.connect(settings)
  const request = { message, ...(extra !== undefined && { metadata: extra }) }
  const now = { ...request, configuration: { returnImmediately: true } }
  const canStream = connection.card.capabilities.streaming === true

  if (parsed.values.has("stream")) {
    if (canStream) {
      const { last } = yield* follow(connection.stream(request), known, showItem(settings))
      if (last !== undefined && "statusUpdate" in last) {
        yield* warn({ id: last.statusUpdate.taskId, status: last.statusUpdate.status }, settings)
      }
      return
    }
    yield* Agent.note("the agent does not stream; its task is looked at instead")
  }
  if (returnsAtOnce) return yield* showAnswer(yield* connection.send(now), settings)
  if (canStream && !parsed.values.has("stream")) {
    return yield* showAnswer(yield* await_(connection, connection.stream(request), settings, known), settings)
  }
  const first = yield* connection.send(now)
  if (!("task" in first) || Agent.isSettled(first.task)) return yield* showAnswer(first, settings)
  known.taskId = first.task.id
  if (parsed.values.has("stream")) yield* showItem(settings)(first, undefined)
  else yield* Agent.note(`task ${first.task.id}`)
  yield* showAnswer(yield* await_(connection, undefined, settings, known), settings)
})

/** `send`. */
export const send = Effect.fn("a2a.send")(function* (parsed: Parsed, settings: Settings) {
  // Of the task that it is for nothing is known until the agent has taken the message.
  const known: Agent.Known = { taskId: undefined }
  yield* Agent.inTime(sends(parsed, settings, known), settings, () => known.taskId ?? settings.text("task-id"))
})

/** `task get`. */
export const taskGet = Effect.fn("a2a.task.get")(function* ({ args }: Parsed, settings: Settings) {
  const [taskId = ""] = args
  const history = yield* natural(settings, "history")
  const connection = yield* Agent.connect(settings)
  const task = settings.on("wait")
    ? yield* Agent.inTime(Agent.poll(connection, taskId, settings, { history }), settings, () => taskId)
    : yield* connection.getTask({ id: taskId, ...(history !== undefined && { historyLength: history }) })
  yield* showTask(task, settings, history !== undefined)
})

/** `task cancel`. */
export const taskCancel = Effect.fn("a2a.task.cancel")(function* ({ args }: Parsed, settings: Settings) {
  const [id = ""] = args
  const extra = yield* metadata(settings)
  const connection = yield* Agent.connect(settings)
  yield* showTask(
    yield* connection.cancelTask({ id, ...(extra !== undefined && { metadata: extra }) }),
    settings,
    false
  )
})

const isState = Schema.is(TaskState)

/** `task list`. */
export const taskList = Effect.fn("a2a.task.list")(function* (parsed: Parsed, settings: Settings) {
  const asked = settings.text("status")
  const status =
    asked === undefined
      ? undefined
      : `TASK_STATE_${asked
          .replace(/^TASK_STATE_/i, "")
          .replaceAll("-", "_")
          .toUpperCase()}`
  if (status !== undefined && !isState(status)) return yield* local("USAGE", `--status is no state of a task: ${asked}`)
  const contextId = settings.text("context-id")
  const pageToken = settings.text("page-token")
  const pageSize = yield* natural(settings, "page-size")
  const historyLength = yield* natural(settings, "history")
  if (pageSize !== undefined && (pageSize < 1 || pageSize > 100))
    return yield* local("USAGE", "--page-size is 1 to 100")
  const connection = yield* Agent.connect(settings)
  const page = yield* connection.listTasks({
    includeArtifacts: true,
    ...(status !== undefined && { status }),
    ...(contextId !== undefined && { contextId }),
    ...(pageToken !== undefined && { pageToken }),
    ...(pageSize !== undefined && { pageSize }),
    ...(historyLength !== undefined && { historyLength })
  })
  if (settings.json) {
    if (!parsed.values.has("stream")) return yield* Agent.printJson(page)
    return yield* Effect.forEach(page.tasks, Agent.printJson, { discard: true })
  }
  const lines = page.tasks.flatMap((task) =>
    Text.task(task, { verbose: settings.verbose, history: historyLength !== undefined })
  )
  yield* Agent.printText([
    ...lines,
    Text.field("Tasks", `${page.tasks.length} of ${page.totalSize}`),
    Text.field("Next page", page.nextPageToken)
  ])
})

/** `task subscribe`. */
export const taskSubscribe = Effect.fn("a2a.task.subscribe")(function* (parsed: Parsed, settings: Settings) {
  const [taskId = ""] = parsed.args
  const history = yield* natural(settings, "history")
  const known = { taskId }
  const run = Effect.gen(function* () {
    const connection = yield* Agent.connect(settings)
    const canStream = connection.card.capabilities.streaming === true
    if (!canStream) yield* Agent.note("the agent does not stream; its task is looked at instead")
    if (canStream && parsed.values.has("stream")) {
      const { last } = yield* follow(connection.subscribe(taskId), known, showItem(settings))
      if (last === undefined || !("statusUpdate" in last)) return
      return yield* warn({ id: taskId, status: last.statusUpdate.status }, settings)
    }
    const stream = canStream ? connection.subscribe(taskId) : undefined
    const end = yield* await_(connection, stream, settings, known, history)
    if (!("task" in end) || parsed.values.has("stream")) return yield* showAnswer(end, settings)
    yield* showTask(end.task, settings, history !== undefined)
  })
  yield* Agent.inTime(run, settings, () => taskId)
})

// As strict as what we would publish ourselves.
const strict = Schema.decodeUnknownResult(AgentCard, { errors: "all" })

const extended = ({ card, extendedCard }: Connection) =>
  card.capabilities.extendedAgentCard === true
    ? extendedCard
    : Effect.fail(
        new A2AError({ reason: "UNSUPPORTED_OPERATION", message: "the agent's card promises no extended one" })
      )

/** `card get`. */
export const cardGet = Effect.fn("a2a.card.get")(function* (_: Parsed, settings: Settings) {
  const reference = yield* Agent.referenceOf(settings)
  const card = settings.on("extended")
    ? yield* extended(yield* Agent.connect(settings))
    : typeof reference === "string"
      ? yield* (yield* AgentClient).card(reference)
      : reference
  const valid = settings.on("validate") ? strict(card) : undefined
  if (valid !== undefined && Result.isFailure(valid)) return yield* local("CARD_INVALID", valid.failure.message)
  if (settings.json) return yield* Agent.printJson(card)
  yield* Agent.printText([...Text.card(card), ...(valid === undefined ? [] : [Text.field("Valid", "yes")])])
})

/** `config show`: each setting's value and where it comes from; secrets stay secret. */
export const configShow = Effect.fn("a2a.config.show")(function* (_: Parsed, settings: Settings) {
  const shown = options.flatMap(({ name, secret }) => {
    const setting = settings.all.get(name)
    if (setting === undefined) return []
    return [{ name, value: secret === true ? "(hidden)" : setting.values.join(","), source: setting.source }]
  })
  yield* settings.json
    ? Agent.printJson(shown)
    : Agent.printText(shown.map(({ name, source, value }) => Text.field(name, `${value} (${source})`)))
})
