/**
 * What happens around every request, whatever its route: limits, headers, and an answer in every case.
 *
 * @module
 */
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { unhandled } from "effect/Types"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { type Allowance, RateLimit } from "../../services/platform/RateLimit.ts"
import { unservedSentence } from "../../services/platform/Unserved.ts"
import * as Cors from "./cors.ts"
import { errorJson } from "./httpAnswers.ts"
import * as RequestBody from "./requestBody.ts"

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "referrer-policy": "strict-origin-when-cross-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "cache-control": "no-store"
}
const apiContent = "default-src 'self'"
// The documentation page is one file with its script inside. It loads nothing from anywhere else.
const pageContent =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:"

const rateHeaders = ({ limit, remaining, resetSeconds }: Allowance) => ({
  "x-ratelimit-limit": String(limit),
  "x-ratelimit-remaining": String(remaining),
  "x-ratelimit-reset": String(resetSeconds)
})

const notFound = HttpServerResponse.text("404 page not found", { status: 404 })

// Only a path of plain segments is redirected: `//host/` or `/\host/` would lead a browser to another machine.
const redirectable = /^((?:\/[\w.~%-]+)+)\/+(\?.*)?$/

const isInbox = /^\/workspaces\/[^/]+\/a2a\/queue(?:[/?]|$)/

const hasBody = new Set(["POST", "PATCH", "PUT"])

const bearerOf = (request: HttpServerRequest.HttpServerRequest) =>
  /^Bearer +(\S+)\s*$/i.exec(request.headers["authorization"] ?? "")?.[1] ?? ""

const isRouteNotFound = (error: unknown) =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

// What the original has and we have not is said to be so, to everyone: the sentence depends on nothing but the route.
const notServed = (request: HttpServerRequest.HttpServerRequest, headers: Record<string, string> = {}) => {
  const sentence = unservedSentence(request.method, request.url.split("?")[0] ?? "")
  return sentence === undefined ? undefined : errorJson(501, sentence, { headers })
}

// No route: 404 in the original's words, or the same address without the slash at its end.
const withoutRoute = (request: HttpServerRequest.HttpServerRequest) => {
  const unserved = notServed(request)
  if (unserved !== undefined) return unserved
  const [, path, query = ""] = redirectable.exec(request.url) ?? []
  return path === undefined
    ? notFound
    : HttpServerResponse.empty({ status: 308, headers: { location: `${path}${query}` } })
}

// What the router hands over: the routes, with failures that are nobody's yet.
type Handler = Effect.Effect<HttpServerResponse.HttpServerResponse, unhandled>

const make = Effect.gen(function* () {
  const settings = yield* PlatformSettings
  const limiter = yield* RateLimit

  // Whatever fails below gets an answer; an interruption has nobody left to answer to.
  const settle = (handler: Handler, request: HttpServerRequest.HttpServerRequest) =>
    Effect.catchCause(handler, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
      if (isRouteNotFound(Cause.squash(cause))) return Effect.succeed(withoutRoute(request))
      return Effect.as(
        Effect.logError("a request failed in an unforeseen way", cause, {
          method: request.method,
          url: request.url.split("?")[0]
        }),
        errorJson(503, "the platform could not answer this request")
      )
    })

  return (handler: Handler) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const bearer = bearerOf(request)
      const cors = Cors.judge(request, settings.corsOrigins, bearer !== "")
      const isPage = request.url.split("?")[0] === "/docs"
      const dress = (response: HttpServerResponse.HttpServerResponse, more: Record<string, string>) =>
        HttpServerResponse.setHeaders(response, {
          ...securityHeaders,
          "content-security-policy": isPage ? pageContent : apiContent,
          ...cors.headers,
          ...more
        })
      if (cors.answer !== undefined) return dress(cors.answer, {})

      const allowance = yield* limiter.take({
        address: Option.getOrElse(request.remoteAddress, () => ""),
        bearer,
        inbox: isInbox.test(request.url)
      })
      if (!allowance.allowed) {
        const { limit, resetSeconds } = allowance
        const refused = errorJson(429, `rate limit of ${limit} requests a minute exceeded`, {
          fields: { retry_after: resetSeconds },
          headers: { "retry-after": String(resetSeconds), connection: "close" }
        })
        return dress(refused, rateHeaders(allowance))
      }
      if (!hasBody.has(request.method)) return dress(yield* settle(handler, request), rateHeaders(allowance))
      const body = yield* RequestBody.read(request, settings.maxBodyBytes)
      const response =
        body._tag === "Refused"
          ? // An upload is no JSON, and may be large: what helps its sender is to know that it is not taken at all.
            (notServed(request, { connection: "close" }) ?? body.response)
          : yield* settle(Effect.provideService(handler, HttpServerRequest.HttpServerRequest, body.request), request)
      return dress(response, rateHeaders(allowance))
    })
})

/** Puts the frame around all routes of the router. */
export const layer = HttpRouter.middleware(make, { global: true })
