/**
 * The body of a request, read once, within limits, whatever its content type says.
 *
 * @module
 */
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import { errorJson } from "./httpAnswers.ts"

/** Deeper JSON than this is refused before anything walks through it. */
export const maxDepth = 128

// An agent may want the media type that A2A has for its bodies; everybody else reads JSON.
const isA2A = /^application\/a2a\+json\s*(?:;|$)/i
const isRelayed = /^\/workspaces\/[^/?]+\/a2a\//

/** How deep the brackets of a JSON text nest; text inside strings does not count. Stops counting above `limit`. */
export const depthOf = (text: string, limit: number = maxDepth): number => {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let index = 0; index < text.length && deepest <= limit; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 92) index++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth)
    else if (code === 93 || code === 125) depth--
  }
  return deepest
}

/**
 * Reads the body and answers the request to go on with, or the response that refuses it.
 *
 * **Details**
 *
 * The original platform does not look at the content type, so a `curl -d` without a header works: the request goes on
 * as JSON. The limit holds for bodies with a length and for chunked ones.
 */
export const read = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, maxBytes: number) {
  const asJson = request.modify({
    headers: Headers.set(
      request.headers,
      "content-type",
      isA2A.test(request.headers["content-type"] ?? "") && isRelayed.test(request.url)
        ? "application/a2a+json"
        : "application/json"
    )
  })
  const tooLarge = errorJson(413, `request body is larger than the limit of ${maxBytes} bytes`, {
    headers: { connection: "close" }
  })
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return { _tag: "Refused" as const, response: tooLarge }
  return yield* Effect.provideService(asJson.text, HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBytes)).pipe(
    Effect.map((text) =>
      depthOf(text) > maxDepth
        ? {
            _tag: "Refused" as const,
            response: errorJson(400, "invalid request body", {
              fields: { issues: [{ path: "", message: `JSON nested deeper than ${maxDepth}` }] }
            })
          }
        : { _tag: "Read" as const, request: asJson }
    ),
    Effect.catch((error) =>
      Effect.succeed({
        _tag: "Refused" as const,
        response:
          error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
            ? tooLarge
            : errorJson(400, "failed to read request body", { headers: { connection: "close" } })
      })
    )
  )
})
