/**
 * Checkpoints in the form in which the platform keeps them: readable, exact whatever its JSON does to them, and without
 * secrets.
 *
 * @module
 */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SecretText } from "./secretText.ts"

/** What of a checkpoint is sealed. */
export interface Content {
  readonly stepName: string
  readonly payload: Schema.Json
}

/** A checkpoint to be sealed. */
export interface Whole extends Content {
  readonly workflowId: string
  readonly stepIndex: number
}

/** The row of a journal that a checkpoint comes from. */
export interface Origin {
  readonly epoch: string
  readonly position: number
}

/** A sealed checkpoint that was opened. `origin` is missing where it could not be told without telling a secret. */
export interface Opened extends Content {
  readonly origin: Origin | undefined
}

/** The version of the form that is written; others are not read. */
export const version = 1

/** A field whose JSON is longer is not shown whole; in characters. */
const longField = 4096
/** How much of a long text is shown, in characters. */
const excerpt = 1000
/** All that is shown of one checkpoint, in characters. */
const longView = 16_384

type Fields = Readonly<Record<string, Schema.Json>>

const Sealed = Schema.Struct({
  v: Schema.Literal(version),
  exact: Schema.String,
  at: Schema.optionalKey(Schema.String)
})
const decodeSealed = Schema.decodeUnknownOption(Sealed)
const decodeJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))
const textOf = (value: Schema.Json): string => JSON.stringify(value)

const isFields = (value: Schema.Json): value is Fields => Predicate.isObject(value)
const isList = (value: Schema.Json): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

// JSONB has neither NUL nor half a surrogate pair. What is shown is for people, and may differ in these.
const shown = (text: string) => text.replaceAll("\u0000", "\u2400").toWellFormed()

const clean = (secrets: SecretText, value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return shown(secrets.hide(value, 0))
  if (isList(value)) return value.map((item) => clean(secrets, item))
  return isFields(value) ? cleanFields(secrets, Object.entries(value)) : value
}
const cleanFields = (secrets: SecretText, entries: ReadonlyArray<readonly [string, Schema.Json]>): Fields =>
  Object.fromEntries(entries.map(([name, value]) => [shown(secrets.hide(name, 0)), clean(secrets, value)]))

const reserved = new Set(["v", "exact", "at"])

const shorten = (value: Schema.Json): Schema.Json | undefined => {
  if (textOf(value).length <= longField) return value
  return typeof value === "string" ? `${value.slice(0, excerpt).toWellFormed()}…` : undefined
}

const viewOf = (secrets: SecretText, payload: Schema.Json): Fields => {
  if (!isFields(payload)) return {}
  const fields: Array<readonly [string, Schema.Json]> = []
  let room = longView
  for (const [name, value] of Object.entries(cleanFields(secrets, Object.entries(payload)))) {
    const field = reserved.has(name) ? undefined : shorten(value)
    if (field === undefined) continue
    room -= name.length + textOf(field).length
    if (room < 0) break
    fields.push([name, field])
  }
  return Object.fromEntries(fields)
}

// A text of another alphabet, in one of 255 ways: each value of it is found in at most a few of them.
const salted = (text: string, salt: number) =>
  `~${salt}~${Base64Url.encode(new TextEncoder().encode(text).map((byte) => byte ^ salt))}`
const unsalted = (text: string): Result.Result<string, string> => {
  const [, salt, encoded] = /^~(\d+)~(.*)$/s.exec(text) ?? []
  if (salt === undefined || encoded === undefined) return Result.succeed(text)
  return Base64Url.decode(encoded).pipe(
    Result.map((bytes) => new TextDecoder().decode(bytes.map((byte) => byte ^ Number(salt)))),
    Result.mapError(() => "its exact text is damaged")
  )
}

/**
 * The checkpoint as it is sent.
 *
 * **Details**
 *
 * `payload` becomes an object with `v` (the version), `exact` (the JSON text of the payload, with references for secrets:
 * one string, in which the platform's JSON changes nothing), `at` (the row of the journal that it comes from), and for
 * people the payload's own fields beside them, as far as it is an object: long texts cut, long lists and objects left
 * out. The name of the step has references for secrets, too.
 *
 * What is sent is looked through once more. Where a secret would still be in it (one whose value looks like part of this
 * form), `exact` is written in another alphabet and nothing else is shown. Fails with the reason where that does not help.
 */
export const seal = (
  secrets: SecretText,
  { payload, stepIndex, stepName, workflowId }: Whole,
  { epoch, position }: Origin
): Result.Result<Content, string> => {
  const name = secrets.hide(stepName, 0)
  const exact = secrets.hide(textOf(payload), 1)
  // As it goes over the wire.
  const leaks = (sealed: Schema.Json) =>
    secrets.leaks(textOf({ workflow_id: workflowId, step_name: name, step_index: stepIndex, payload: sealed }))
  const usual = { ...viewOf(secrets, payload), v: version, exact, at: `${epoch}/${position}` }
  if (!leaks(usual)) return Result.succeed({ stepName: name, payload: usual })
  for (let salt = 1; salt < 256; salt++) {
    const other = { v: version, exact: salted(exact, salt) }
    if (!leaks(other)) return Result.succeed({ stepName: name, payload: other })
  }
  return Result.fail(
    "it cannot be sent without a secret in it: a known secret is part of a name, or of the form itself"
  )
}

const originOf = (at: string | undefined): Origin | undefined => {
  const [, epoch, position] = /^(.*)\/(\d+)$/s.exec(at ?? "") ?? []
  return epoch === undefined ? undefined : { epoch, position: Number(position) }
}

const unknownSecret = (name: string) =>
  `it refers to the secret ${name}, which is not known here: set the variable, and name it in MOLECULE_SECRETS`

/** The checkpoint as it was, or why it cannot be told. */
export const open = (secrets: SecretText, { payload, stepName }: Content): Result.Result<Opened, string> => {
  const sealed = decodeSealed(payload)
  if (Option.isNone(sealed)) return Result.fail(`it is not in version ${version} of the form`)
  const { at, exact } = sealed.value
  return Result.gen(function* () {
    const text = yield* unsalted(exact)
    const revealed = yield* Result.mapError(secrets.reveal(text, 1), unknownSecret)
    const name = yield* Result.mapError(secrets.reveal(stepName, 0), unknownSecret)
    const decoded = yield* Result.mapError(decodeJson(revealed), () => "its exact text is damaged")
    return { stepName: name, payload: decoded, origin: originOf(at) }
  })
}
