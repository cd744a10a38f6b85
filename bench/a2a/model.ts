/**
 * The words of the bench: which servers there are, what they are asked, and what the measuring processes answer.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** The servers side by side. `memory` and `durable` are ours, with different layers below the same operations. */
export const SystemName = Schema.Literals(["sdk", "memory", "durable"])
/** The type of {@link SystemName}. */
export type SystemName = typeof SystemName.Type

/** What one request is: answered by a message; by a task with an artifact, ended; by a stream of ten pieces. */
export const Kind = Schema.Literals(["message", "task", "stream"])
/** The type of {@link Kind}. */
export type Kind = typeof Kind.Type

/** What the process of one of our servers is told, as JSON in its one argument. */
export const ServerOrder = Schema.Struct({
  system: Schema.Literals(["memory", "durable"]),
  /** An empty folder on a disk. */
  directory: Schema.String
})
/** The type of {@link ServerOrder}. */
export type ServerOrder = typeof ServerOrder.Type

/** The line that a server prints when it can be asked. */
export const Serving = Schema.Struct({ port: Schema.Int, pid: Schema.Int })
/** The type of {@link Serving}. */
export type Serving = typeof Serving.Type

/** What the client's process is told. */
export const LoadOrder = Schema.Struct({
  ...Serving.fields,
  kind: Kind,
  connections: Schema.Int,
  warmUpSeconds: Schema.Finite,
  seconds: Schema.Finite
})
/** The type of {@link LoadOrder}. */
export type LoadOrder = typeof LoadOrder.Type

/** What it answers. Times are milliseconds, memory is MB, processor time is seconds for each second (1 is one core). */
export const LoadResult = Schema.Struct({
  requests: Schema.Int,
  elapsed: Schema.Finite,
  p50: Schema.Finite,
  p99: Schema.Finite,
  clientCpu: Schema.Finite,
  serverCpu: Schema.Finite,
  rss: Schema.Finite
})
/** The type of {@link LoadResult}. */
export type LoadResult = typeof LoadResult.Type

/** Many streams at once: a task for each, or one task that all of them follow. */
export const FleetKind = Schema.Literals(["streams", "subscribers"])
/** The type of {@link FleetKind}. */
export type FleetKind = typeof FleetKind.Type

/** What the process is told that opens many streams at once. */
export const FleetOrder = Schema.Struct({
  ...Serving.fields,
  kind: FleetKind,
  streams: Schema.Int,
  events: Schema.Int,
  /** Milliseconds from one event of a task to its next. */
  every: Schema.Int,
  /** Milliseconds from the beginning of a task to its first event: in this time the streams are opened. */
  delay: Schema.Int
})
/** The type of {@link FleetOrder}. */
export type FleetOrder = typeof FleetOrder.Type

/** What it answers. Lag is the time from an event's saying in the agent to its arrival in the client. */
export const FleetResult = Schema.Struct({
  streams: Schema.Int,
  /** Events that arrived, each once and in order. */
  events: Schema.Int,
  /** Events that did not, or not in order. */
  lost: Schema.Int,
  lagP50: Schema.Finite,
  lagP99: Schema.Finite,
  /** Memory of the server for each open stream, KB: its peak less what it had before. */
  kbPerStream: Schema.Finite,
  elapsed: Schema.Finite
})
/** The type of {@link FleetResult}. */
export type FleetResult = typeof FleetResult.Type

/** What the process is told that measures the relay: how many requests of each kind in a round, and how many rounds. */
export const RelayOrder = Schema.Struct({ directory: Schema.String, requests: Schema.Int, rounds: Schema.Int })
/** The type of {@link RelayOrder}. */
export type RelayOrder = typeof RelayOrder.Type

/** Milliseconds that the platform adds to a request that goes through it: the best round. */
export const Relay = Schema.Struct({ p50_ms: Schema.Finite, p99_ms: Schema.Finite })
/** The type of {@link Relay}. */
export type Relay = typeof Relay.Type

/** One line of the table, as it is kept in `results/a2a.json`. */
export const Row = Schema.Struct({
  system: SystemName,
  kind: Kind,
  per_second: Schema.Finite,
  p50_ms: Schema.Finite,
  p99_ms: Schema.Finite,
  /** Of the server's process, at the end of the round. */
  rss_mb: Schema.Finite,
  server_cpu: Schema.Finite,
  client_cpu: Schema.Finite,
  /** Per second, of every round; the row is the best of them. */
  rounds: Schema.Array(Schema.Finite)
})
/** The type of {@link Row}. */
export type Row = typeof Row.Type

/** One line of the table of many streams. */
export const FleetRow = Schema.Struct({ system: SystemName, kind: FleetKind, ...FleetResult.fields })
/** The type of {@link FleetRow}. */
export type FleetRow = typeof FleetRow.Type

/** Requests per second by those of the SDK. `durable` compares tasks. */
export const Ratios = Schema.Struct({
  message_vs_sdk: Schema.Finite,
  task_vs_sdk: Schema.Finite,
  stream_vs_sdk: Schema.Finite,
  durable_vs_sdk: Schema.Finite
})
/** The type of {@link Ratios}. */
export type Ratios = typeof Ratios.Type

/** All that a run has found out. */
export const Report = Schema.Struct({
  bench: Schema.Literal("a2a"),
  at: Schema.String,
  machine: Schema.String,
  rows: Schema.Array(Row),
  ratios: Ratios,
  fleets: Schema.Array(FleetRow),
  relay: Relay
})
/** The type of {@link Report}. */
export type Report = typeof Report.Type
