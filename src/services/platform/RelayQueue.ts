/**
 * The requests that wait for an agent, and the answers that wait for their callers.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"
import type { StoreUnavailable } from "./StoreUnavailable.ts"

/** Who asks: a workspace, or the admin. */
export const CallerName = Schema.Union([WorkspaceId, Schema.Literal("admin")])
/** The type of {@link CallerName}. */
export type CallerName = typeof CallerName.Type

/** A request as it goes to the agent. */
export const RelayedRequest = Schema.Struct({
  method: Schema.Literals(["GET", "POST", "DELETE"]),
  /** Behind the agent's URL, with the query; empty for JSON-RPC. */
  path: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String
})
/** The type of {@link RelayedRequest}. */
export type RelayedRequest = typeof RelayedRequest.Type

/** A request that is to wait. */
export interface NewEntry {
  readonly target: WorkspaceId
  readonly caller: CallerName
  readonly request: RelayedRequest
  /** The method or the path: a message that is asked for in two ways has two answers. */
  readonly operation: string
  /** There if it hands the agent a message: then it is durable work, else it lasts as long as its caller. */
  readonly message: { readonly id: string; readonly contextId: string | undefined } | undefined
  /** Not to be tried before; milliseconds since 1970. */
  readonly notBefore?: number | undefined
}

/** An entry that somebody holds, to carry it to the agent. */
export interface HeldEntry {
  readonly id: string
  readonly target: WorkspaceId
  readonly caller: CallerName
  readonly request: RelayedRequest
  /** How often it was held, this time included. */
  readonly attempt: number
  /** Proves that it is held; a new one each time. */
  readonly lease: string
  readonly enqueuedAt: number
  readonly expiresAt: number
}

/** How an answer begins. */
export interface AnswerHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** How far an entry is. */
export interface EntryStatus {
  readonly answer: AnswerHead | undefined
  /** Nothing will be added any more. */
  readonly complete: boolean
  /** How many parts of the answer there are. */
  readonly parts: number
  /** Changes when an answer that had begun is void and begins anew. */
  readonly generation: number
  /** The answer is the platform's, in the agent's place. */
  readonly byPlatform: boolean
  /** Entries of this agent that are not answered. */
  readonly depth: number
}

/** As many requests wait for this agent as may. */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", { limit: Schema.Int }) {}

/** Nobody waits for this entry any more, or there never was one. */
export class EntryGone extends Schema.TaggedError<EntryGone>()("EntryGone", { id: Schema.String }) {}

/** The entry was given to somebody else, or is answered. */
export class EntryTaken extends Schema.TaggedError<EntryTaken>()("EntryTaken", { id: Schema.String }) {}

/** A part of an answer came before the one that has to come next. */
export class PartOutOfOrder extends Schema.TaggedError<PartOutOfOrder>()("PartOutOfOrder", { expected: Schema.Int }) {}

/** The answer is larger than an answer may be. The entry is closed. */
export class AnswerTooLarge extends Schema.TaggedError<AnswerTooLarge>()("AnswerTooLarge", { limit: Schema.Int }) {}

/** A cursor that this workspace was never given, or that is forgotten. */
export class CursorLost extends Schema.TaggedError<CursorLost>()("CursorLost", {}) {}

/** One message as it is shown to a poller of the activity list. */
export interface InboxRow {
  readonly id: string
  readonly caller: CallerName
  readonly operation: string
  readonly body: string
  readonly enqueuedAt: number
}

/**
 * The queue. What `enqueue` has answered is on disk, and so is every part of an answer.
 *
 * **Details**
 *
 * - `enqueue`: the same message of the same caller, asked for in the same way, is one entry, from the first time until
 *   some minutes after its answer; `isNew` tells whether it is this time, and `body` is what the
 *   first time asked.
 * - `mayConcern` answers at once and may say yes for nothing; where it says no, `concerns` would: is there an entry of
 *   this message, or an unanswered one in its context?
 * - `changes` and `arrivals` subscribe to an entry or an agent, for as long as the scope lives; the inner effect waits for
 *   the next news since it was last asked. `attend` says that a caller waits, and ends with the scope: an entry without
 *   a message that nobody attends is removed.
 * - `take` gives out what may go now: oldest first, and of each context only the first that is not answered. What was
 *   held longer than its lease is given out again, `maxAttempts` times at most. Leases are milliseconds.
 * - `answer` adds part `sequence` (a repeat changes nothing), `renew` prolongs the lease, `release` gives a message back
 *   (false if it is none, or not held),
 *   `close` answers in the agent's place: then the same message again is a new entry.
 * - `nextDue` is when something changes by time alone: an entry may go, or a lease ends. Milliseconds since 1970.
 * - `wake` tells whoever carries for this agent to look again; `now` lets wait no longer what was to be tried later.
 * - `inbox` is for pollers that keep a cursor (`since`), and passes what was shown before: see `docs/relay.md`.
 */
export class RelayQueue extends Context.Service<
  RelayQueue,
  {
    readonly enqueue: (
      entry: NewEntry
    ) => Effect.Effect<
      { readonly id: string; readonly isNew: boolean; readonly body: string },
      StoreUnavailable | QueueFull
    >
    readonly mayConcern: (target: WorkspaceId) => boolean
    readonly concerns: (
      entry: Pick<NewEntry, "target" | "caller" | "operation" | "message">
    ) => Effect.Effect<boolean, StoreUnavailable>
    readonly status: (id: string) => Effect.Effect<Option.Option<EntryStatus>, StoreUnavailable>
    readonly parts: (id: string, from: number) => Effect.Effect<ReadonlyArray<string>, StoreUnavailable>
    readonly changes: (id: string) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
    readonly arrivals: (target: WorkspaceId) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
    readonly attend: (id: string) => Effect.Effect<void, never, Scope.Scope>
    readonly take: (
      target: WorkspaceId,
      options: { readonly limit: number; readonly lease: number }
    ) => Effect.Effect<ReadonlyArray<HeldEntry>, StoreUnavailable>
    readonly renew: (
      target: WorkspaceId,
      id: string,
      lease: string,
      millis: number
    ) => Effect.Effect<void, StoreUnavailable | EntryGone | EntryTaken>
    readonly answer: (
      target: WorkspaceId,
      id: string,
      part: {
        readonly lease: string
        readonly sequence: number
        readonly head: AnswerHead | undefined
        readonly body: string
        readonly done: boolean
        readonly millis: number
      }
    ) => Effect.Effect<void, StoreUnavailable | EntryGone | EntryTaken | PartOutOfOrder | AnswerTooLarge>
    readonly release: (id: string, lease: string, notBefore: number) => Effect.Effect<boolean, StoreUnavailable>
    readonly close: (id: string, head: AnswerHead, body: string) => Effect.Effect<void, StoreUnavailable>
    readonly nextDue: (target: WorkspaceId) => Effect.Effect<Option.Option<number>, StoreUnavailable>
    /** Agents for which anything waits. */
    readonly waiting: Effect.Effect<ReadonlyArray<WorkspaceId>, StoreUnavailable>
    /** Agents for which something has come, as it comes. */
    readonly anyArrival: Effect.Effect<Effect.Effect<ReadonlyArray<WorkspaceId>>, never, Scope.Scope>
    readonly wake: (target: WorkspaceId, options?: { readonly now: boolean }) => Effect.Effect<void, StoreUnavailable>
    readonly inbox: (
      target: WorkspaceId,
      options: {
        readonly since: string | undefined
        readonly limit: number
        readonly peer: string | undefined
        readonly before: number | undefined
      }
    ) => Effect.Effect<ReadonlyArray<InboxRow>, StoreUnavailable | CursorLost>
    /** The latest messages, without any effect. */
    readonly latest: (target: WorkspaceId, limit: number) => Effect.Effect<ReadonlyArray<InboxRow>, StoreUnavailable>
    /** The message that was shown to this poller, by this caller, who waits for its answer. */
    readonly shown: (
      target: WorkspaceId,
      caller: CallerName
    ) => Effect.Effect<Option.Option<InboxRow & { readonly lease: string }>, StoreUnavailable>
  }
>()("molecule-effect/services/platform/RelayQueue") {}
