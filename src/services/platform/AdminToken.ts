/**
 * The one credential that may do everything on the platform.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"

/** The admin token: made at the first start, kept in a file of mode 0600, never printed. */
export class AdminToken extends Context.Service<
  AdminToken,
  {
    /** Absolute path of the file that holds it. */
    readonly path: string
    readonly value: Redacted.Redacted
    /** Is this it? Takes the same time whatever is given. */
    readonly matches: (token: Redacted.Redacted) => boolean
  }
>()("molecule-effect/services/platform/AdminToken") {}
