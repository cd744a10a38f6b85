/**
 * The words of the bench: which systems there are, what one cell of the table is, and what a cell's process answers.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** The systems side by side. Each has its adapter in `systems/`. */
export const SystemName = Schema.Literals([
  "sqlite-commits",
  "journal",
  "journal-effects",
  "cluster-sqlite",
  "cluster-postgres",
  "dbos-postgres",
  "dbos-postgres-effects",
  "memory"
])
/** The type of {@link SystemName}. */
export type SystemName = typeof SystemName.Type

/** Where the server is that the systems on Postgres use. One database for each process. */
export const PostgresAddress = Schema.Struct({
  port: Schema.Int,
  database: Schema.String,
  username: Schema.String,
  password: Schema.String,
  /** Of the postmaster: the parent of all processes of the server. */
  pid: Schema.Int
})
/** The type of {@link PostgresAddress}. */
export type PostgresAddress = typeof PostgresAddress.Type

/** What the process of one cell is told, as JSON in its one argument. */
export const CellOrder = Schema.Struct({
  system: SystemName,
  /** How many tasks are under way at the same time. */
  concurrency: Schema.Int,
  warmUpSeconds: Schema.Finite,
  seconds: Schema.Finite,
  /** An empty folder of its own. */
  directory: Schema.String,
  postgres: Schema.optionalKey(PostgresAddress)
})
/** The type of {@link CellOrder}. */
export type CellOrder = typeof CellOrder.Type

/** What it answers, as JSON in `result.json` of its folder. Times are milliseconds. */
export const CellResult = Schema.Struct({
  /** How the system keeps what it acknowledges, in the words of its own settings. */
  durability: Schema.String,
  tasks: Schema.Int,
  elapsed: Schema.Finite,
  taskTimes: Schema.Array(Schema.Finite),
  stepTimes: Schema.Array(Schema.Finite),
  /** Peak memory of the process, MB. */
  rss: Schema.Finite,
  /** Memory of the database server's processes at the end, MB, shared pages counted once. Linux only. */
  serverRss: Schema.optionalKey(Schema.Finite)
})
/** The type of {@link CellResult}. */
export type CellResult = typeof CellResult.Type

/** What a process of `resume.ts` is told, as JSON in its one argument. */
export const ResumeOrder = Schema.Struct({
  /** The first process makes the journal in there, the others measure with it. */
  directory: Schema.String,
  /** How many steps the task has; the last is the one in flight. */
  steps: Schema.Int,
  /** How many of them are in the execution that is resumed; the others it knows from a snapshot. */
  perExecution: Schema.Int
})
/** The type of {@link ResumeOrder}. */
export type ResumeOrder = typeof ResumeOrder.Type

/** What it answers in `result.json`: milliseconds from the boot to the beginning of the step in flight. */
export const ResumeResult = Schema.Struct({ ms: Schema.Finite })
/** The type of {@link ResumeResult}. */
export type ResumeResult = typeof ResumeResult.Type

/** The resuming of a long task. */
export const Resume = Schema.Struct({
  steps: Schema.Int,
  /** The best of the rounds. */
  ms: Schema.Finite,
  rounds: Schema.Array(Schema.Finite)
})
/** The type of {@link Resume}. */
export type Resume = typeof Resume.Type

/** One line of the table, as it is kept in `results/durable.json`. Times are milliseconds of wall time. */
export const Row = Schema.Struct({
  system: SystemName,
  concurrency: Schema.Int,
  /** Tasks per second. */
  per_second: Schema.Finite,
  /** Of a task. */
  p50_ms: Schema.Finite,
  p99_ms: Schema.Finite,
  p50_step_ms: Schema.Finite,
  p99_step_ms: Schema.Finite,
  rss_mb: Schema.Finite,
  server_mb: Schema.optionalKey(Schema.Finite),
  tasks: Schema.Int,
  /** Tasks per second of every round; the row is the best of them. */
  rounds: Schema.Array(Schema.Finite),
  durability: Schema.String
})
/** The type of {@link Row}. */
export type Row = typeof Row.Type

/** How many times more tasks per second than DBOS, one at a time and 32 at a time; our time for a task in floors. */
export const Ratios = Schema.Struct({
  vs_dbos_1: Schema.Finite,
  vs_dbos_32: Schema.Finite,
  floor_1: Schema.Finite
})
/** The type of {@link Ratios}. */
export type Ratios = typeof Ratios.Type

/** All that a run has found out. */
export const Report = Schema.Struct({
  bench: Schema.Literal("durable"),
  at: Schema.String,
  machine: Schema.String,
  rows: Schema.Array(Row),
  ratios: Ratios,
  resume: Resume
})
/** The type of {@link Report}. */
export type Report = typeof Report.Type
