/**
 * Texts without the secrets in them: each known value is replaced by a reference that names it, and put back.
 *
 * @module
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type KnownSecrets, shortestSecret } from "../../services/workspace/KnownSecrets.ts"

/** How often a value may have been written as JSON inside of JSON to be found. */
const depths = [0, 1, 2, 3]

interface Form {
  readonly text: string
  readonly reference: string
}

/** Replaces and puts back. */
export interface SecretText {
  /** The text with references for values. With `depth` 1, the text is JSON, and values in it are written as JSON. */
  readonly hide: (text: string, depth: 0 | 1) => string
  /** The text as it was, or the name in a reference that is not known here. */
  readonly reveal: (text: string, depth: 0 | 1) => Result.Result<string, string>
  /** Does a value occur in this text, in any form that is known? */
  readonly leaks: (text: string) => boolean
}

// As it stands in a text that was written as JSON so many times.
const escaped = (value: string, depth: number): string =>
  depth <= 0 ? value : escaped(JSON.stringify(value).slice(1, -1), depth - 1)

const referenceTo = (name: string, shift: number) =>
  `{{secret:${encodeURIComponent(name)}${shift === 0 ? "" : `:${shift}`}}}`

// The beginning of a reference, with the marks that say that it is none.
const begins = /\{\{secret(!*):/g
const references = /\{\{secret(?:(!+):|:([^{}:]*)(?::(-?\d))?\}\})/g

const forRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)

const longestFirst = (a: Form, b: Form) => b.text.length - a.text.length

/**
 * Makes the two ways for these secrets.
 *
 * **Details**
 *
 * A value is replaced by `{{secret:NAME}}`. Text that looks like the beginning of a reference is given a mark
 * (`{{secret!:`), one more if it has some already, which is taken away again. Where values overlap in a text the one that
 * begins first is replaced, of two that begin at the same place the longer one. Values of fewer than
 * `shortestSecret` characters are left alone.
 *
 * **Gotchas**
 *
 * A value is found as it is, and as it stands in JSON up to two levels deep. In another form, such as base64 of a user
 * name and password, it is not recognised.
 */
export const make = ({ values }: KnownSecrets["Service"]): SecretText => {
  const secrets = new Map(
    Array.from(values, ([name, value]) => [name, Redacted.value(value)] as const).filter(
      ([name, value]) => value.length >= shortestSecret && name.isWellFormed()
    )
  )

  const compile = (depth: 0 | 1) => {
    const forms = new Map<string, Form>()
    // Where two forms are the same text, the one that needs no more words goes first.
    const order = depths.toSorted((a, b) => Math.abs(a - depth) - Math.abs(b - depth))
    for (const level of order) {
      for (const [name, value] of secrets) {
        const text = escaped(value, level)
        if (!forms.has(text)) forms.set(text, { text, reference: referenceTo(name, level - depth) })
      }
    }
    const sorted = Array.from(forms.values()).toSorted(longestFirst)
    return { forms, pattern: new RegExp(sorted.map(({ text }) => forRegExp(text)).join("|"), "g") }
  }
  const compiled = [compile(0), compile(1)] as const
  const texts = Array.from(compiled[0].forms.keys())

  const mark = (text: string) => text.replace(begins, (_, marks: string) => `{{secret!${marks}:`)

  return {
    hide: (text, depth) => {
      if (secrets.size === 0) return mark(text)
      const { forms, pattern } = compiled[depth]
      let hidden = ""
      let from = 0
      for (const match of text.matchAll(pattern)) {
        hidden += mark(text.slice(from, match.index)) + (forms.get(match[0])?.reference ?? "")
        from = match.index + match[0].length
      }
      return hidden + mark(text.slice(from))
    },

    reveal: (text, depth) => {
      let unknown: string | undefined
      const revealed = text.replace(references, (_, marks?: string, name?: string, shift?: string) => {
        if (marks !== undefined) return `{{secret${marks.slice(1)}:`
        const value = secrets.get(decodeName(name ?? ""))
        unknown ??= value === undefined ? name : undefined
        return escaped(value ?? "", depth + Number(shift ?? 0))
      })
      return unknown === undefined ? Result.succeed(revealed) : Result.fail(unknown)
    },

    leaks: (text) => texts.some((value) => text.includes(value))
  }
}

// What is not written by us is no name either.
const decodeName = (name: string) =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(name)),
    () => name
  )
