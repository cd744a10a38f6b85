/**
 * A SQLite file as we keep one: for its owner only, and durable.
 *
 * @module
 */
import * as Fs from "node:fs"
import type { DatabaseSync } from "node:sqlite"

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
