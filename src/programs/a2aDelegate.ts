/**
 * What `a2a` says to the peers of a workspace: `delegate`, `status`.
 *
 * **Details**
 *
 * They speak through the platform, which says to the peer who calls, and in the words of A2A 0.3, which every peer knows.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Console from "effect/Console"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as AgentClientHttp from "../layers/a2a/AgentClientHttp.ts"
import type { A2AError } from "../services/a2a/A2AError.ts"
import type { AgentTask, SendAnswer } from "../services/a2a/AgentAnswer.ts"
import type { AgentCard } from "../services/a2a/AgentCard.ts"
import { AgentClient, type AgentFailure, type Connection } from "../services/a2a/AgentClient.ts"
import { textOf } from "../services/durable/Content.ts"
import { Credentials } from "../services/workspace/Credentials.ts"
import { PlatformConfig } from "../services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../services/workspace/WorkspaceId.ts"
import * as Agent from "./a2aAgent.ts"
import { milliseconds, type Parsed } from "./a2aArguments.ts"
import { WorkspaceCommandFailed } from "./a2aErrors.ts"
import * as Here from "./a2aHere.ts"
import { stateName } from "./a2aText.ts"

const failed = (message: string) => new WorkspaceCommandFailed({ message })

const addressOf = (platformUrl: string, peer: WorkspaceId) => `${platformUrl}/workspaces/${peer}/a2a`

const cardOf = (url: string): AgentCard => ({
  name: "peer",
  description: "",
  version: "",
  supportedInterfaces: [{ url, protocolBinding: "JSONRPC", protocolVersion: "0.3" }],
  capabilities: {},
  defaultInputModes: [],
  defaultOutputModes: [],
  skills: []
})

const decodeId = Schema.decodeUnknownOption(WorkspaceId)

const idOf = Effect.fnUntraced(function* (text: string) {
  const id = decodeId(text.trim().toLowerCase())
  return Option.isSome(id) ? id.value : yield* failed(`${text} is not the id of a workspace`)
})

const connect = Effect.fnUntraced(function* (peer: WorkspaceId, sendMillis: number) {
  const { platformUrl, workspaceId } = yield* PlatformConfig
  const token = yield* Effect.mapError(yield* Effect.map(Credentials, ({ load }) => load), ({ message }) =>
    failed(message)
  )
  return yield* Effect.flatMap(AgentClient, (client) =>
    client.connect(cardOf(addressOf(platformUrl, peer)), {
      send: sendMillis,
      answer: "30 seconds",
      headers: { "x-workspace-id": workspaceId },
      credentials: () =>
        Option.match(token, { onNone: () => [], onSome: (value) => [{ scheme: "bearer", token: value } as const] })
    })
  ).pipe(Effect.mapError((error) => failed(error.message)))
})

const describe = (peer: string) => (error: AgentFailure) =>
  failed(`${peer}: ${error.message}${error._tag === "A2AError" ? ` (${error.reason})` : ""}`)

// The answer is in the artifacts; an agent that has none may have said it with its status.
const answerOf = ({ artifacts = [], status }: AgentTask) => {
  const made = artifacts.map(({ parts }) => textOf(parts)).filter((text) => text !== "")
  const said = status.message === undefined ? "" : textOf(status.message.parts)
  return said === "" || (status.state === "TASK_STATE_COMPLETED" && made.length > 0) ? made.join("\n") : said
}

// The original's names: `input-required`.
const nameOf = ({ status: { state } }: AgentTask) => stateName(state).toLowerCase().replaceAll("_", "-")

const overloaded = (error: AgentFailure): error is A2AError =>
  error._tag === "A2AError" && /rate|overloaded/i.test(error.message)

// An agent that says that it has too much to do has done nothing: the same message may come again.
const sendOnceReady = Effect.fnUntraced(function* (connection: Connection, request: Parameters<Connection["send"]>[0]) {
  for (const seconds of [5, 10, 0]) {
    const answer = yield* Effect.result(connection.send(request))
    if (Result.isSuccess(answer)) return answer.success
    if (seconds === 0 || !overloaded(answer.failure)) return yield* answer.failure
    yield* Agent.note(`${answer.failure.message}; trying again in ${seconds} s`)
    yield* Effect.sleep(Duration.seconds(seconds))
  }
  return yield* Effect.die("the last attempt returns")
})

const settle = Effect.fnUntraced(function* (connection: Connection, first: AgentTask) {
  let task = first
  for (let looks = 0; !Agent.isSettled(task); looks++) {
    yield* Effect.sleep(Duration.millis(Math.min(200 * 1.5 ** looks, 2000)))
    const before = task.status.state
    task = yield* connection.getTask({ id: task.id })
    if (before !== task.status.state) yield* Agent.progress(`task ${task.id}: ${nameOf(task)}`)
  }
  return task
})

const showAnswer = Effect.fnUntraced(function* (peer: string, answer: SendAnswer) {
  if ("message" in answer) {
    // The original's agents say a failure in a message.
    const text = textOf(answer.message.parts)
    if (text.startsWith("Agent error:")) return yield* failed(`${peer}: ${text}`)
    return yield* Console.log(text || "(no response)")
  }
  const { task } = answer
  const text = answerOf(task)
  const name = nameOf(task)
  if (name === "failed" || name === "rejected" || name === "canceled") {
    return yield* failed(`${peer}: task ${task.id} is ${name}${text === "" ? "" : `: ${text}`}`)
  }
  if (name !== "completed") yield* Agent.note(`task ${task.id}: ${name}`)
  yield* Console.log(text || "(no response)")
})

const messageOf = Effect.fnUntraced(function* (text: string) {
  const messageId = yield* (yield* SecureRandom.SecureRandom).uuidV4()
  return { messageId, role: "ROLE_USER", parts: [{ text }] } as const
})

const delegateNow = Effect.fnUntraced(function* (peer: WorkspaceId, text: string, millis: number) {
  const connection = yield* connect(peer, millis)
  const known: Agent.Known = { taskId: undefined }
  const work = Effect.gen(function* () {
    const answer = yield* sendOnceReady(connection, { message: yield* messageOf(text) })
    if (!("task" in answer)) return answer
    known.taskId = answer.task.id
    return { task: yield* settle(connection, answer.task) }
  })
  const answer = yield* Agent.watched(work, () => `waiting for ${known.taskId ?? peer}`).pipe(
    Effect.mapError(describe(peer)),
    Effect.timeoutOrElse({
      duration: Duration.millis(millis),
      orElse: () =>
        Effect.suspend(() =>
          failed(
            `${peer}: no answer within ${Duration.format(Duration.millis(millis))}${known.taskId === undefined ? "" : `; ask with: a2a status ${peer} ${known.taskId}`}`
          )
        )
    })
  )
  yield* showAnswer(peer, answer)
})

/** The peer's own word on a task, within this time, or nothing certain. */
const asyncMillis = 10_000

const delegateAsync = Effect.fnUntraced(function* (peer: WorkspaceId, text: string) {
  const { platformUrl } = yield* PlatformConfig
  const target_url = addressOf(platformUrl, peer)
  const connection = yield* connect(peer, asyncMillis)
  const message = yield* messageOf(text)
  const answer = yield* connection.send({ message, configuration: { returnImmediately: true } }).pipe(
    Effect.asSome,
    Effect.catchTag("AgentTimeout", () => Effect.succeedNone),
    Effect.mapError(describe(peer)),
    Effect.timeoutOrElse({ duration: Duration.millis(asyncMillis + 500), orElse: () => Effect.succeedNone })
  )
  if (Option.isNone(answer)) {
    const uncertain = { task_id: null, message_id: message.messageId, target: peer, status: "uncertain" }
    return yield* Agent.noteJson({
      ...uncertain,
      note: "the peer has not answered in time; it may have taken the task"
    })
  }
  if ("task" in answer.value) {
    return yield* Agent.printJson({ task_id: answer.value.task.id, target: peer, status: "submitted", target_url })
  }
  const { parts, taskId } = answer.value.message
  yield* Agent.printJson({
    task_id: taskId ?? null,
    target: peer,
    status: "completed",
    target_url,
    response: textOf(parts)
  })
})

const delegate = Effect.fn("a2a.delegate")(function* ({ args, values }: Parsed) {
  const [target = "", ...words] = args
  const peer = yield* idOf(target)
  const text = words.join(" ")
  if (values.has("async")) return yield* delegateAsync(peer, text)
  const given = values.get("timeout")?.[0]
  const millis = given === undefined ? 300_000 : milliseconds(given)
  if (millis === undefined) return yield* failed(`--timeout must be a duration such as 90s or 5m; it is ${given}`)
  yield* delegateNow(peer, text, millis)
})

// What the peer says against it is an answer, too.
const status = Effect.fn("a2a.status")(function* ({ args }: Parsed) {
  const [target = "", taskId = ""] = args
  const peer = yield* idOf(target)
  const connection = yield* connect(peer, asyncMillis)
  const found = yield* Effect.result(connection.getTask({ id: taskId }))
  if (Result.isFailure(found)) {
    if (found.failure._tag !== "A2AError" || found.failure.reason === "UNAVAILABLE")
      return yield* describe(peer)(found.failure)
    return yield* Console.log(`Error: ${found.failure.message}`)
  }
  const task = found.success
  yield* Console.log(`Status: ${nameOf(task)}`)
  const text = answerOf(task)
  if (Agent.isSettled(task) && text !== "") yield* Console.log(text)
})

const Peers = AgentClientHttp.layer.pipe(
  Layer.provideMerge(Here.layer),
  Layer.provide(Here.http(false)),
  Layer.merge(NodeCrypto.layer)
)

/** Runs one of the two. */
export const run = (words: "delegate" | "status", parsed: Parsed) =>
  Effect.provide(words === "delegate" ? delegate(parsed) : status(parsed), Peers).pipe(Effect.mapError(Here.failure))
