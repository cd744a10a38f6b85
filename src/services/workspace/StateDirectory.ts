/**
 * The one directory in which a program keeps everything that outlives it.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * The format version that this code writes. A directory with a newer one is refused; an older one is migrated by the
 * code that raises this number.
 */
export const stateFormat = 1

/** Another live process owns the directory. */
export class InUse extends Schema.TaggedError<InUse>()("InUse", { pid: Schema.Int }) {}

/** The directory was written by a newer version of this package. */
export class TooNew extends Schema.TaggedError<TooNew>()("TooNew", { found: Schema.Int, supported: Schema.Int }) {}

/** The directory is on a network file system, where neither locks nor SQLite's journal can be trusted. */
export class NetworkFileSystem extends Schema.TaggedError<NetworkFileSystem>()("NetworkFileSystem", {
  fileSystem: Schema.String
}) {}

/** The directory cannot be created, read or written. */
export class Inaccessible extends Schema.TaggedError<Inaccessible>()("Inaccessible", { cause: Schema.Defect() }) {}

// What the system said (EROFS, EACCES, …) stands behind Effect's own error.
const said = (cause: unknown) =>
  Predicate.hasProperty(cause, "cause") && cause.cause instanceof Error ? cause.cause.message : String(cause)

// Each program has a variable of its own for its directory.
const variables =
  "MOLECULE_STATE_DIR; for the platform MOLECULE_PLATFORM_STATE_DIR, for npm start MOLECULE_LOCAL_STATE_DIR"

/** Why a state directory cannot be used: `reason` says which of the four it is. */
export class StateDirectoryError extends Schema.TaggedError<StateDirectoryError>()("StateDirectoryError", {
  path: Schema.String,
  reason: Schema.Union([InUse, TooNew, NetworkFileSystem, Inaccessible])
}) {
  override get message() {
    switch (this.reason._tag) {
      case "InUse":
        return `${this.path} is in use by process ${this.reason.pid}: stop that one first, or give this one a directory of its own (${variables})`
      case "TooNew":
        return `${this.path} has format ${this.reason.found}, this version knows up to ${this.reason.supported}: upgrade molecule-effect, or use another directory (${variables})`
      case "NetworkFileSystem":
        return `${this.path} is on a network file system (${this.reason.fileSystem}): use a local directory (${variables})`
      case "Inaccessible":
        return `cannot use ${this.path}: ${said(this.reason.cause)}: check its owner and mode, and that its file system can be written, or use another directory (${variables})`
    }
  }
}

/**
 * The opened state directory: mode 0700, format checked, and locked for as long as the layer lives. The lock dies with
 * the process, however it dies.
 */
export class StateDirectory extends Context.Service<
  StateDirectory,
  {
    /** Absolute path of the directory. */
    readonly path: string
    /** Absolute path of a file directly inside it. */
    readonly file: (name: string) => string
  }
>()("molecule-effect/services/workspace/StateDirectory") {}
