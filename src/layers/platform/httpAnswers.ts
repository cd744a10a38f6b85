/**
 * What the platform answers where no handler does.
 *
 * @module
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SchemaIssue from "effect/SchemaIssue"
import type * as Schema from "effect/Schema"
import * as Effect from "effect/Effect"
import { BadRequest, platformUnavailable } from "../../services/platform/PlatformErrors.ts"
import type { StoreUnavailable } from "../../services/platform/StoreUnavailable.ts"

/** The most issues that one answer names. */
const maxIssues = 20

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What is wrong with the input, field by field. */
export const issuesOf = (error: Schema.SchemaError) =>
  format(error.issue)
    .issues.slice(0, maxIssues)
    .map(({ message, path = [] }) => ({
      path: path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join("."),
      message
    }))

/** A 400 that names one field. */
export const badField = (error: string, path: string, message: string) =>
  new BadRequest({ error, issues: [{ path, message }] })

/** The text of a JSON body. */
export const bodyText = (fields: { readonly [name: string]: Schema.Json | undefined }): string => JSON.stringify(fields)

/** `{"error": …}` with a status. */
export const errorJson = (
  status: number,
  error: string,
  more?: { readonly fields?: Record<string, Schema.Json>; readonly headers?: Record<string, string> }
) =>
  HttpServerResponse.text(JSON.stringify({ error, ...more?.fields }), {
    status,
    contentType: "application/json",
    headers: more?.headers ?? {}
  })

/** The end of the road of a database failure: logged here with its cause, and a 503 for the client. */
export const unavailable = (error: StoreUnavailable | { readonly message: string }) =>
  Effect.andThen(Effect.logError("the platform's database failed", error), Effect.fail(platformUnavailable()))
