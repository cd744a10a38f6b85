/**
 * Which web pages may call the platform from a browser.
 *
 * @module
 */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { errorJson } from "./httpAnswers.ts"

const methods = "GET,POST,PUT,PATCH,DELETE,OPTIONS"
const allowedHeaders =
  "Origin,Content-Type,X-Workspace-ID,X-Timeout,X-Molecule-Org-Id,X-Molecule-Org-Slug,Authorization"

/**
 * Judges the `Origin` of a request: the headers to add, and the answer if it ends here.
 *
 * **Details**
 *
 * Requests without `Origin`, or with the platform's own, are no matter of CORS. Listed origins get the headers. Any other
 * is refused, unless the request carries a bearer: no browser sends one by itself, and the original's Python SDK sends an
 * `Origin` with every call. An origin never proves anything else.
 */
export const judge = (
  request: HttpServerRequest.HttpServerRequest,
  origins: ReadonlyArray<string>,
  hasBearer: boolean
) => {
  const origin = request.headers["origin"]
  const host = request.headers["host"]
  if (origin === undefined || origin === "" || origin === `http://${host}` || origin === `https://${host}`) {
    return { headers: {}, answer: undefined }
  }
  if (!origins.includes(origin)) {
    return { headers: { vary: "Origin" }, answer: hasBearer ? undefined : errorJson(403, "origin not allowed") }
  }
  const headers = { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", vary: "Origin" }
  if (request.method !== "OPTIONS") return { headers, answer: undefined }
  return {
    headers: { ...headers, "access-control-allow-methods": methods, "access-control-allow-headers": allowedHeaders },
    answer: HttpServerResponse.empty({ status: 204 })
  }
}
