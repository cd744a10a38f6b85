/**
 * Requests counted in memory, minute by minute.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { RateLimit } from "../../services/platform/RateLimit.ts"

const windowMillis = 60_000

/** More clients than this in one minute share one count, so that nobody fills the memory with made-up addresses. */
const maxClients = 50_000

const make = Effect.gen(function* () {
  const { requestsPerMinute } = yield* PlatformSettings
  // Plain mutable state: every step below is synchronous, so no fiber sees it half changed.
  const counts = new Map<string, number>()
  let window = -1
  let recognised = new Set<string>()
  let before = new Set<string>()

  const turn = (now: number) => {
    const current = Math.floor(now / windowMillis)
    if (current === window) return
    before = current === window + 1 ? recognised : new Set()
    recognised = new Set()
    counts.clear()
    window = current
  }

  const keyOf = (address: string, bearer: string) => {
    const wanted =
      bearer !== "" && (recognised.has(bearer) || before.has(bearer)) ? `token ${bearer}` : `address ${address}`
    return counts.has(wanted) || counts.size < maxClients ? wanted : "everyone else"
  }

  return RateLimit.of({
    take: ({ address, bearer, inbox = false }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        turn(now)
        const of = keyOf(address, bearer)
        const mine = inbox && of.startsWith("token ")
        const key = mine ? `inbox ${of}` : of
        const limit = mine ? requestsPerMinute * 10 : requestsPerMinute
        const used = (counts.get(key) ?? 0) + 1
        counts.set(key, used)
        return {
          allowed: used <= limit,
          limit,
          remaining: Math.max(0, limit - used),
          resetSeconds: Math.max(1, Math.ceil(((window + 1) * windowMillis - now) / 1000))
        }
      }),
    recognise: (bearer) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        turn(now)
        recognised.add(bearer)
      })
  })
})

/** Counts in the memory of this process: a restart begins a new minute. */
export const layer = Layer.effect(RateLimit, make)
