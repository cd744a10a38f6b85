/**
 * What a program writes, from bytes to text.
 *
 * @module
 */

const encoder = new TextEncoder()

/** How much of standard error is kept, in bytes. */
export const stderrBytes = 4096

/**
 * The end of `bytes` as text of at most `limit` bytes of UTF-8. It starts with a whole character; bytes that are no UTF-8
 * become U+FFFD.
 */
export const tailText = (bytes: Uint8Array, limit: number): string => {
  const encoded = encoder.encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes))
  let start = Math.max(0, encoded.length - limit)
  // A continuation byte (10xxxxxx) belongs to a character whose beginning was cut off.
  while (start < encoded.length && ((encoded[start] ?? 0) & 0xc0) === 0x80) start++
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoded.subarray(start))
}

/** Keeps the end of what it is given. */
export interface Tail {
  readonly add: (chunk: Uint8Array) => void
  readonly text: () => string
}

/** A {@link Tail} of at most `limit` bytes, in memory that is bounded whatever it is given. */
export const makeTail = (limit: number): Tail => {
  let kept = new Uint8Array(0)
  return {
    add: (chunk) => {
      const joined = new Uint8Array(kept.length + chunk.length)
      joined.set(kept)
      joined.set(chunk, kept.length)
      // Three more than shown: a character cut at the front is then recognised as one.
      kept = joined.slice(-(limit + 3))
    },
    text: () => tailText(kept, limit)
  }
}

/** Turns bytes into text as they come, and says when there are more than allowed. */
export interface Text {
  /** The text that the chunk completes; `over` once the limit is passed, the text then being that within it. */
  readonly add: (chunk: Uint8Array) => { readonly text: string; readonly over: boolean }
  /** What is left at the end: a character that was never finished. */
  readonly end: () => string
  /** All the text so far. */
  readonly all: () => string
}

/** A {@link Text} that takes at most `limit` bytes. Bytes that are no UTF-8 become U+FFFD. */
export const makeText = (limit: number): Text => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const pieces: Array<string> = []
  let left = limit
  const keep = (text: string) => {
    if (text !== "") pieces.push(text)
    return text
  }
  return {
    add: (chunk) => {
      const taken = chunk.subarray(0, left)
      left -= taken.length
      return { text: keep(decoder.decode(taken, { stream: true })), over: taken.length < chunk.length }
    },
    end: () => keep(decoder.decode()),
    all: () => pieces.join("")
  }
}
