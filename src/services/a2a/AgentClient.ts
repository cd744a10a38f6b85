/**
 * Talking to an agent anywhere over A2A: its card, its operations, its streams.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { A2AError } from "./A2AError.ts"
import type { AgentCard, AgentInterface } from "./AgentCard.ts"
import type { AgentStreamItem, AgentTask, AgentTaskPage, SendAnswer } from "./AgentAnswer.ts"
import type * as P from "./A2AProtocol.ts"

/** The agent could not be reached, or the connection to it broke. */
export class AgentUnreachable extends Schema.TaggedError<AgentUnreachable>()("AgentUnreachable", {
  url: Schema.String,
  detail: Schema.String,
  /** Whether the agent may have received the request. */
  sent: Schema.Boolean
}) {
  override get message() {
    return `${this.url} cannot be reached: ${this.detail}`
  }
}

/** The agent did not answer in time; it may still be working. */
export class AgentTimeout extends Schema.TaggedError<AgentTimeout>()("AgentTimeout", {
  url: Schema.String,
  seconds: Schema.Finite
}) {
  override get message() {
    return `${this.url} has not answered within ${this.seconds} s`
  }
}

/** The agent answered something that is not A2A, or more than the limit. */
export class InvalidAgentResponse extends Schema.TaggedError<InvalidAgentResponse>()("InvalidAgentResponse", {
  url: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the answer of ${this.url} cannot be used: ${this.detail}`
  }
}

/** The agent, or what stands before it, wants (other) credentials. */
export class AgentUnauthorized extends Schema.TaggedError<AgentUnauthorized>()("AgentUnauthorized", {
  url: Schema.String,
  /** HTTP's, 401 or 403. */
  status: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `${this.url} refused the credentials (HTTP ${this.status}): ${this.detail}`
  }
}

/** There is no agent card where one was looked for. */
export class AgentCardNotFound extends Schema.TaggedError<AgentCardNotFound>()("AgentCardNotFound", {
  url: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `no agent card at ${this.url}: ${this.detail}`
  }
}

/** What is at the place of the agent card is none. */
export class AgentCardInvalid extends Schema.TaggedError<AgentCardInvalid>()("AgentCardInvalid", {
  url: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the agent card at ${this.url} is not valid: ${this.detail}`
  }
}

/** The card offers no interface that the client may use. */
export class NoCommonInterface extends Schema.TaggedError<NoCommonInterface>()("NoCommonInterface", {
  /** As in `GRPC 1.0`. */
  offered: Schema.Array(Schema.String),
  wanted: Schema.Array(Schema.String),
  /** There is a transport that both know, in versions of which none is wanted. */
  versionOnly: Schema.Boolean
}) {
  override get message() {
    return `the agent offers ${this.offered.join(", ") || "no interface"}; wanted is ${this.wanted.join(", ")}`
  }
}

/** Why an operation of a {@link Connection} has no result. */
export type AgentFailure = A2AError | AgentUnreachable | AgentTimeout | InvalidAgentResponse | AgentUnauthorized

/** Why there is no {@link Connection}. */
export type ConnectFailure =
  | AgentUnreachable
  | AgentTimeout
  | AgentUnauthorized
  | AgentCardNotFound
  | AgentCardInvalid
  | NoCommonInterface

/** A protocol binding that the client has. */
export type Transport = "JSONRPC" | "HTTP+JSON"

/** What proves to the agent who calls. It goes to the interface's origin only, and along no redirect to another. */
export type Credential =
  | { readonly scheme: "bearer"; readonly token: Redacted.Redacted }
  | { readonly scheme: "basic"; readonly username: string; readonly password: Redacted.Redacted }
  | {
      readonly scheme: "apiKey"
      readonly in: "header" | "query" | "cookie"
      readonly name: string
      readonly key: Redacted.Redacted
    }

/** How long, how much, how often. */
export interface Limits {
  /** For an answer that the agent has at hand: a card, a task, a cancellation. */
  readonly answer: Duration.Input
  /** For the answer to a message, which may take as long as its task. */
  readonly send: Duration.Input
  /** For the next sign of life on a stream; then it counts as broken, and is taken up again. */
  readonly idle: Duration.Input
  /** Bytes of an answer, and of an event of a stream. */
  readonly bytes: number
  /** How often a request is repeated, or a broken stream taken up, in vain. */
  readonly retries: number
}

/**
 * How to talk to an agent.
 *
 * - `transports`: those that are preferred, best first; otherwise (and where the card has none of them) the card's order.
 * - `version`: signalled with each request and looked for on the card, as in `1.0`. If not given, the highest that both
 *   know, down to `lowest`; 0.3, which has no such signal, then goes without.
 * - `headers`: further service parameters. They are taken for secrets: other origins do not get them.
 * - `extensions`: URIs of those to activate, as far as the card declares them. The one for resumption always is.
 * - `resend`: whether a message whose answer was lost is sent again, with the same `messageId`. Agents need not notice.
 */
export interface ConnectOptions extends Partial<Limits> {
  readonly transports?: ReadonlyArray<Transport>
  readonly version?: string | undefined
  readonly lowest?: "0.3" | "1.0"
  /** Given the card, since its security schemes say where a key belongs. */
  readonly credentials?: (card: AgentCard) => ReadonlyArray<Credential>
  readonly headers?: Readonly<Record<string, string>>
  readonly extensions?: ReadonlyArray<string>
  readonly resend?: boolean
}

/** An item of a stream; `cursor` is where to take it up again, where the agent gives any. */
export interface AgentStreamed {
  readonly cursor?: string
  readonly item: AgentStreamItem
}

/**
 * A stream of events.
 *
 * **Details**
 *
 * It ends when the task has ended or needs something, or with a message. Until then it survives broken connections: it
 * goes on behind the last event where the agent can do that (`streamResumption`); otherwise what was missed is taken from
 * the task as it is then, as updates that bring exactly what is new.
 */
export type AgentStream = Stream.Stream<AgentStreamed, AgentFailure>

type Without<R> = Omit<R, "tenant">

/** One agent, over one of its interfaces. The interface's `tenant` is put into each request. */
export interface Connection {
  readonly card: AgentCard
  readonly interface: AgentInterface
  /** Waits until the task ends or needs something, unless `returnImmediately`. */
  readonly send: (request: Without<P.SendMessageRequest>) => Effect.Effect<SendAnswer, AgentFailure>
  /** Without the card's `streaming` it is `send`, as a stream of one. */
  readonly stream: (request: Without<P.SendMessageRequest>) => AgentStream
  readonly getTask: (request: Without<P.GetTaskRequest>) => Effect.Effect<AgentTask, AgentFailure>
  readonly listTasks: (request: Without<P.ListTasksRequest>) => Effect.Effect<AgentTaskPage, AgentFailure>
  readonly cancelTask: (request: Without<P.CancelTaskRequest>) => Effect.Effect<AgentTask, AgentFailure>
  /** Begins with the task, or with what came after the cursor. Of a task that has ended, the task is all. */
  readonly subscribe: (taskId: string, after?: string) => AgentStream
  readonly createPushConfig: (
    config: Without<P.TaskPushNotificationConfig>
  ) => Effect.Effect<P.TaskPushNotificationConfig, AgentFailure>
  readonly getPushConfig: (
    request: Without<P.PushConfigRequest>
  ) => Effect.Effect<P.TaskPushNotificationConfig, AgentFailure>
  readonly listPushConfigs: (
    request: Without<P.ListPushConfigsRequest>
  ) => Effect.Effect<P.ListPushConfigsResponse, AgentFailure>
  readonly deletePushConfig: (request: Without<P.PushConfigRequest>) => Effect.Effect<void, AgentFailure>
  /** The card for those who have authenticated. */
  readonly extendedCard: Effect.Effect<AgentCard, AgentFailure>
}

/**
 * Connects to agents.
 *
 * **Details**
 *
 * An agent is named by a URL or by its card. A URL without a path is the agent's origin: the card is looked for at
 * `/.well-known/agent-card.json`, then at `/.well-known/agent.json`. One with a path is the card's, or else the base of
 * those two. Agents of A2A 0.3 are spoken to in their words; what comes and goes here is 1.0.
 *
 * **Example**
 *
 * ```ts
 * const agent = yield* (yield* AgentClient).connect("https://agent.example")
 * const answer = yield* agent.send({ message: { messageId, role: "ROLE_USER", parts: [{ text: "hello" }] } })
 * ```
 */
export class AgentClient extends Context.Service<
  AgentClient,
  {
    /** Fetches the card, unless a fresh one is known. */
    readonly card: (url: string, limits?: Partial<Limits>) => Effect.Effect<AgentCard, ConnectFailure>
    readonly connect: (agent: string | AgentCard, options?: ConnectOptions) => Effect.Effect<Connection, ConnectFailure>
  }
>()("molecule-effect/services/a2a/AgentClient") {}
