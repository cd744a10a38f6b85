/**
 * A caller's request as it goes on to an agent: where to, with which headers, and not in circles.
 *
 * @module
 */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import { BadRequest, LoopDetected } from "../../services/platform/PlatformErrors.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

type Request = HttpServerRequest.HttpServerRequest

/** Which workspaces a request has been forwarded to, in order, with commas. An agent that forwards one has to keep it. */
export const hopsHeader = "x-molecule-hops"

/** More stations than this are a circle, whoever they are. */
export const maxHops = 16

/** What of a request's headers is the agent's business. No other one is passed on, least of all the platform's token. */
const passedOn = ["a2a-version", "a2a-extensions", "x-a2a-extensions", "last-event-id"]

/** The headers for the agent, or the refusal of a request that has come by it before. */
export const headersFor = (
  { headers }: Request,
  target: WorkspaceId
): Result.Result<Record<string, string>, LoopDetected> => {
  const before = (headers[hopsHeader] ?? "").split(",").flatMap((id) => (id.trim() === "" ? [] : [id.trim()]))
  if (before.includes(target) || before.length >= maxHops) {
    const error = before.includes(target)
      ? `loop detected: this request has been forwarded to ${target} before`
      : `loop detected: this request has been forwarded ${maxHops} times`
    return Result.fail(new LoopDetected({ error, code: "loop_detected" }))
  }
  const passed: Record<string, string> = {
    "content-type": headers["content-type"] ?? "application/json",
    [hopsHeader]: [...before, target].join(",")
  }
  for (const name of passedOn) {
    const value = headers[name]
    if (value !== undefined) passed[name] = value
  }
  return Result.succeed(passed)
}

const decoded = (segment: string) =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(segment)),
    () => segment
  )

/**
 * The part of the request's URL behind `/workspaces/:id/a2a`, path and query, as it was written.
 *
 * **Details**
 *
 * What would lead out of the agent's own path is refused, in whatever way it is written.
 */
export const pathOf = ({ url }: Request): Result.Result<string, BadRequest> => {
  const [, rest = ""] = /^\/[^/]+\/[^/]+\/a2a(\/.*)?$/s.exec(url) ?? []
  const [path = ""] = rest.split(/[?#]/)
  const leadsOut = path.split("/").some((segment) => /^\.\.?$/.test(decoded(segment)) || segment.includes("\\"))
  return leadsOut ? Result.fail(new BadRequest({ error: "invalid path" })) : Result.succeed(rest)
}

/** The agent's URL with that path behind it; the URL alone is where JSON-RPC is. */
export const urlFor = (agent: string, path: string): string => (path === "" ? agent : agent.replace(/\/+$/, "") + path)

/** `X-Timeout` bounds the caller's wait, in seconds. Nothing that is not a positive number does. Milliseconds. */
export const timeoutOf = ({ headers }: Request): number | undefined => {
  const seconds = Number(headers["x-timeout"] ?? "")
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
}
