/**
 * The platform program's settings from the environment: every variable in one place.
 *
 * @module
 */
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { isAbsolute, resolve } from "node:path"
import { AllowedRange } from "../../services/platform/AddressPolicy.ts"
import { PlatformSettings, settingsDefaults } from "../../services/platform/PlatformSettings.ts"

const positive = (name: string) =>
  Config.schema(Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThan(0)), name)
const split = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
const bytes = (name: string, fallback: number) =>
  Config.ByteSize(name).pipe(Config.withDefault(ByteSize.bytes(fallback)), Config.map(ByteSize.toNumberUnsafe))

const duration = (name: string, fallback: Duration.Duration) => Config.Duration(name).pipe(Config.withDefault(fallback))

const port = Config.schema(
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 65535 })),
  "MOLECULE_PLATFORM_PORT"
)

const httpUrl = Schema.String.check(
  Schema.isPattern(/^https?:\/\/[^\s/]+/, { message: "must be an http or https URL" })
)

const isNetwork = Schema.makeFilter((range: AllowedRange) =>
  !range.includes("/") || Result.isSuccess(IpNetwork.fromString(range))
    ? undefined
    : `${range} is not a network: the first address of one and its prefix, as in 10.1.0.0/16`
)
const Ranges = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Array(AllowedRange.check(isNetwork)),
    SchemaTransformation.transform({ decode: split, encode: (ranges) => ranges.join(",") })
  )
)

// The URL has a password in it: what is wrong is said without showing it.
const PostgresUrl = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.isPattern(/^postgres(ql)?:\/\/[^\s/]+\/[^\s/]+/, {
      message: "must be the URL of a Postgres database, as in postgres://user:password@host:5432/database"
    })
  )
)

/** Where the state lives if nobody says: `~/.molecule/platform`. */
const stateDirectory = Config.option(Config.NonEmptyString("MOLECULE_PLATFORM_STATE_DIR")).pipe(
  Config.flatMap(
    Option.match({
      onNone: () => Config.map(Config.NonEmptyString("HOME"), (home) => `${home}/.molecule/platform`),
      onSome: (path) => Config.succeed(isAbsolute(path) ? path : resolve(path))
    })
  )
)

/**
 * The variables and their defaults. A value that cannot be understood is a `ConfigError` that names its variable.
 *
 * **Details**
 *
 * Durations are written as in `90 seconds`, sizes as in `1 MiB`, lists with commas. The addresses are `public`,
 * `loopback`, `private`, or networks such as `10.1.0.0/16`.
 */
export const config = Config.all({
  host: Config.NonEmptyString("MOLECULE_PLATFORM_HOST").pipe(Config.withDefault(settingsDefaults.host)),
  port: port.pipe(Config.withDefault(settingsDefaults.port)),
  stateDirectory,
  databaseUrl: Config.option(Config.schema(PostgresUrl, "DATABASE_URL")).pipe(Config.map(Option.getOrUndefined)),
  allowedAddresses: Config.schema(Ranges, "MOLECULE_PLATFORM_ALLOWED_ADDRESSES").pipe(
    Config.withDefault(settingsDefaults.allowedAddresses)
  ),
  externalUrl: Config.option(Config.schema(httpUrl, "MOLECULE_PLATFORM_EXTERNAL_URL")).pipe(
    Config.map((url) => Option.getOrUndefined(Option.map(url, (text) => text.replace(/\/+$/, ""))))
  ),
  corsOrigins: Config.String("MOLECULE_PLATFORM_CORS_ORIGINS").pipe(
    Config.map(split),
    Config.withDefault(settingsDefaults.corsOrigins)
  ),
  maxBodyBytes: bytes("MOLECULE_PLATFORM_MAX_BODY", settingsDefaults.maxBodyBytes),
  maxAgentAnswerBytes: bytes("MOLECULE_PLATFORM_MAX_AGENT_ANSWER", settingsDefaults.maxAgentAnswerBytes),
  requestsPerMinute: positive("MOLECULE_PLATFORM_RATE_LIMIT").pipe(
    Config.withDefault(settingsDefaults.requestsPerMinute)
  ),
  offlineAfter: duration("MOLECULE_PLATFORM_OFFLINE_AFTER", settingsDefaults.offlineAfter),
  sweepInterval: duration("MOLECULE_PLATFORM_SWEEP_INTERVAL", settingsDefaults.sweepInterval),
  agentIdleTimeout: duration("MOLECULE_PLATFORM_AGENT_IDLE_TIMEOUT", settingsDefaults.agentIdleTimeout),
  agentTimeout: duration("MOLECULE_PLATFORM_AGENT_TIMEOUT", settingsDefaults.agentTimeout),
  streamStall: duration("MOLECULE_PLATFORM_STREAM_STALL", settingsDefaults.streamStall),
  offlineGrace: duration("MOLECULE_PLATFORM_OFFLINE_GRACE", settingsDefaults.offlineGrace),
  queueLimit: positive("MOLECULE_PLATFORM_QUEUE_LIMIT").pipe(Config.withDefault(settingsDefaults.queueLimit)),
  queueWait: duration("MOLECULE_PLATFORM_QUEUE_WAIT", settingsDefaults.queueWait),
  queueExpiry: duration("MOLECULE_PLATFORM_QUEUE_EXPIRY", settingsDefaults.queueExpiry),
  queueLease: duration("MOLECULE_PLATFORM_QUEUE_LEASE", settingsDefaults.queueLease),
  maxCheckpoints: positive("MOLECULE_PLATFORM_MAX_CHECKPOINTS").pipe(
    Config.withDefault(settingsDefaults.maxCheckpoints)
  )
})

/** The settings as the environment gives them. */
export const layer = Layer.effect(PlatformSettings, Effect.map(config, PlatformSettings.of))
