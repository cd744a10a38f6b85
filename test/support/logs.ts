/** What an effect logs. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

/** Runs the effect and gives the lines that it logged, each with its level before it. */
export const logged = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel} ${String(message)}`))
  yield* Effect.provide(effect, Logger.layer([logger]))
  return lines
})
