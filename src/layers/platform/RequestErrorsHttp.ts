/**
 * The 400 of each route, with what is wrong field by field.
 *
 * @module
 */
import type * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Effect from "effect/Effect"
import { findRule } from "../../services/platform/Access.ts"
import { BadRequest } from "../../services/platform/PlatformErrors.ts"
import { RequestErrors } from "../../services/platform/PlatformMiddleware.ts"
import { issuesOf } from "./httpAnswers.ts"

/** The text for a path, header or query that does not fit. */
const textOf = (kind: HttpApiError.HttpApiSchemaError["kind"], badBody: string) => {
  switch (kind) {
    case "Params":
      return "invalid workspace ID"
    case "Headers":
      return "invalid request headers"
    case "Query":
      return "invalid query"
    default:
      return badBody
  }
}

/** Answers that could not be encoded stay defects: they are ours, not the client's. */
export const layer = HttpApiMiddleware.layerSchemaErrorTransform(RequestErrors, (error, { endpoint, group }) => {
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.fail(error)
  const badBody = findRule(group.identifier, endpoint.identifier)?.badBody ?? "invalid request body"
  return Effect.fail(new BadRequest({ error: textOf(error.kind, badBody), issues: issuesOf(error.cause) }))
})
