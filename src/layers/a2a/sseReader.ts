/**
 * Server-sent events as they come in: a parser for text that is cut anywhere (WHATWG HTML, section 9.2).
 *
 * @module
 */

/** An event: its data (lines joined by line breaks), its type where it has one, and the last id that was given. */
export interface SseEvent {
  readonly data: string
  readonly event?: string
  readonly id?: string
}

/** The parser's state, between two pieces of text. */
export interface SseReader {
  /** The events that are complete with this text; `undefined` if one is longer than the limit, and then it is over. */
  readonly push: (text: string) => ReadonlyArray<SseEvent> | undefined
}

const lineFeed = 10
const carriageReturn = 13

/**
 * Reads events of at most `limit` characters each, and lines of no more either.
 *
 * **Details**
 *
 * Lines end with CR LF, LF or CR. A byte order mark at the beginning is skipped. An event that is not closed by an empty
 * line is not complete, however the text ends. Ids with a NUL in them are ignored, like fields that are unknown.
 */
export const make = (limit: number): SseReader => {
  let line = ""
  let held = 0
  let afterReturn = false
  let first = true
  let data: Array<string> = []
  let event = ""
  let id: string | undefined

  const field = (name: string, value: string) => {
    if (name === "data") {
      data.push(value)
      held += value.length + 1
    } else if (name === "event") event = value
    else if (name === "id" && !value.includes("\0")) id = value
  }

  const closeLine = (text: string, events: Array<SseEvent>) => {
    if (text === "") {
      if (data.length > 0) {
        events.push({
          data: data.join("\n"),
          ...(event === "" ? undefined : { event }),
          ...(id === undefined ? undefined : { id })
        })
      }
      data = []
      event = ""
      held = 0
      return
    }
    const colon = text.indexOf(":")
    if (colon === 0) return
    if (colon < 0) field(text, "")
    else field(text.slice(0, colon), text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1))
  }

  const push = (text: string) => {
    const events: Array<SseEvent> = []
    let start = 0
    if (first && text !== "") {
      first = false
      if (text.startsWith("\uFEFF")) start = 1
    }
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === lineFeed && afterReturn) {
        afterReturn = false
        start = at + 1
        continue
      }
      afterReturn = code === carriageReturn
      if (code !== lineFeed && code !== carriageReturn) continue
      line += text.slice(start, at)
      if (held + line.length > limit) return undefined
      closeLine(line, events)
      line = ""
      start = at + 1
    }
    line += text.slice(start)
    if (held + line.length > limit) return undefined
    return events
  }

  return { push }
}
