/**
 * The tokens of one workspace: list, mint, revoke.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { PlatformApi } from "../../services/platform/PlatformApi.ts"
import { NotFound, TooMany } from "../../services/platform/PlatformErrors.ts"
import { maxLiveTokens, TokenStore } from "../../services/platform/TokenStore.ts"
import { unavailable } from "./httpAnswers.ts"

const defaultPage = 50
const maxPage = 200

// A value that is no number in its range falls back without a word, as the original's does.
const numberOr = (text: string | undefined, fallback: number, minimum: number, maximum: number) => {
  const number = /^\d{1,9}$/.test(text ?? "") ? Number(text) : fallback
  return number >= minimum && number <= maximum ? number : fallback
}

/** The handlers of the group `tokens`. */
export const layer = HttpApiBuilder.group(
  PlatformApi,
  "tokens",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* TokenStore

    return handlers.handleAll({
      list: Effect.fnUntraced(
        function* ({ params, query }) {
          const tokens = yield* store.list(params.id, {
            limit: numberOr(query.limit, defaultPage, 1, maxPage),
            offset: numberOr(query.offset, 0, 0, Number.MAX_SAFE_INTEGER)
          })
          return { tokens, count: tokens.length }
        },
        Effect.catchTag("StoreUnavailable", unavailable)
      ),

      mint: Effect.fnUntraced(
        function* ({ params }) {
          const { record, token } = yield* store.generate
          yield* store.mint(params.id, record)
          return {
            auth_token: Redacted.value(token),
            workspace_id: params.id,
            message: "Save this token now — it cannot be retrieved again."
          }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          UnknownWorkspace: () => Effect.fail(new NotFound({ error: "workspace not found" })),
          TooManyTokens: () =>
            Effect.fail(new TooMany({ error: `maximum ${maxLiveTokens} active tokens per workspace` }))
        })
      ),

      revoke: Effect.fnUntraced(
        function* ({ params }) {
          yield* store.revoke(params.id, params.tokenId)
          return { status: "revoked" as const }
        },
        Effect.catchTags({
          StoreUnavailable: unavailable,
          UnknownToken: () => Effect.fail(new NotFound({ error: "token not found or already revoked" }))
        })
      )
    })
  })
)
