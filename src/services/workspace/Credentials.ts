/**
 * The bearer token with which this workspace speaks to the platform.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/**
 * The token could not be read or written. The platform shows a token once: losing one that was just issued means that a
 * person has to mint another, so this error is never swallowed.
 */
export class CredentialsError extends Schema.TaggedError<CredentialsError>()("CredentialsError", {
  operation: Schema.Literals(["load", "store"]),
  path: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `cannot ${this.operation} the workspace's token at ${this.path}: ${String(this.cause)}`
  }
}

/**
 * Loads and keeps the workspace's token.
 *
 * **Details**
 *
 * `load` answers `None` where no token was ever stored. `store` is atomic (a reader sees the old token or the new one,
 * never half of one), and durable when it returns. A token that is already current is not written again; storing another
 * one is a rotation, and every later `load` sees it.
 */
export class Credentials extends Context.Service<
  Credentials,
  {
    readonly load: Effect.Effect<Option.Option<Redacted.Redacted>, CredentialsError>
    readonly store: (token: Redacted.Redacted) => Effect.Effect<void, CredentialsError>
  }
>()("molecule-effect/services/workspace/Credentials") {}
