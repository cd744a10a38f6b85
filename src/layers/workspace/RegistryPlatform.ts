/**
 * `Registry` over the platform's API.
 *
 * @module
 */
import * as HttpClientError from "effect/http/HttpClientError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import { Credentials } from "../../services/workspace/Credentials.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { Registry, RegistryRefused, RegistryUnavailable } from "../../services/workspace/Registry.ts"

// Answers that stand, with their HTTP status; anything else (no answer, 429, 5xx) may be different later.
const refusals: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Gone: 404,
  PayloadTooLarge: 413
}

const remedyOf = (status: number) =>
  status === 401
    ? "; this workspace's token is not valid: mint one (POST /workspaces/:id/tokens) and give it as WORKSPACE_AUTH_TOKEN, with the old file `token` removed from the state directory"
    : ""

const translate = (operation: string) =>
  Effect.mapError((error: { readonly message: string }) => {
    const tag = Predicate.hasProperty(error, "_tag") ? String(error._tag) : ""
    const text = Predicate.hasProperty(error, "error") ? String(error.error) : error.message
    const answered = HttpClientError.isHttpClientError(error) ? error.response?.status : undefined
    const status =
      refusals[tag] ?? (answered !== undefined && answered < 500 && answered !== 429 ? answered : undefined)
    return status === undefined
      ? new RegistryUnavailable({ operation, detail: text })
      : new RegistryRefused({ operation, status, detail: `${text}${remedyOf(status)}` })
  })

const make = Effect.gen(function* () {
  const client = yield* PlatformClient
  const credentials = yield* Credentials
  const { workspaceId } = yield* PlatformConfig

  return Registry.of({
    register: Effect.fn("Registry.register")(function* ({ agentCard, url }) {
      const used = yield* Effect.orElseSucceed(credentials.load, () => Option.none())
      const answer = yield* client.registry
        .register({ payload: { id: workspaceId, url, agent_card: agentCard } })
        .pipe(translate("register"))
      // The platform shows a token once: it is on disk before anything else happens. A token that came from outside and
      // did is kept as well, so that the next start does not need it again.
      const token = answer.auth_token === undefined ? Option.getOrUndefined(used) : Redacted.make(answer.auth_token)
      if (token !== undefined) {
        yield* Effect.mapError(
          credentials.store(token),
          (error) => new RegistryRefused({ operation: "register", status: 200, detail: error.message })
        )
      }
    }),

    heartbeat: Effect.fn("Registry.heartbeat")(function* (beat) {
      yield* client.registry.heartbeat({ payload: { workspace_id: workspaceId, ...beat } }).pipe(translate("heartbeat"))
    }),

    state: client.workspaces.state({ params: { id: workspaceId } }).pipe(
      Effect.catchIf(Predicate.isTagged("Gone"), () =>
        Effect.succeed({ workspace_id: workspaceId, status: "removed" as const, paused: false, deleted: true })
      ),
      translate("state"),
      Effect.withSpan("Registry.state")
    ),

    discover: Effect.fn("Registry.discover")(function* (target) {
      return yield* client.registry
        .discover({ params: { id: target }, headers: { "x-workspace-id": workspaceId } })
        .pipe(translate("discover"))
    }),

    peers: client.registry
      .peers({ params: { id: workspaceId }, query: {} })
      .pipe(translate("peers"), Effect.withSpan("Registry.peers"))
  })
})

/** The registry of the platform that `PlatformClient` speaks to. */
export const layer = Layer.effect(Registry, make)
