/**
 * Authorisation of every request, by the access table.
 *
 * @module
 */
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import {
  type AccessRule,
  credentials,
  findRule,
  refusals,
  type Subject,
  type Verdict
} from "../../services/platform/Access.ts"
import { BadRequest, Forbidden, Gone, Unauthorized } from "../../services/platform/PlatformErrors.ts"
import { Authorization, type Caller, CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { RateLimit } from "../../services/platform/RateLimit.ts"
import { TokenStore } from "../../services/platform/TokenStore.ts"
import { WorkspaceStore } from "../../services/platform/WorkspaceStore.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as Credential from "./credential.ts"
import { badField, issuesOf, unavailable } from "./httpAnswers.ts"

const workspaceHeader = "x-workspace-id"
const asId = Schema.decodeUnknownOption(WorkspaceId)

const decodeBody = (field: string) =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({ [field]: WorkspaceId })))
const bodySubjects = {
  "body.id": { field: "id", decode: decodeBody("id") },
  "body.workspace_id": { field: "workspace_id", decode: decodeBody("workspace_id") },
  "body.caller_id": { field: "caller_id", decode: decodeBody("caller_id") }
}

// Which workspace the request is about. Who cannot say it well enough to be judged gets the route's 400.
const subjectOf = Effect.fnUntraced(function* (subject: Subject, badBody: string) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const header = request.headers[workspaceHeader]
  switch (subject) {
    case "none":
      return Option.none<WorkspaceId>()
    case "path":
      return asId((yield* HttpRouter.params)["id"])
    case "header": {
      if (header === undefined || header === "")
        return yield* new BadRequest({ error: "X-Workspace-ID header is required" })
      const id = asId(header)
      if (Option.isNone(id))
        return yield* badField("invalid workspace ID", "X-Workspace-ID", "a workspace id is a UUID in lower case")
      return id
    }
    case "caller": {
      if (header === undefined || header === "") return Option.none<WorkspaceId>()
      const id = asId(header)
      // Also the names that the original platform reserves for itself: webhook:…, system:…, test:…, channel:….
      return Option.isNone(id) ? yield* new Forbidden({ error: "invalid caller ID" }) : id
    }
    default: {
      const { decode, field } = bodySubjects[subject]
      // The frame has read the body already (and refused one that is too large): it is kept, and cannot fail here.
      const text = yield* Effect.orDie(request.text)
      const body = yield* Effect.mapError(
        decode(text),
        (error) => new BadRequest({ error: badBody, issues: issuesOf(error) })
      )
      return asId(body[field])
    }
  }
})

const isOpen = (rule: AccessRule) => credentials.every((credential) => rule.verdicts[credential] === "public")

const make = Effect.gen(function* () {
  const classify = yield* Credential.make
  const tokens = yield* TokenStore
  const workspaces = yield* WorkspaceStore
  const limiter = yield* RateLimit

  // Only who never had a token is given one unasked; a deleted or unknown workspace is not.
  const mayHaveFirst = Effect.fnUntraced(function* (id: WorkspaceId) {
    const found = yield* workspaces.find(id)
    return Option.isSome(found) && found.value.status !== "removed" && !(yield* tokens.anyOf(id))
  })

  const refuse = Effect.fnUntraced(function* (verdict: keyof typeof refusals, subject: Option.Option<WorkspaceId>) {
    if (verdict === "stop" && Option.isSome(subject)) {
      const found = yield* workspaces.find(subject.value)
      // A workspace that was purged has no status any more.
      const status = Option.isSome(found) ? { status: "removed" as const } : undefined
      return yield* new Gone({ workspace_id: subject.value, deleted: true, ...status })
    }
    return yield* new Unauthorized({ error: refusals[verdict].error })
  })

  const decide = Effect.fnUntraced(function* (rule: AccessRule, bearer: Redacted.Redacted) {
    const anonymous: Caller = { _tag: "Anonymous" }
    // What is open to everyone is not made to depend on the database.
    if (isOpen(rule)) return anonymous
    const subject = yield* subjectOf(rule.subject, rule.badBody)
    const { caller, credential } = yield* classify(bearer, subject, rule.subject === "caller")
    if (caller._tag !== "Anonymous") yield* limiter.recognise(Redacted.value(bearer))
    const verdict: Verdict = rule.verdicts[credential]
    switch (verdict) {
      case "allow":
        return caller
      case "public":
        return anonymous
      case "firstToken":
        return Option.isSome(subject) && (yield* mayHaveFirst(subject.value))
          ? anonymous
          : yield* refuse("missing", subject)
      default:
        return yield* refuse(verdict, subject)
    }
  })

  return Authorization.of({
    bearer: (httpEffect, { credential, endpoint, group }) => {
      const rule = findRule(group.identifier, endpoint.identifier)
      if (rule === undefined)
        return Effect.die(new Error(`${group.identifier}.${endpoint.identifier} is not in the access table`))
      return decide(rule, credential).pipe(
        Effect.catchTag("StoreUnavailable", unavailable),
        Effect.flatMap((caller) => Effect.provideService(httpEffect, CurrentCaller, caller))
      )
    }
  })
})

/** Reads the table of `services/platform/Access`; an endpoint that is not in it lets nobody in. */
export const layer = Layer.effect(Authorization, make)
