/**
 * What an executor may ask of the engine that runs it: to make a sub-step durable, and to say something to the caller.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Artifact, type Message, Part, textPart } from "./Content.ts"

/** Something an executor says while it works: a piece of the answer, or a note about what it is doing. */
export const AgentEvent = Schema.Union([
  /** A piece of the answer. Pieces of one step join, in order, into one artifact. */
  Schema.TaggedStruct("Output", { text: Schema.String }),
  /**
   * An artifact, or a piece of one. Without `append` it begins the artifact, or begins it again; with it, its parts are
   * added to those that the same run of the same step has said before.
   */
  Schema.TaggedStruct("Artifact", { artifact: Artifact, append: Schema.Boolean, lastChunk: Schema.Boolean }),
  /** What the agent is doing now, in one line; not part of the answer. */
  Schema.TaggedStruct("Progress", { text: Schema.String }),
  /** The same, of whatever parts. */
  Schema.TaggedStruct("Remark", { parts: Schema.NonEmptyArray(Part) })
])
/** The type of {@link AgentEvent}. */
export type AgentEvent = typeof AgentEvent.Type

/** A piece of the answer. */
export const output = (text: string): AgentEvent => ({ _tag: "Output", text })
/** A line about what is going on. */
export const progress = (text: string): AgentEvent => ({ _tag: "Progress", text })
/** A whole artifact; or a piece of one, by the options. */
export const artifact = (
  value: Artifact,
  { append = false, lastChunk = !append }: { readonly append?: boolean; readonly lastChunk?: boolean } = {}
): AgentEvent => ({ _tag: "Artifact", artifact: value, append, lastChunk })

/** Why an executor could not do its task. `remedy` says what a person can do about it. */
export class ExecutorError extends Schema.TaggedError<ExecutorError>()("ExecutorError", {
  /**
   * `invalid`: the task cannot be done as asked. `failed`: it was tried. `timeout`, `limit`: it was stopped. `refused`: a
   * peer or tool said no. `rejected`: the agent itself does not do this; its task is rejected, not failed.
   */
  reason: Schema.Literals(["invalid", "failed", "timeout", "limit", "refused", "unavailable", "rejected"]),
  detail: Schema.String,
  remedy: Schema.optionalKey(Schema.String),
  /** Exit code, where a program ended. */
  exitCode: Schema.optionalKey(Schema.Int),
  /** The end of what it wrote on standard error, at most 4 KiB. */
  stderr: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return this.remedy === undefined ? this.detail : `${this.detail} (${this.remedy})`
  }
}

/**
 * What to do about a step whose effect outside may or may not have happened, because the process died in between: run it
 * again, fail the step, or wait for a person to decide.
 */
export const UnknownOutcome = Schema.Literals(["repeat", "fail", "ask"])

/** How a step is tried again: after `delay` milliseconds, doubled each time, `times` times at most. */
export interface StepRetry {
  readonly times: number
  readonly delay: number
}

/** What the engine should know about a step. */
export interface StepOptions<A, R = never> {
  /**
   * The step has an effect outside. Its id (`CurrentStep.effectId`) is stored before the step runs, and stays over retries
   * and restarts: hand it on as the idempotency key. After a crash `check` is asked whether it happened, and with what
   * result; without a `check`, or where that cannot tell (`None`), `unknown` decides.
   */
  readonly effect?: {
    readonly unknown: typeof UnknownOutcome.Type
    readonly check?: (effectId: string) => Effect.Effect<Option.Option<A>, ExecutorError, R>
  }
  /** A step that fails is not tried again unless this says so. The pauses are durable waits with a deadline. */
  readonly retry?: StepRetry
}

/** What a task waits for. */
export interface WaitOptions<A, I> {
  /** Unique within the task. */
  readonly name: string
  /** What is waited for, for people: `the approval of the payment`. */
  readonly reason: string
  /** Who is to provide it: a workspace's id, `person`, … */
  readonly from: string
  /** Milliseconds from now after which waiting has failed. The deadline is stored, and stays over restarts. */
  readonly within: number
  readonly schema: Schema.Codec<A, I>
}

/** What an executor needs from whoever sent the task. */
export interface AskOptions {
  /** Unique within the task. */
  readonly name: string
  /** The question. */
  readonly parts: readonly [Part, ...ReadonlyArray<Part>]
  /** What the task's state says meanwhile: `input-required`, or `auth-required` for credentials. */
  readonly kind?: "input" | "auth"
  /** Milliseconds from now after which the task fails; a week if not given. */
  readonly within?: number
}

/** A question of text. */
export const question = (text: string): AskOptions["parts"] => [textPart(text)]

/**
 * The engine's side of an executor.
 *
 * **Details**
 *
 * `step` runs a sub-step under a name that is unique within the task: the engine may journal its result (encoded by the
 * schema) and, after a crash, give that result back instead of running it again. What is not inside a step is replayed.
 * `emit` streams an event to the caller, keyed by (step, attempt, number): a replay that emits the same event again is
 * noticed and the event is not sent twice. An event is stored before anyone sees it. `attempt` is 1 for the first run of
 * a step and grows with each rerun.
 *
 * A step that has completed is not run again, also if it completed with an error or a defect: an executor that catches it
 * finds the same again. A result that the schema cannot encode is such a defect.
 *
 * Names: 1 to 200 characters without `~`, NUL or half a surrogate pair. A step's does not begin with `wait/`, a wait's not
 * with `retry/`, `outcome/` or `ask/`. A name that cannot be used, or that another step (or another wait, sleep or question)
 * of the task has used before, is an `ExecutorError` with the remedy: a second step of the same name is never given the
 * first one's result.
 *
 * `wait` suspends the task until somebody provides the value (`TaskRunner.provide`) or the deadline passes; `sleep`
 * suspends it for a time; `ask` asks the task's sender and waits for the next message to the task. They survive a restart
 * with their deadline, hold no place among the running tasks, and are the only ways to wait: what waits otherwise is not
 * seen by the watcher. Call them outside of steps. Other branches of the executor work on beside a wait; what such a branch
 * does outside of its steps may take 200 ms, and is otherwise cut off until the wait ends.
 *
 * **Example**
 *
 * ```ts
 * const { emit, step } = yield* Step
 * const answer = yield* step("turn-1", Schema.String, askModel(task.text))
 * yield* emit(output(answer))
 * ```
 */
export class Step extends Context.Service<
  Step,
  {
    readonly step: <A, I, R>(
      name: string,
      schema: Schema.Codec<A, I>,
      effect: Effect.Effect<A, ExecutorError, R>,
      options?: StepOptions<A, R>
    ) => Effect.Effect<A, ExecutorError, R>
    readonly emit: (event: AgentEvent) => Effect.Effect<void, ExecutorError>
    readonly wait: <A, I>(options: WaitOptions<A, I>) => Effect.Effect<A, ExecutorError>
    readonly ask: (options: AskOptions) => Effect.Effect<Message, ExecutorError>
    /** Milliseconds, from the first time that the task comes here. */
    readonly sleep: (name: string, duration: number) => Effect.Effect<void, ExecutorError>
  }
>()("molecule-effect/services/durable/Step") {}

/**
 * Where the code that runs now stands: the step (empty outside of one), its attempt, and the id of its effect outside,
 * which is the same for every attempt. The engine sets it around each step.
 */
export const CurrentStep = Context.Reference<{
  readonly name: string
  readonly attempt: number
  readonly effectId: string
}>("molecule-effect/services/durable/Step/CurrentStep", {
  defaultValue: () => ({ name: "", attempt: 1, effectId: "" })
})
