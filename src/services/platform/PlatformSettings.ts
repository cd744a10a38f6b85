/**
 * Everything about the platform program that can be set.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { AllowedRange } from "./AddressPolicy.ts"

/** The settings of the platform program, read from the environment in one place (`layers/platform/PlatformSettingsEnv`). */
export interface Settings {
  /** Address that the server binds. Loopback unless told otherwise. */
  readonly host: string
  /** Its port; 0 takes a free one. */
  readonly port: number
  /** Absolute path of the directory with admin token, signing key and, unless there is a Postgres, the database. */
  readonly stateDirectory: string
  /** The Postgres database in place of the file in the state directory, as in `postgres://user:password@host/database`. */
  readonly databaseUrl: Redacted.Redacted | undefined
  /** Which addresses agents may have, besides loopback where the platform itself is bound to loopback. */
  readonly allowedAddresses: ReadonlyArray<AllowedRange>
  /** The URL under which agents reach the platform, told at the creation of a workspace; if not set, the one that the admin used. */
  readonly externalUrl: string | undefined
  /** Web pages of these origins may call the platform from a browser. */
  readonly corsOrigins: ReadonlyArray<string>
  /** Largest request body, in bytes. */
  readonly maxBodyBytes: number
  /** Largest answer of an agent that the proxy passes on, in bytes; streams have no limit. */
  readonly maxAgentAnswerBytes: number
  /** Requests a minute, for each token and, without one, for each address. */
  readonly requestsPerMinute: number
  /** How long an agent may be silent before it counts as offline. */
  readonly offlineAfter: Duration.Duration
  /** How often silent agents are looked for. */
  readonly sweepInterval: Duration.Duration
  /** How long the proxy waits for a sign of life of the agent it has sent a message to. */
  readonly agentIdleTimeout: Duration.Duration
  /** How long a whole answer of an agent may take; event streams have no limit. */
  readonly agentTimeout: Duration.Duration
  /** A caller that takes nothing of an event stream for so long, though there is something, is let go. */
  readonly streamStall: Duration.Duration
  /** A message for an agent that was heard of within this time waits for it, if it does not answer. */
  readonly offlineGrace: Duration.Duration
  /** How many requests may wait for one agent. */
  readonly queueLimit: number
  /** How long a caller of a waiting request is kept waiting; the message stays. */
  readonly queueWait: Duration.Duration
  /** How long a message waits at most for its agent to take it. */
  readonly queueExpiry: Duration.Duration
  /** How long an agent that has taken an entry may be silent about it before it is given out again. */
  readonly queueLease: Duration.Duration
  /** How many checkpoints one workspace may have. */
  readonly maxCheckpoints: number
}

/** The values of {@link Settings} where nothing is set; there is none for the state directory. */
export const settingsDefaults: Omit<Settings, "stateDirectory"> = {
  host: "127.0.0.1",
  port: 8080,
  allowedAddresses: ["public"],
  databaseUrl: undefined,
  externalUrl: undefined,
  corsOrigins: ["http://localhost:3000", "http://localhost:3001"],
  maxBodyBytes: 1024 * 1024,
  maxAgentAnswerBytes: 10 * 1024 * 1024,
  requestsPerMinute: 600,
  offlineAfter: Duration.seconds(90),
  sweepInterval: Duration.seconds(15),
  agentIdleTimeout: Duration.minutes(5),
  agentTimeout: Duration.minutes(30),
  streamStall: Duration.minutes(1),
  offlineGrace: Duration.minutes(5),
  queueLimit: 1000,
  // Less than the five minutes after which common HTTP clients give up.
  queueWait: Duration.minutes(4),
  queueExpiry: Duration.hours(1),
  queueLease: Duration.minutes(1),
  maxCheckpoints: 100_000
}

/** The settings of the platform. */
export class PlatformSettings extends Context.Service<PlatformSettings, Settings>()(
  "molecule-effect/services/platform/PlatformSettings"
) {}
