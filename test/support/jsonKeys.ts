import * as Predicate from "effect/Predicate"

/**
 * Whether no key of the value has to be escaped in JSON. `JSON.parse` of Node 24 to 26 reads a key such as `"\n"` as
 * `"\\"` once it has seen an object whose key is a backslash in that place (https://github.com/nodejs/node/issues/63785),
 * so that a round trip of such a value says nothing about our code. Node 22 reads them right.
 */
export const keysAreRead = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(keysAreRead)
  if (!Predicate.isObject(value)) return true
  return Object.entries(value).every(
    ([key, inner]) => JSON.stringify(key).length === key.length + 2 && keysAreRead(inner)
  )
}
