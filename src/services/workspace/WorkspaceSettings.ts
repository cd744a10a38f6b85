/**
 * Everything about the workspace program that can be set, except what `PlatformConfig` holds.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { CommandSpec } from "../agent/CommandSpec.ts"
import type { HealthRule } from "./Health.ts"

/** Which brain the workspace has: the echo, a program, a coordinator that fans its task out, or a file that exports one. */
export const ExecutorChoice = Schema.Union([
  Schema.TaggedStruct("echo", {}),
  Schema.TaggedStruct("command", { command: CommandSpec }),
  Schema.TaggedStruct("fan-out", {}),
  Schema.TaggedStruct("module", { file: Schema.NonEmptyString })
])
/** The type of {@link ExecutorChoice}. */
export type ExecutorChoice = typeof ExecutorChoice.Type

/** The settings of the workspace program, read from the environment in one place (`layers/workspace/WorkspaceSettingsEnv`). */
export class WorkspaceSettings extends Context.Service<
  WorkspaceSettings,
  {
    /** Name and description on the agent card. */
    readonly name: string
    readonly description: string
    /** The token that a person was shown when the workspace was created; used until there is one in the state directory. */
    readonly initialToken: Option.Option<Redacted.Redacted>
    /** Address that the A2A server binds. Loopback unless told otherwise. */
    readonly host: string
    /** Port of the A2A server; 0 takes a free one, which is announced at registration. */
    readonly port: number
    /** The URL under which the platform reaches this agent, if that is not where it listens (a tunnel, a proxy). */
    readonly publicUrl: string | undefined
    /** How messages come from the platform: it connects to this agent, or this agent comes for them. */
    readonly mode: "listen" | "poll"
    /** Accept only requests that carry the platform's signed caller token. */
    readonly requireCallerToken: boolean
    /** The version of A2A that a request without `A2A-Version` is taken for; the card's form, too. */
    readonly assumedVersion: "0.3" | "1.0"
    /** Addresses that are not of the outside to which notifications may be pushed. */
    readonly pushAllow: { readonly loopback: boolean; readonly private: boolean }
    /** Largest request body, in bytes. */
    readonly maxBodyBytes: number
    readonly heartbeatInterval: Duration.Duration
    /** When a message is acknowledged: when its task is on the local disk, or when the platform has confirmed it, too. */
    readonly ack: "local" | "platform"
    /** How long a message waits for that confirmation. */
    readonly ackTimeout: Duration.Duration
    /** By what the workspace is not well, and by how much work may be overdue. */
    readonly healthFailsOn: HealthRule["failsOn"]
    readonly healthMaxOverdue: Duration.Duration
    /** How long a shutdown waits for the tasks that run. */
    readonly drainTimeout: Duration.Duration
    readonly maxRunningTasks: number
    readonly maxUnfinishedTasks: number
    /** How long a task is kept after its end, and how many that have ended are kept at most. */
    readonly keepTasksFor: Duration.Duration
    readonly keepTasks: number
    /** How long the message of a task that is no longer kept is recognised. */
    readonly rememberTasksFor: Duration.Duration
    /** How long a delegation may take. */
    readonly delegationTimeout: Duration.Duration
    /** How many delegations of one task run at once. */
    readonly delegationConcurrency: number
    readonly executor: ExecutorChoice
  }
>()("molecule-effect/services/workspace/WorkspaceSettings") {}
