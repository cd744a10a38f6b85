/**
 * The token in memory: for tests, and for apps that keep it elsewhere.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { Credentials } from "../../services/workspace/Credentials.ts"

/** Begins with the token given, or with none. */
export const layer = (initial: Option.Option<Redacted.Redacted> = Option.none()) =>
  Layer.effect(
    Credentials,
    Effect.map(Ref.make(initial), (token) =>
      Credentials.of({ load: Ref.get(token), store: (next) => Ref.set(token, Option.some(next)) })
    )
  )
