/**
 * The token in the file `token` of the state directory, mode 0600.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { Credentials, CredentialsError } from "../../services/workspace/Credentials.ts"
import { StateDirectory } from "../../services/workspace/StateDirectory.ts"
import { writeFileAtomic } from "../disk/atomicFile.ts"

// What may stand in an Authorization header.
const visible = /^[\x21-\x7e]+$/

const make = Effect.fnUntraced(function* (initial: Option.Option<Redacted.Redacted>) {
  const files = yield* FileSystem.FileSystem
  const disk = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const path = (yield* StateDirectory).file("token")
  const writing = yield* Semaphore.make(1)

  // Damage can only come from outside: what is written here is written whole.
  const read = Effect.gen(function* () {
    if (!(yield* files.exists(path))) return Option.none<Redacted.Redacted>()
    const text = (yield* files.readFileString(path)).trim()
    if (visible.test(text)) return Option.some(Redacted.make(text))
    yield* Effect.logWarning("the token file is empty or damaged, and is taken for missing", { path })
    return Option.none<Redacted.Redacted>()
  }).pipe(Effect.mapError((cause) => new CredentialsError({ operation: "load", path, cause })))

  const store = Effect.fn("Credentials.store")(function* (token: Redacted.Redacted) {
    const text = Redacted.value(token).trim()
    // What cannot be read is to be replaced; if it cannot be, the writing says so.
    const current = yield* Effect.orElseSucceed(read, () => Option.none<Redacted.Redacted>())
    if (Option.isSome(current) && Redacted.value(current.value) === text) return
    yield* writeFileAtomic(path, text).pipe(
      Effect.provideContext(disk),
      Effect.mapError((cause) => new CredentialsError({ operation: "store", path, cause }))
    )
  }, writing.withPermits(1))

  return Credentials.of({
    load: Effect.map(read, (token) => Option.orElse(token, () => initial)).pipe(Effect.withSpan("Credentials.load")),
    store
  })
})

/**
 * The file, and until there is one the `initial` token (such as one that a person was shown when the workspace was
 * created). The initial one is not written: it is stored when the platform confirms or replaces it.
 */
export const layerWith = (options: { readonly initial?: Option.Option<Redacted.Redacted> } = {}) =>
  Layer.effect(Credentials, make(options.initial ?? Option.none()))

/** {@link layerWith} no initial token. */
export const layer = layerWith()
