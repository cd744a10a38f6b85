/**
 * The platform's signature under "this request comes from that workspace".
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { WorkspaceId } from "../workspace/WorkspaceId.ts"
import type { JsonWebKeySet } from "./PlatformSchemas.ts"

/**
 * Signs caller tokens (see `services/a2a/CallerToken`) and shows the keys that verify them.
 *
 * **Details**
 *
 * A token is for one agent (`audience`), names the caller (`subject`: a workspace's id, or `admin`) and is valid for
 * `callerTokenSeconds`.
 */
export class CallerTokenSigner extends Context.Service<
  CallerTokenSigner,
  {
    readonly sign: (claims: {
      readonly audience: WorkspaceId
      readonly subject: WorkspaceId | "admin"
    }) => Effect.Effect<Redacted.Redacted>
    readonly publicKeys: typeof JsonWebKeySet.Type
  }
>()("molecule-effect/services/platform/CallerTokenSigner") {}
