/**
 * What is wrong with a request, field by field, in the names that its sender knows.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { A2AError, type FieldViolation } from "../../services/a2a/A2AError.ts"

/** More than these are not told: who has sent so much nonsense will not read it. */
const maxViolations = 20
/** Characters of a description; the rest of what was sent is known to who sent it. */
const maxDescription = 300

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (part: PropertyKey | { readonly key: PropertyKey }): PropertyKey =>
  Predicate.isObject(part) ? part.key : part

/** A path as in `message.parts[0].raw`; what has none is the whole request. */
const pathOf = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>): string =>
  path
    .map(segment)
    .reduce<string>(
      (field, key) =>
        typeof key === "number" ? `${field}[${key}]` : field === "" ? String(key) : `${field}.${String(key)}`,
      ""
    )
    .slice(0, maxDescription)

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > maxDescription ? `${line.slice(0, maxDescription)}…` : line
}

/** The fields that a schema refused. */
export const violationsOf = ({ issue }: Schema.SchemaError): ReadonlyArray<typeof FieldViolation.Type> =>
  formatIssue(issue)
    .issues.slice(0, maxViolations)
    .map(({ message, path }) => ({ field: pathOf(path ?? []), description: oneLine(message) }))

/** The error for a request that a schema refused. */
export const invalidParams = (failure: Schema.SchemaError): A2AError =>
  new A2AError({ reason: "INVALID_PARAMS", message: "Invalid parameters", fieldViolations: violationsOf(failure) })
