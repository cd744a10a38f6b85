/**
 * A secret that is made once and kept in a file.
 *
 * @module
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { SecretFileError } from "../../services/platform/SecretFileError.ts"

const mode = 0o600

/**
 * The file's text, without white space around it; if there is no file, it is made with what `create` answers.
 *
 * **Details**
 *
 * The file has mode 0600 before it has content, and appears with its whole content or not at all: it is written and
 * flushed beside its place and then linked to it, which fails if another process was quicker; then the other's is taken.
 * A file that others could read is closed to them, with a warning: who could read it before may have.
 */
export const readOrCreate = Effect.fnUntraced(
  function* <R>(path: string, create: Effect.Effect<string, never, R>) {
    const files = yield* FileSystem.FileSystem
    if (!(yield* files.exists(path))) {
      const random = yield* SecureRandom.SecureRandom
      const draft = `${path}.${yield* random.uuidV4()}`
      const text = yield* create
      yield* Effect.scoped(
        Effect.gen(function* () {
          const file = yield* files.open(draft, { flag: "wx", mode })
          yield* file.writeAll(new TextEncoder().encode(`${text}\n`))
          yield* file.sync
        })
      )
      yield* files.link(draft, path).pipe(
        Effect.catchIf(
          (error: PlatformError) => error.reason._tag === "AlreadyExists",
          () => Effect.void
        ),
        Effect.ensuring(Effect.ignore(files.remove(draft), { log: "Warn" }))
      )
    }
    const { mode: found } = yield* files.stat(path)
    if ((found & 0o077) !== 0) {
      yield* Effect.logWarning(
        `${path} could be read by others: it is closed to them now; replace it if one of them may have`
      )
      yield* files.chmod(path, mode)
    }
    return { text: (yield* files.readFileString(path)).trim(), path }
  },
  (effect, path) =>
    Effect.catchTag(effect, "PlatformError", (error) =>
      Effect.fail(new SecretFileError({ path, detail: error.message }))
    )
)
