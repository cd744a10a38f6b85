/**
 * The one exception to `Effect.fn` for public functions: where a request passes several times a millisecond.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import { nativeTracer, Tracer } from "effect/Tracer"

/**
 * Gives an effect a span of that name where somebody collects spans, and otherwise leaves it as it is.
 *
 * **Details**
 *
 * The tracer that Effect has where none is installed shows its spans to nobody, which is why Effect's HTTP server makes no
 * span for it either. `Effect.fn` does, and keeps the stack of each call: 20 to 25 µs for each function of a request in
 * `npm run bench -- a2a`, two of which are a fifth of the server's time (`bench/README.md` has the profile). What is lost
 * is the function's name in the causes of failures.
 *
 * **Example**
 *
 * ```ts
 * const submit = (input: Submission) => spanIfTraced("TaskRunner.submit", accept(input))
 * ```
 */
export const spanIfTraced = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    fiber.getRef(Tracer) === nativeTracer ? effect : Effect.useSpan(name, (span) => Effect.withParentSpan(effect, span))
  )

/** {@link spanIfTraced} for a function: what `Effect.fn` is elsewhere. */
export const fnIfTraced =
  (name: string) =>
  <Args extends ReadonlyArray<unknown>, A, E, R>(body: (...args: Args) => Effect.Effect<A, E, R>) =>
  (...args: Args): Effect.Effect<A, E, R> =>
    spanIfTraced(name, body(...args))
