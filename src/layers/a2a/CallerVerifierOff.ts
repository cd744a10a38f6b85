/**
 * No verification: whoever reaches the port is obeyed. For agents behind something else that decides who may.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CallerVerifier } from "../../services/a2a/CallerVerifier.ts"

const anyone = CallerVerifier.of({ verify: () => Effect.succeed("anonymous") })

/** Takes every request as `anonymous`, where nothing else is expected. */
export const silent = Layer.succeed(CallerVerifier, anyone)

/** {@link silent}, and says so at start. */
export const layer = Layer.effect(
  CallerVerifier,
  Effect.as(
    Effect.logWarning(
      "caller tokens are not required: every process that reaches this port can give this agent work (MOLECULE_REQUIRE_CALLER_TOKEN=true switches the check on)"
    ),
    anyone
  )
)
