/**
 * How many requests a minute one client may make.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What is left to a client in this minute. */
export interface Allowance {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Seconds until the minute ends and counting begins anew. */
  readonly resetSeconds: number
}

/**
 * Counts requests for each token, and for each address where there is no token that has proved good.
 *
 * **Details**
 *
 * `take` counts one request. `recognise` says that a bearer has proved good: from then on its requests are counted under
 * it and no longer under its address, so that agents behind one address do not take each other's share, and so that
 * nobody gets a fresh share by making up tokens. A bearer is forgotten when it was not seen for a whole minute.
 */
export class RateLimit extends Context.Service<
  RateLimit,
  {
    readonly take: (client: {
      readonly address: string
      readonly bearer: string
      /** Counted for themselves, ten times as many: the parts of answers that an agent posts. */
      readonly inbox?: boolean
    }) => Effect.Effect<Allowance>
    readonly recognise: (bearer: string) => Effect.Effect<void>
  }
>()("molecule-effect/services/platform/RateLimit") {}
