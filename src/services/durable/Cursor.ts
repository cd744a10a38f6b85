/**
 * Where a reader stands in the events of a task: what it hands back after a broken connection, to be told the rest.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * The position after an event: its `sequence` within the task, 0 before the first one.
 *
 * **Details**
 *
 * `epoch` names the store that numbered it. A store that was wiped and made again has another, so that a number from
 * before is not taken for one of the new events.
 */
export const Cursor = Schema.Struct({
  epoch: Schema.String.check(Schema.isPattern(/^[0-9A-Za-z]{1,64}$/)),
  sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
})
/** The type of {@link Cursor}. */
export type Cursor = typeof Cursor.Type

/** A cursor as one text, `<epoch>-<sequence>`: the id of a server-sent event. */
export const format = ({ epoch, sequence }: Cursor): string => `${epoch}-${sequence}`

/** The text form of a {@link Cursor}. One cursor has one text: signs, leading zeros and blanks are refused. */
export const CursorText = Schema.String.check(Schema.isPattern(/^[0-9A-Za-z]{1,64}-(0|[1-9][0-9]{0,15})$/)).pipe(
  Schema.decodeTo(Cursor, {
    decode: SchemaGetter.transform((text) => {
      const hyphen = text.indexOf("-")
      return { epoch: text.slice(0, hyphen), sequence: Number(text.slice(hyphen + 1)) }
    }),
    encode: SchemaGetter.transform(format)
  })
)

/** What was given as a cursor is none. `field` says where it was given. */
export class CursorInvalid extends Schema.TaggedError<CursorInvalid>()("CursorInvalid", { field: Schema.String }) {
  override get message() {
    return `${this.field} is no cursor: give the id of the last event that was received, as it came`
  }
}

const decode = Schema.decodeUnknownEffect(CursorText)

/**
 * Reads a cursor that somebody sent in `field`.
 *
 * **Example**
 *
 * ```ts
 * const cursor = yield* Cursor.parse("Last-Event-ID", "3fa94c0d1b72-17") // { epoch: "3fa94c0d1b72", sequence: 17 }
 * ```
 */
export const parse = (field: string, value: unknown): Effect.Effect<Cursor, CursorInvalid> =>
  Effect.mapError(decode(value), () => new CursorInvalid({ field }))

/**
 * Not everything after `from` can be told any more. What follows begins after `to`.
 *
 * **Details**
 *
 * - `epoch`: the cursor is of another store, one that was lost. Nothing is known of what it had numbered.
 * - `trimmed`: the events between `from` and `to` were removed.
 * - `unknown`: the store has never come as far as `from`: it was put back to an older state.
 *
 * After `epoch` and `unknown`, and after `trimmed` at the start, everything that is kept follows, from the oldest on. A
 * reader that puts the pieces of an answer together begins again with what follows.
 */
export const Gap = Schema.TaggedStruct("Gap", {
  reason: Schema.Literals(["epoch", "trimmed", "unknown"]),
  from: Cursor,
  to: Cursor
})
/** The type of {@link Gap}. */
export type Gap = typeof Gap.Type

/** Tells a gap from what is said. */
export const isGap = <A extends object>(said: A | Gap): said is Gap => Predicate.isTagged(said, "Gap")
