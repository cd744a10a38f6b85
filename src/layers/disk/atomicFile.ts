/**
 * Writing a small file so that a reader, or the next start, sees the old one or the new one.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** The end of a file's name while it is being written; a crash may leave one behind. */
export const unfinished = ".new"

/**
 * Writes `text` to `path`, mode 0600: a new file beside it, flushed to the disk, then renamed over it, then the folder
 * flushed. Fails with a `PlatformError`; the old file is then still there.
 */
export const writeFileAtomic = Effect.fnUntraced(function* (path: string, text: string) {
  const files = yield* FileSystem.FileSystem
  const { dirname } = yield* Path.Path
  const fresh = `${path}${unfinished}`
  yield* files.remove(fresh, { force: true })
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* files.open(fresh, { flag: "wx", mode: 0o600 })
      yield* file.writeAll(new TextEncoder().encode(text))
      yield* file.sync
    })
  )
  yield* files.rename(fresh, path)
  yield* Effect.scoped(Effect.flatMap(files.open(dirname(path), { flag: "r" }), (folder) => folder.sync))
})
