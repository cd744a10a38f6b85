/**
 * What both bindings read of an HTTP request: who calls, which extensions are to be active, and the body.
 *
 * @module
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeStream from "@effect/platform-node/NodeStream"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { A2AError } from "../../services/a2a/A2AError.ts"
import type { Call } from "../../services/a2a/A2AOperations.ts"
import type { AgentCard } from "../../services/a2a/AgentCard.ts"
import type { CallerVerifier } from "../../services/a2a/CallerVerifier.ts"

type Request = HttpServerRequest.HttpServerRequest

/** JSON that nests deeper is refused before anything walks through it. */
export const maxDepth = 128

/** Whether the brackets of a JSON text nest deeper than {@link maxDepth}; text inside strings does not count. */
const isTooDeep = (text: string): boolean => {
  if (text.length <= 2 * maxDepth) return false
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 92) index++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 91 || code === 123) {
      if (++depth > maxDepth) return true
    } else if (code === 93 || code === 125) depth--
  }
  return false
}

const parse = Schema.decodeExit(Schema.fromJsonString(Schema.Unknown))

const parseError = (detail: string) =>
  new A2AError({ reason: "PARSE_ERROR", message: "Invalid JSON payload", metadata: { detail } })
const notJson = parseError("the body is not JSON in UTF-8")
const tooDeep = parseError(`the body nests deeper than ${maxDepth}`)

/** Text as JSON. */
export const parseJson = (text: string): Exit.Exit<unknown, A2AError> =>
  isTooDeep(text) ? Exit.fail(tooDeep) : Exit.mapError(parse(text), () => notJson)

/** Text as JSON of a schema; `undefined` where it is not, for whatever reason. */
export const jsonOf = <A, I>(schema: Schema.Codec<A, I>) => {
  const decode = Schema.decodeExit(Schema.fromJsonString(schema))
  return (text: string): A | undefined => {
    if (isTooDeep(text)) return undefined
    const exit = decode(text)
    return exit._tag === "Success" ? exit.value : undefined
  }
}

// A body that is not UTF-8 is an error, not a message with replacement characters in it.
const utf8 = new TextDecoder("utf-8", { fatal: true })
const decodeText = (bytes: ArrayBuffer) => Effect.try({ try: () => utf8.decode(bytes), catch: () => notJson })

// JSON under any of its names; none at all is taken for it, as with `curl` and bodies that are empty.
const json = /^(?:application\/(?:[\w.+-]+\+)?json|text\/json)\s*(?:;|$)/i

const noExtensions: ReadonlyArray<string> = []

const isNot = (unless: string | undefined, header: string | undefined) =>
  header !== undefined && header !== "" && header.toLowerCase() !== unless

/** A reader, for an agent with that card. Bodies of more than `maxBodyBytes` are refused. */
export const make = (verifier: CallerVerifier["Service"], card: AgentCard, maxBodyBytes: number) => {
  const declared = new Set((card.capabilities.extensions ?? []).map(({ uri }) => uri))
  const required = (card.capabilities.extensions ?? []).filter((one) => one.required === true).map(({ uri }) => uri)
  const tooLarge = new A2AError({
    reason: "TOO_LARGE",
    message: `The request body is larger than ${maxBodyBytes} bytes`
  })

  const caller = (request: Request): Effect.Effect<string, A2AError> => {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers["authorization"] ?? "") ?? []
    return Effect.catchTags(verifier.verify(token === undefined ? Option.none() : Option.some(Redacted.make(token))), {
      CallerRefused: (refusal) => new A2AError({ reason: "UNAUTHENTICATED", message: refusal.message }),
      KeysUnavailable: (failure) =>
        Effect.andThen(
          Effect.logWarning(failure.message),
          Effect.fail(new A2AError({ reason: "UNAVAILABLE", message: failure.message, retryAfter: 5 }))
        )
    })
  }

  const extensions = (request: Request): ReadonlyArray<string> => {
    const wanted = request.headers["a2a-extensions"] ?? request.headers["x-a2a-extensions"]
    return wanted === undefined
      ? noExtensions
      : Array.from(new Set(wanted.split(",").map((uri) => uri.trim()))).filter((uri) => declared.has(uri))
  }

  return {
    /** Who calls. */
    caller,

    /**
     * What there is to know of a call before its body: who, in which version, with which of the extensions that the agent
     * knows. What it does not know is left out, as the text wants it; `missing` refuses what is required.
     */
    call: (request: Request, who: string, version: Call["version"]): Call => {
      const lastEventId = request.headers["last-event-id"]
      return {
        caller: who,
        version,
        extensions: extensions(request),
        ...(lastEventId === undefined || lastEventId === "" ? undefined : { lastEventId })
      }
    },

    /** What is wrong with a call that does not activate what the card requires. */
    missing: ({ extensions }: Call): A2AError | undefined => {
      if (required.length === 0) return undefined
      const missing = required.filter((uri) => !extensions.includes(uri))
      if (missing.length === 0) return undefined
      return new A2AError({
        reason: "EXTENSION_SUPPORT_REQUIRED",
        message: `This agent requires an extension that the request does not activate (header A2A-Extensions): ${missing.join(", ")}`,
        metadata: { extensions: missing.join(",") }
      })
    },

    /** The body's text: UTF-8, as long as it may be, of a media type that is JSON. */
    text: (request: Request): Effect.Effect<string, A2AError> => {
      const { headers } = request
      const type = headers["content-type"]
      if ((type !== undefined && type !== "" && !json.test(type)) || isNot("identity", headers["content-encoding"])) {
        return Effect.fail(
          new A2AError({
            reason: "CONTENT_TYPE_NOT_SUPPORTED",
            message: "The request body has to be JSON (application/a2a+json or application/json), not compressed"
          })
        )
      }
      const length = headers["content-length"]
      if (Number(length ?? 0) > maxBodyBytes) return Effect.fail(tooLarge)
      return Effect.flatMap(
        NodeStream.toArrayBuffer(() => NodeHttpServerRequest.toIncomingMessage(request), {
          // A body with a length is no longer than that: HTTP itself sees to it.
          maxBytes: length === undefined ? maxBodyBytes : undefined,
          // The rest of a body that is too long is read, and dropped, so that its sender reads the answer.
          destroyOnOverflow: false,
          onError: (cause) => (cause instanceof NodeStream.MaxBytesError ? tooLarge : notJson)
        }),
        decodeText
      )
    }
  }
}

/** What {@link make} makes. */
export type RequestReader = ReturnType<typeof make>

/** Tells the caller which extensions are active. */
export const activated = ({ extensions }: Call): Record<string, string> | undefined =>
  extensions.length === 0 ? undefined : { "a2a-extensions": extensions.join(",") }
