/**
 * The secrets that the workspace knows by name: they never leave it in what it keeps elsewhere.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"

/** A value of fewer characters is not taken for a secret: it would turn up in texts by chance. */
export const shortestSecret = 8

/**
 * Values by their names. The name stands where the value was, and has to be known again by the workspace that puts it
 * back: it is the name of the environment variable.
 *
 * **Example**
 *
 * ```ts
 * const Secrets = Layer.succeed(KnownSecrets, { values: new Map([["API_KEY", Redacted.make("s3cret-value")]]) })
 * ```
 */
export class KnownSecrets extends Context.Service<
  KnownSecrets,
  { readonly values: ReadonlyMap<string, Redacted.Redacted> }
>()("molecule-effect/services/workspace/KnownSecrets") {}
