/**
 * Which version of A2A a request is in (specification section 3.6): the header `A2A-Version`, or the query parameter of
 * that name.
 *
 * @module
 */
import { A2AError } from "../../services/a2a/A2AError.ts"

/** `Major.Minor`, with a patch number that does not count. */
const pattern = /^(\d{1,4}\.\d{1,4})(?:\.\d{1,9})?$/

/** What a client may say in the header is told back to it only so far. */
const maxTold = 40

const inQuery = /[?&]a2a-version=([^&#]*)/i

/**
 * The version that is asked for, or the error, if it is none of those that are served.
 *
 * **Details**
 *
 * A header counts more than a parameter. Neither, or an empty one, is `assumed`, which the text wants to be 0.3.
 */
export const negotiate = (
  header: string | undefined,
  url: string,
  served: ReadonlyArray<string>,
  assumed: string
): string | A2AError => {
  const said = (header ?? (url.includes("?") ? inQuery.exec(url)?.[1] : undefined) ?? "").trim()
  const version = said === "" ? assumed : pattern.exec(said)?.[1]
  if (version !== undefined && served.includes(version)) return version
  const requested = said === "" ? assumed : said.slice(0, maxTold)
  return new A2AError({
    reason: "VERSION_NOT_SUPPORTED",
    message: `The A2A version ${requested}${said === "" ? " (assumed, since A2A-Version is not set)" : ""} is not supported here; supported: ${served.join(", ")}`,
    metadata: { requested, supported: served.join(",") }
  })
}
