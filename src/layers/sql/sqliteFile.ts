/**
 * A SQLite file as we keep one: for its owner only, and durable.
 *
 * @module
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { DatabaseSync } from "node:sqlite"
import * as Predicate from "effect/Predicate"

/**
 * Gives the file mode 0600, making it if it is missing; SQLite gives its `-wal` and `-shm` the same.
 *
 * **Gotchas**
 *
 * An existing file is never opened and closed by hand: closing it would drop the locks that another connection of this
 * process holds on it (POSIX).
 */
export const keepPrivate = (filename: string) => {
  if (Fs.existsSync(filename)) Fs.chmodSync(filename, 0o600)
  else Fs.closeSync(Fs.openSync(filename, "wx", 0o600))
}

const isDenied = (cause: unknown) =>
  Predicate.hasProperty(cause, "code") && (cause.code === "EROFS" || cause.code === "EACCES" || cause.code === "EPERM")

/** May this process not write the file, its log or its directory, whatever the reason? A file that is not there counts for nothing. */
export const isReadOnly = (filename: string): boolean =>
  [Path.dirname(filename), filename, `${filename}-wal`].some((path) => {
    try {
      Fs.accessSync(path, Fs.constants.W_OK)
      return false
    } catch (cause) {
      return isDenied(cause)
    }
  })

/** Has changes written to a log beside the file, so that one writes while others read. */
export const writeAhead = (database: DatabaseSync) => {
  database.exec("PRAGMA journal_mode = WAL")
}

/**
 * Has each commit on disk before it answers. With the write-ahead log, NORMAL would lose the last commits in a power cut:
 * an acknowledgement may hang on each.
 */
export const durable = (database: DatabaseSync) => {
  database.exec("PRAGMA synchronous = FULL")
}
