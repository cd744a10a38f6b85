/**
 * Media types of parts, and which of them an agent takes.
 *
 * @module
 */
import type { Part } from "../../services/durable/Content.ts"

/** What an agent takes that says nothing else. */
export const textOnly: ReadonlyArray<string> = ["text/plain"]

/** The media type of a part; without one of its own, that of its kind. */
export const of = (part: Part): string => {
  if (part.mediaType !== undefined && part.mediaType !== "") return part.mediaType
  if ("text" in part) return "text/plain"
  return "data" in part ? "application/json" : "application/octet-stream"
}

// Parameters (`; charset=utf-8`) do not count, and case neither (RFC 9110, section 8.3.1).
const bare = (type: string) => (type.split(";", 1)[0] ?? "").trim().toLowerCase()

/** Is the media type one of these, of which some may end in `/*`? */
export const accepts = (modes: ReadonlyArray<string>, mediaType: string): boolean => {
  const wanted = bare(mediaType)
  return modes.some((mode) => {
    const known = bare(mode)
    return (
      known === "*/*" ||
      known === "*" ||
      known === wanted ||
      (known.endsWith("/*") && wanted.startsWith(known.slice(0, -1)))
    )
  })
}
