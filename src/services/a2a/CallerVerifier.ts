/**
 * Who sends this message? An agent that runs commands must not obey any process on the machine.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** The request carries no caller token, or one that is not good: `detail` says what is wrong with it. */
export class CallerRefused extends Schema.TaggedError<CallerRefused>()("CallerRefused", { detail: Schema.String }) {
  override get message() {
    return `${this.detail}: messages are taken from the platform only, with its signed caller token`
  }
}

/** The platform's public keys are needed and cannot be had now. */
export class KeysUnavailable extends Schema.TaggedError<KeysUnavailable>()("KeysUnavailable", {
  detail: Schema.String
}) {
  override get message() {
    return `cannot verify the caller: the platform's keys are not available (${this.detail})`
  }
}

/**
 * Verifies a caller token and answers who calls: a workspace's id, `admin`, or `anonymous` where verification is
 * switched off.
 */
export class CallerVerifier extends Context.Service<
  CallerVerifier,
  {
    readonly verify: (token: Option.Option<Redacted.Redacted>) => Effect.Effect<string, CallerRefused | KeysUnavailable>
  }
>()("molecule-effect/services/a2a/CallerVerifier") {}
