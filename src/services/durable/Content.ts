/**
 * What messages and artifacts are made of, as A2A 1.0 has it (specification section 4.1). Other forms, such as those of
 * A2A 0.3, are translated where they come in and go out.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** Anything that somebody wants to add; the keys are names that others are unlikely to use, such as URIs. */
export const Metadata = Schema.Record(Schema.String, Schema.Json)
/** The type of {@link Metadata}. */
export type Metadata = typeof Metadata.Type

const described = {
  metadata: Schema.optionalKey(Metadata),
  filename: Schema.optionalKey(Schema.String),
  /** As in `text/plain`. */
  mediaType: Schema.optionalKey(Schema.String)
}

/** A part that is text. */
export const TextPart = Schema.Struct({ text: Schema.String, ...described })
/** A part that is a file by its bytes, in base64. */
export const RawPart = Schema.Struct({
  raw: Schema.String.check(Schema.isBase64()),
  ...described
})
/** A part that is a file by its address. */
export const UrlPart = Schema.Struct({ url: Schema.NonEmptyString, ...described })
/** A part that is structured data. */
export const DataPart = Schema.Struct({ data: Schema.Json, ...described })

/** A piece of a message or an artifact: exactly one of `text`, `raw`, `url` and `data`. */
export const Part = Schema.Union([TextPart, RawPart, UrlPart, DataPart], { mode: "oneOf" })
/** The type of {@link Part}. */
export type Part = typeof Part.Type

/** An id that somebody else has chosen. */
export const Identifier = Schema.NonEmptyString.check(Schema.isMaxLength(255))

/** Who speaks. */
export const Role = Schema.Literals(["ROLE_USER", "ROLE_AGENT"])

/** One turn of a conversation. */
export const Message = Schema.Struct({
  messageId: Identifier,
  role: Role,
  parts: Schema.NonEmptyArray(Part),
  contextId: Schema.optionalKey(Identifier),
  taskId: Schema.optionalKey(Identifier),
  metadata: Schema.optionalKey(Metadata),
  /** URIs of the extensions that are used in it. */
  extensions: Schema.optionalKey(Schema.Array(Schema.String)),
  referenceTaskIds: Schema.optionalKey(Schema.Array(Schema.String))
})
/** The type of {@link Message}. */
export type Message = typeof Message.Type

/** Something that a task has produced. */
export const Artifact = Schema.Struct({
  artifactId: Schema.NonEmptyString,
  name: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  parts: Schema.Array(Part),
  metadata: Schema.optionalKey(Metadata),
  extensions: Schema.optionalKey(Schema.Array(Schema.String))
})
/** The type of {@link Artifact}. */
export type Artifact = typeof Artifact.Type

/** A part that is text. */
export const textPart = (text: string): typeof TextPart.Type => ({ text })

/** The text of parts: those that are text, joined by line breaks. */
export const textOf = (parts: ReadonlyArray<Part>): string =>
  parts.flatMap((part) => ("text" in part ? [part.text] : [])).join("\n")
