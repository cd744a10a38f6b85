/**
 * The agent card where everybody looks for it, in the form of the version that is asked for.
 *
 * @module
 */
import { hash } from "node:crypto"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { A2AError } from "../../services/a2a/A2AError.ts"
import { AgentCard, AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { AgentCard03, cardTo03 } from "../../services/a2a/AgentCard03.ts"
import { restError } from "./errorBodies.ts"
import * as Versions from "./versions.ts"

/** Which form a request without `A2A-Version` gets, and how long a card may be kept. */
export interface Options {
  readonly assumedVersion?: "0.3" | "1.0"
  /** Seconds: five minutes unless set. A changed card has another `ETag`. */
  readonly maxAge?: number
}

const paths = ["/.well-known/agent-card.json", "/.well-known/agent.json"] as const

interface Served {
  readonly body: string
  readonly etag: string
}

const served = (body: string): Served => ({ body, etag: `"${hash("sha256", body, "base64url").slice(0, 22)}"` })

const knows = (request: HttpServerRequest.HttpServerRequest, etag: string) =>
  (request.headers["if-none-match"] ?? "").split(",").some((one) => {
    const tag = one.trim()
    return tag === "*" || tag.replace(/^W\//, "") === etag
  })

/**
 * The card at `/.well-known/agent-card.json` and, where 0.2 had it, `/.well-known/agent.json`.
 *
 * **Details**
 *
 * `A2A-Version`, the header or the query parameter, says which of the two forms is wanted; they exclude each other. A card
 * is public and may be kept for `maxAge`; `If-None-Match` with its `ETag` is answered 304.
 */
export const layerWith = ({ assumedVersion = "0.3", maxAge = 300 }: Options = {}) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const { card } = yield* AgentIdentity
      // A card that the schema does not allow is a bug of ours.
      const encoded = yield* Effect.orDie(Schema.encodeEffect(Schema.fromJsonString(AgentCard))(card))
      const encoded03 = yield* Effect.orDie(Schema.encodeEffect(Schema.fromJsonString(AgentCard03))(cardTo03(card)))
      const forms = new Map([
        ["1.0", served(encoded)],
        ["0.3", served(encoded03)]
      ])
      const respond = (request: HttpServerRequest.HttpServerRequest) => {
        const version = Versions.negotiate(
          request.headers["a2a-version"],
          request.url,
          Array.from(forms.keys()),
          assumedVersion
        )
        const found = typeof version === "string" ? forms.get(version) : undefined
        if (found === undefined) {
          const error = typeof version === "string" ? new A2AError({ reason: "INTERNAL", message: version }) : version
          return Effect.succeed(restError(error, "application/json"))
        }
        const headers = {
          etag: found.etag,
          "cache-control": `public, max-age=${maxAge}`,
          vary: "A2A-Version",
          "access-control-allow-origin": "*"
        }
        return Effect.succeed(
          knows(request, found.etag)
            ? HttpServerResponse.empty({ status: 304, headers })
            : HttpServerResponse.text(found.body, { headers, contentType: "application/json" })
        )
      }
      for (const path of paths) yield* router.add("GET", path, respond)
    })
  )

/** {@link layerWith} the form of 0.3 where none is asked for. */
export const layer = layerWith()
