/**
 * How the platform talks to an agent.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { AddressRefused } from "./AddressPolicy.ts"

/** No connection: the agent has not seen the request. */
export class AgentUnreachable extends Schema.TaggedError<AgentUnreachable>()("AgentUnreachable", {
  cause: Schema.Defect()
}) {}

/** The connection was made and broke, or nothing came over it for too long: the agent may have the request. */
export class AgentSilent extends Schema.TaggedError<AgentSilent>()("AgentSilent", {
  cause: Schema.Defect(),
  /** Nothing came for too long; otherwise the connection broke. */
  timedOut: Schema.optionalKey(Schema.Boolean)
}) {}

/** An agent's answer: the head now, the body as it comes. */
export interface AgentAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Fails with {@link AgentSilent} if it breaks off or nothing comes for the idle time. */
  readonly body: Stream.Stream<Uint8Array, AgentSilent>
  /** The same in one piece, where the agent has said that it is small. Only one of the two may be used. */
  readonly small: Effect.Effect<Uint8Array, AgentSilent> | undefined
}

/** What is asked of an agent. */
export interface AgentRequest {
  readonly method: "GET" | "POST" | "DELETE"
  /** With the path and the query that are meant. */
  readonly url: string
  /** Empty where there is none. */
  readonly body: string
  /** The platform's word for who calls. */
  readonly bearer: Redacted.Redacted
  /** Of the protocol: which version, which extensions, from where on, and the body's media type. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Sends requests to an agent.
 *
 * **Details**
 *
 * The address is checked by `AddressPolicy` and the connection goes to the very address that was checked. Redirects are
 * not followed. Closing the scope, or interrupting, ends the exchange on the wire.
 */
export class AgentTransport extends Context.Service<
  AgentTransport,
  {
    readonly send: (
      request: AgentRequest
    ) => Effect.Effect<AgentAnswer, AddressRefused | AgentUnreachable | AgentSilent, Scope.Scope>
  }
>()("molecule-effect/services/platform/AgentTransport") {}
