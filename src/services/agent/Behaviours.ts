/**
 * What a test agent does with which message: the file that says so.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { Artifact, Part } from "../durable/Content.ts"

const Parts = Schema.NonEmptyArray(Part)

/** Longest time that an agent stays at work in one go: an hour, in seconds. */
export const maxWork = 3600

/**
 * One thing that the agent does. They are done in their order; a list that comes to its end completes its task.
 *
 * | `do` | what happens |
 * |---|---|
 * | `answer` | a message is the answer, and there is no task to follow; it stands alone |
 * | `artifact` | an artifact, whole, or a piece of one: `append` adds to what was put out under its id, `lastChunk` ends it |
 * | `remark` | a status update with a message, while the task is at work |
 * | `work` | nothing, for so many seconds |
 * | `ask` | the task needs input, or credentials (`for: "auth"`), and goes on with the message that follows; with `until` it asks again until a message has that word |
 * | `complete`, `fail`, `reject` | the end, with a message |
 */
export const Action = Schema.Union([
  Schema.Struct({ do: Schema.Literal("answer"), parts: Parts }),
  Schema.Struct({
    do: Schema.Literal("artifact"),
    artifact: Artifact,
    append: Schema.optionalKey(Schema.Boolean),
    lastChunk: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.Struct({ do: Schema.Literal("remark"), parts: Parts }),
  Schema.Struct({
    do: Schema.Literal("work"),
    seconds: Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(maxWork))
  }),
  Schema.Struct({
    do: Schema.Literal("ask"),
    parts: Parts,
    for: Schema.optionalKey(Schema.Literals(["input", "auth"])),
    until: Schema.optionalKey(Schema.NonEmptyString)
  }),
  Schema.Struct({ do: Schema.Literal("complete"), parts: Schema.optionalKey(Parts) }),
  Schema.Struct({ do: Schema.Literal("fail"), detail: Schema.String }),
  Schema.Struct({ do: Schema.Literal("reject"), detail: Schema.String })
])
/** The type of {@link Action}. */
export type Action = typeof Action.Type

const ends = new Set<Action["do"]>(["answer", "complete", "fail", "reject"])

/** A behaviour: what is done, in order. */
export const Behaviour = Schema.NonEmptyArray(Action).check(
  Schema.makeFilter((actions) => {
    const behind = actions.findIndex((action, index) => ends.has(action.do) && index < actions.length - 1)
    if (behind >= 0) {
      return { path: [behind + 1], issue: `nothing is done behind "${actions[behind]?.do}": leave it out` }
    }
    const answer = actions.findIndex((action, index) => action.do === "answer" && index > 0)
    return answer < 0
      ? undefined
      : { path: [answer], issue: 'a message is the whole answer: let "answer" stand alone, or use "complete"' }
  })
)
/** The type of {@link Behaviour}. */
export type Behaviour = typeof Behaviour.Type

/**
 * The file.
 *
 * **Example**
 *
 * ```json
 * {
 *   "behaviours": {
 *     "hello-": [{ "do": "answer", "parts": [{ "text": "hello" }] }],
 *     "slow-": [{ "do": "work", "seconds": 5 }, { "do": "complete" }]
 *   }
 * }
 * ```
 */
export const Behaviours = Schema.Struct({
  /** By the beginning of a message's id. Where several fit, the longest is taken. */
  behaviours: Schema.Record(Schema.NonEmptyString, Behaviour),
  /** Whether the beginning of a message's text counts, too, where no id fits. */
  matchText: Schema.optionalKey(Schema.Boolean),
  /** What is done with every other message; it is rejected, if not given. */
  otherwise: Schema.optionalKey(Behaviour)
})
/** The type of {@link Behaviours}. */
export type Behaviours = typeof Behaviours.Type

/** The file cannot be used: where in it, and what to do about it. */
export class BehavioursError extends Schema.TaggedError<BehavioursError>()("BehavioursError", {
  file: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message() {
    return `${this.file}: ${this.detail}; ${this.remedy}`
  }
}

/** What is done with a message where the file has nothing for it. */
export const unknownMessage: Behaviour = [
  { do: "reject", detail: "no behaviour of this test agent's file begins as this message's id does" }
]

/** The behaviour for a message that begins a task. */
export const behaviourFor = (
  { behaviours, matchText = false, otherwise = unknownMessage }: Behaviours,
  { messageId, text }: { readonly messageId: string; readonly text: string }
): Behaviour => {
  const longestOf = (subject: string) =>
    Object.entries(behaviours).reduce<readonly [string, Behaviour] | undefined>(
      (best, entry) => (subject.startsWith(entry[0]) && entry[0].length > (best?.[0].length ?? 0) ? entry : best),
      undefined
    )
  const found = longestOf(messageId) ?? (matchText ? longestOf(text.trimStart()) : undefined)
  return found?.[1] ?? otherwise
}
