/**
 * The process groups that this workspace has started, written down so that a restart can end them.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The variable that every recorded program finds in its environment; its value is {@link ProcessGroup}'s `mark`. */
export const markVariable = "MOLECULE_PROCESS_MARK"

/** One process group: enough to recognise it after a restart, when its number may belong to somebody else. */
export class ProcessGroup extends Schema.Class<ProcessGroup>("molecule-effect/ProcessGroup")({
  /** The group's number, which is its leader's process id. 0 and 1 would address other processes than a group's. */
  pgid: Schema.Int.check(Schema.isGreaterThan(1)),
  /** The leader's start time as the operating system tells it; opaque, compared as text. */
  startTime: Schema.String,
  /** Random, different for each group, and handed down from process to process in {@link markVariable}. */
  mark: Schema.NonEmptyString,
  taskId: Schema.String,
  command: Schema.String
}) {}

/** The record could not be written or read; the program is then not started. */
export class ProcessRegistryError extends Schema.TaggedError<ProcessRegistryError>()("ProcessRegistryError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `process registry: ${this.operation} failed: ${String(this.cause)}`
  }
}

/**
 * Keeps {@link ProcessGroup}s on disk.
 *
 * **Details**
 *
 * `add` returns when the record is durable, and only then may the program start. `remove` follows its end. `endOrphans`
 * runs before any task is resumed: it kills each recorded group that is still the one recorded (same leader start time,
 * or its leader gone and members that carry our mark), forgets them all, and answers those it killed. A process whose
 * number was reused is never killed. Where the environment of others cannot be read (macOS), a group without its leader
 * cannot be told from a stranger's: it is left alone, with a warning. A record that cannot be read is removed, with a
 * warning; a group that survives SIGKILL keeps its record, so that the next start tries again.
 */
export class ProcessRegistry extends Context.Service<
  ProcessRegistry,
  {
    /** Start time of a live process, to be stored with it. */
    readonly startTime: (pid: number) => Effect.Effect<string, ProcessRegistryError>
    readonly add: (group: ProcessGroup) => Effect.Effect<void, ProcessRegistryError>
    readonly remove: (pgid: number) => Effect.Effect<void, ProcessRegistryError>
    readonly endOrphans: Effect.Effect<ReadonlyArray<ProcessGroup>, ProcessRegistryError>
  }
>()("molecule-effect/services/agent/ProcessRegistry") {}
