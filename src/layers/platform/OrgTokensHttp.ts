/**
 * Org tokens: list, mint, revoke.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { maxOrgTokens, OrgTokenStore } from "../../services/platform/OrgTokenStore.ts"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { NotFound, TooMany } from "../../services/platform/PlatformErrors.ts"
import { CurrentCaller } from "../../services/platform/PlatformMiddleware.ts"
import { TokenStore } from "../../services/platform/TokenStore.ts"
import { unavailable } from "./httpAnswers.ts"

/** The handlers of the group `orgTokens`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "orgTokens",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* OrgTokenStore
    const { generate } = yield* TokenStore

    return handlers.handleAll({
      list: Effect.fnUntraced(
        function* () {
          const tokens = yield* store.list
          return { tokens, count: tokens.length }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      ),

      mint: Effect.fnUntraced(
        function* ({ payload }) {
          const caller = yield* CurrentCaller
          const { record, token } = yield* generate
          const name = payload?.name ?? ""
          yield* store.mint(record, { name, createdBy: caller._tag === "Admin" ? caller.by : "unknown" })
          return {
            id: record.id,
            prefix: record.prefix,
            ...(name === "" ? undefined : { name }),
            auth_token: Redacted.value(token),
            warning: "copy this token now; it will not be shown again"
          }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          TooManyOrgTokens: () =>
            Effect.fail(new TooMany({ error: `maximum ${maxOrgTokens} active org tokens: revoke one first` }))
        })
      ),

      revoke: Effect.fnUntraced(
        function* ({ params }) {
          yield* store.revoke(params.id)
          return { revoked: params.id }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          UnknownToken: () => Effect.fail(new NotFound({ error: "token not found or already revoked" }))
        })
      )
    })
  })
)
