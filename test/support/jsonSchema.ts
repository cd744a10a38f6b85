/**
 * What is wrong with a value by a JSON Schema (draft 7), of which it knows the words that the schemas of A2A are made of.
 */
import * as Predicate from "effect/Predicate"

/** A schema, and the document that its references lead into. */
export interface Place {
  readonly schema: unknown
  readonly document: unknown
}

const member = (value: unknown, key: string): unknown =>
  Array.isArray(value) || Predicate.isObject(value) ? Reflect.get(value, key) : undefined

const typeOf = (value: unknown) =>
  value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value

const hasType = (value: unknown, type: unknown) =>
  type === typeOf(value) || (type === "number" && typeof value === "number")

const known = new Set(
  "$ref type required properties additionalProperties items anyOf enum const default description examples title".split(
    " "
  )
)

/** The places in the value, each with what is wrong there; empty if it is as the schema has it. */
export const wrongBy = ({ document, schema }: Place, value: unknown, at = "$"): ReadonlyArray<string> => {
  if (!Predicate.isObject(schema)) return schema === false ? [`${at}: nothing may be here`] : []
  for (const word of Object.keys(schema))
    if (!known.has(word)) return [`${at}: the schema says ${word}, which is not known here`]
  const deeper = (inner: unknown, of: unknown, where: string) => wrongBy({ document, schema: inner }, of, where)

  const reference = member(schema, "$ref")
  if (typeof reference === "string") {
    const target = reference.replace(/^#\//, "").split("/").reduce(member, document)
    return target === undefined ? [`${at}: ${reference} leads nowhere`] : deeper(target, value, at)
  }
  const any = member(schema, "anyOf")
  if (Array.isArray(any)) {
    const tried = any.map((one: unknown) => deeper(one, value, at))
    if (!tried.some((wrong) => wrong.length === 0))
      return [`${at}: none of ${any.length} fits: ${tried.flat().join("; ")}`]
  }
  const types = [member(schema, "type") ?? []].flat()
  if (types.length > 0 && !types.some((type) => hasType(value, type))) {
    return [`${at}: ${typeOf(value)} in place of ${types.map(String).join(" or ")}`]
  }
  const choices = member(schema, "enum")
  if (Array.isArray(choices) && !choices.includes(value)) return [`${at}: ${JSON.stringify(value)} is no choice`]
  if ("const" in schema && schema.const !== value) return [`${at}: is not ${JSON.stringify(schema.const)}`]
  if (Array.isArray(value))
    return value.flatMap((one, index) => deeper(member(schema, "items") ?? true, one, `${at}[${index}]`))
  if (!Predicate.isObject(value)) return []
  const required = member(schema, "required")
  const missing = (Array.isArray(required) ? required : []).filter((key) => !Object.hasOwn(value, String(key)))
  const properties = member(schema, "properties")
  return [
    ...missing.map((key) => `${at}: ${String(key)} is missing`),
    ...Object.entries(value).flatMap(([key, inner]) => {
      const own = Predicate.isObject(properties) && Object.hasOwn(properties, key) ? member(properties, key) : undefined
      return deeper(own ?? member(schema, "additionalProperties") ?? true, inner, `${at}.${key}`)
    })
  ]
}
