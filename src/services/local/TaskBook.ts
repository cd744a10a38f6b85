/**
 * The tasks of a workspace as a person looks at them: read from its disk, whether it runs or not.
 *
 * The schemas are the form of `--json`: fields may be added to it, and none is removed or changes its meaning. Times are
 * ISO 8601 in UTC, durations milliseconds.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { HoldReason, TaskState } from "../durable/TaskStore.ts"
import { WaitKind } from "../durable/Waits.ts"

/** Why a task is set aside. */
export const Held = Schema.Struct({ reason: HoldReason, detail: Schema.String })

/** Something that a task waits for. `overdue` is 0 before its deadline. */
export const Wait = Schema.Struct({
  wait: Schema.String,
  kind: WaitKind,
  reason: Schema.String,
  from: Schema.String,
  since: Schema.DateTimeUtc,
  deadline: Schema.DateTimeUtc,
  overdue: Schema.Finite,
  /** How often its provider was asked again. */
  retries: Schema.Int
})
/** The type of {@link Wait}. */
export type Wait = typeof Wait.Type

/** One line of the list. */
export const TaskLine = Schema.Struct({
  id: Schema.String,
  state: TaskState,
  held: Schema.optionalKey(Held),
  waits: Schema.Array(Wait),
  /** The run of a step that began last, whether it has ended or not. */
  lastStep: Schema.optionalKey(Schema.Struct({ step: Schema.String, attempt: Schema.Int, began: Schema.DateTimeUtc })),
  /** Why it failed. */
  error: Schema.optionalKey(Schema.String),
  /** Which of its rows is not what was written; what stands in the rows is then left out. */
  damaged: Schema.optionalKey(Schema.String),
  created: Schema.DateTimeUtc,
  updated: Schema.DateTimeUtc,
  caller: Schema.String,
  /** The first line of the message, 200 characters at most. */
  headline: Schema.String
})
/** The type of {@link TaskLine}. */
export type TaskLine = typeof TaskLine.Type

/**
 * `tasks list`: newest first, how many there are of the kind that was asked for, and how many are not kept any more, whatever
 * their kind, but that their messages are recognised.
 */
export const TaskList = Schema.Struct({ tasks: Schema.Array(TaskLine), total: Schema.Int, pruned: Schema.Int })
/** The type of {@link TaskList}. */
export type TaskList = typeof TaskList.Type

/**
 * How a run of a step ended. `lost`: the process ended while it ran, and its outcome is not known. `stopped`: the task ended
 * while it ran. `running`: no end is known.
 */
export const StepOutcome = Schema.Literals(["completed", "failed", "running", "lost", "stopped"])

const moment = { at: Schema.DateTimeUtc }

/** One thing that happened to a task, `at` its beginning. */
export const TimelineItem = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("accepted"), ...moment, restored: Schema.Boolean }),
  Schema.Struct({
    kind: Schema.Literal("state"),
    ...moment,
    state: TaskState,
    error: Schema.optionalKey(Schema.String)
  }),
  /** A run of a step. What began in a lost run and was settled after the crash has `how: "reconciled"`. */
  Schema.Struct({
    kind: Schema.Literal("step"),
    ...moment,
    step: Schema.String,
    attempt: Schema.Int,
    outcome: StepOutcome,
    /** `restored`: the result is that of a run before the disk was lost; `at` is then when it was taken over. */
    how: Schema.optionalKey(Schema.Literals(["reconciled", "restored"])),
    ended: Schema.optionalKey(Schema.DateTimeUtc),
    took: Schema.optionalKey(Schema.Finite),
    /** The id of its effect outside. */
    effect: Schema.optionalKey(Schema.String),
    /** The result as JSON, cut after 200 characters. */
    result: Schema.optionalKey(Schema.String),
    error: Schema.optionalKey(Schema.String)
  }),
  /** What was said in one run of a step; `step` is empty outside of steps. */
  Schema.Struct({
    kind: Schema.Literal("said"),
    ...moment,
    step: Schema.String,
    attempt: Schema.Int,
    until: Schema.DateTimeUtc,
    /** Pieces of the answer, and how many characters they have together. */
    pieces: Schema.Int,
    characters: Schema.Int,
    /** How often it said what it was doing, and the last of it. */
    notes: Schema.Int,
    lastNote: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({
    kind: Schema.Literal("wait"),
    ...moment,
    wait: Schema.String,
    waitKind: WaitKind,
    reason: Schema.String,
    from: Schema.String,
    deadline: Schema.DateTimeUtc,
    retries: Schema.Int,
    how: Schema.Literals(["open", "provided", "overdue", "cancelled"]),
    ended: Schema.optionalKey(Schema.DateTimeUtc),
    took: Schema.optionalKey(Schema.Finite)
  }),
  /** The task goes on in a new execution. */
  Schema.Struct({ kind: Schema.Literal("segment"), ...moment, segment: Schema.Int }),
  /** A start of the workspace took it up again; `trial`: alone, since it may have brought the process down. */
  Schema.Struct({ kind: Schema.Literal("resumed"), ...moment, boot: Schema.String }),
  Schema.Struct({ kind: Schema.Literal("held"), ...moment, ...Held.fields }),
  Schema.Struct({ kind: Schema.Literal("released"), ...moment })
])
/** The type of {@link TimelineItem}. */
export type TimelineItem = typeof TimelineItem.Type

/** `tasks show`: everything about one task. */
export const TaskStory = Schema.Struct({
  ...TaskLine.fields,
  contextId: Schema.String,
  messageId: Schema.String,
  /** The whole message. */
  text: Schema.String,
  /** The answer, once completed. */
  output: Schema.optionalKey(Schema.String),
  remedy: Schema.optionalKey(Schema.String),
  /** Of the workflow, and of the executor. */
  version: Schema.Int,
  code: Schema.String,
  segment: Schema.Int,
  /** How many starts took it up since it last got on. */
  boots: Schema.Int,
  restored: Schema.Boolean,
  timeline: Schema.Array(TimelineItem)
})
/** The type of {@link TaskStory}. */
export type TaskStory = typeof TaskStory.Type

/** A task and what it waits for; `next` is what the task waits for from which the value is to come, if that is one here. */
export interface WaitLink {
  readonly id: string
  readonly state: TaskState
  readonly held?: typeof Held.Type
  /** Not there for a task at the end of a chain that waits for nothing. */
  readonly wait?: Wait
  /** The task stands further up in its own chain: none of these will ever go on by itself. */
  readonly circle: boolean
  readonly next: ReadonlyArray<WaitLink>
}
/** The schema of {@link WaitLink}. */
export const WaitLink = Schema.Struct({
  id: Schema.String,
  state: TaskState,
  held: Schema.optionalKey(Held),
  wait: Schema.optionalKey(Wait),
  circle: Schema.Boolean,
  next: Schema.Array(Schema.suspend((): Schema.Codec<WaitLink, unknown> => WaitLink))
})

/** `tasks waits`: the chains, oldest deadline first, and the tasks that are set aside. */
export const WaitChains = Schema.Struct({
  waits: Schema.Array(WaitLink),
  held: Schema.Array(Schema.Struct({ id: Schema.String, ...Held.fields })),
  /** How long the oldest due wait is overdue; 0 if none is. */
  oldestDue: Schema.Finite
})
/** The type of {@link WaitChains}. */
export type WaitChains = typeof WaitChains.Type

/** What is to be listed: a state, or tasks that have not ended, that are set aside, that wait for something. */
export const Selection = [...TaskState.literals, "unfinished", "held", "waiting"] as const
/** One of {@link Selection}. */
export type Selection = (typeof Selection)[number]

/** There is no state directory of a workspace at this path. */
export class NoStateDirectory extends Schema.TaggedError<NoStateDirectory>()("NoStateDirectory", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.path} ${this.detail}: name a workspace's state directory with --state or MOLECULE_STATE_DIR`
  }
}

/** No task's id begins like this. */
export class TaskUnknown extends Schema.TaggedError<TaskUnknown>()("TaskUnknown", { given: Schema.String }) {
  override get message() {
    return `no task has an id that begins with ${this.given}: see molecule tasks list`
  }
}

/** Several tasks' ids begin like this. */
export class TaskAmbiguous extends Schema.TaggedError<TaskAmbiguous>()("TaskAmbiguous", {
  given: Schema.String,
  ids: Schema.Array(Schema.String)
}) {
  override get message() {
    return `several tasks have an id that begins with ${this.given}: give more of it\n  ${this.ids.join("\n  ")}`
  }
}

/** The task does not wait for anything of this name. */
export class WaitUnknown extends Schema.TaggedError<WaitUnknown>()("WaitUnknown", {
  taskId: Schema.String,
  wait: Schema.String,
  open: Schema.Array(Schema.String)
}) {
  override get message() {
    const open = this.open.length === 0 ? "it waits for nothing" : `it waits for ${this.open.join(", ")}`
    return `task ${this.taskId} does not wait for ${this.wait}: ${open}`
  }
}

/** What is derived from the journal is not what its rows give. */
export class TablesDiffer extends Schema.TaggedError<TablesDiffer>()("TablesDiffer", {
  file: Schema.String,
  tables: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.file}: ${this.tables.join(", ")} differ from the journal's rows: stop the workspace and run molecule journal rebuild`
  }
}

/** What was given on the command line cannot be understood. */
export class NotUnderstood extends Schema.TaggedError<NotUnderstood>()("NotUnderstood", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** What is on the disk cannot be read. */
export class BookUnreadable extends Schema.TaggedError<BookUnreadable>()("BookUnreadable", {
  file: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message() {
    return `${this.file} cannot be read: ${this.detail}; ${this.remedy}`
  }
}

/**
 * Reads the tasks of one state directory. Nothing is written, and a running workspace is not disturbed.
 *
 * **Details**
 *
 * `find` gives the one id that begins like that. `list` and `waits` come from the tables that are derived from the journal;
 * `show` from the task's rows themselves, behind their checksums.
 */
export class TaskBook extends Context.Service<
  TaskBook,
  {
    readonly find: (given: string) => Effect.Effect<string, TaskUnknown | TaskAmbiguous | BookUnreadable>
    readonly list: (options: {
      readonly only: Selection | undefined
      readonly limit: number
    }) => Effect.Effect<TaskList, BookUnreadable>
    readonly show: (taskId: string) => Effect.Effect<TaskStory, TaskUnknown | BookUnreadable>
    readonly waits: Effect.Effect<WaitChains, BookUnreadable>
  }
>()("molecule-effect/services/local/TaskBook") {}
