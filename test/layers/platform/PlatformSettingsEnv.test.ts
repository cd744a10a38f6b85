import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as PlatformSettingsEnv from "../../../src/layers/platform/PlatformSettingsEnv.ts"
import { PlatformSettings, settingsDefaults } from "../../../src/services/platform/PlatformSettings.ts"

const read = (environment: Record<string, string>) =>
  Effect.provide(
    PlatformSettings,
    PlatformSettingsEnv.layer.pipe(
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ HOME: "/home/me", ...environment })))
    )
  )

describe("PlatformSettingsEnv", () => {
  it.effect("without any variable: the defaults, and a directory in the home folder", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        { ...(yield* read({})) },
        { ...settingsDefaults, stateDirectory: "/home/me/.molecule/platform" }
      )
    })
  )

  it.effect("every variable", () =>
    Effect.gen(function* () {
      const settings = yield* read({
        MOLECULE_PLATFORM_HOST: "0.0.0.0",
        MOLECULE_PLATFORM_PORT: "0",
        MOLECULE_PLATFORM_STATE_DIR: "/var/lib/molecule",
        DATABASE_URL: "postgres://me:secret@db.example:5432/molecule",
        MOLECULE_PLATFORM_ALLOWED_ADDRESSES: "private, 100.64.0.0/10 ,fd00::/8",
        MOLECULE_PLATFORM_EXTERNAL_URL: "https://platform.example/",
        MOLECULE_PLATFORM_CORS_ORIGINS: "https://a.example,https://b.example",
        MOLECULE_PLATFORM_MAX_BODY: "2 MiB",
        MOLECULE_PLATFORM_MAX_AGENT_ANSWER: "1 MiB",
        MOLECULE_PLATFORM_RATE_LIMIT: "10",
        MOLECULE_PLATFORM_OFFLINE_AFTER: "2 minutes",
        MOLECULE_PLATFORM_SWEEP_INTERVAL: "1 second",
        MOLECULE_PLATFORM_AGENT_IDLE_TIMEOUT: "1 minute",
        MOLECULE_PLATFORM_AGENT_TIMEOUT: "2 minutes",
        MOLECULE_PLATFORM_STREAM_STALL: "3 minutes",
        MOLECULE_PLATFORM_OFFLINE_GRACE: "4 minutes",
        MOLECULE_PLATFORM_QUEUE_LIMIT: "8",
        MOLECULE_PLATFORM_QUEUE_WAIT: "5 minutes",
        MOLECULE_PLATFORM_QUEUE_EXPIRY: "6 minutes",
        MOLECULE_PLATFORM_QUEUE_LEASE: "7 minutes",
        MOLECULE_PLATFORM_MAX_CHECKPOINTS: "7"
      })
      assert.deepStrictEqual(
        { ...settings },
        {
          host: "0.0.0.0",
          port: 0,
          stateDirectory: "/var/lib/molecule",
          databaseUrl: Redacted.make("postgres://me:secret@db.example:5432/molecule"),
          allowedAddresses: ["private", "100.64.0.0/10", "fd00::/8"],
          externalUrl: "https://platform.example",
          corsOrigins: ["https://a.example", "https://b.example"],
          maxBodyBytes: 2 * 1024 * 1024,
          maxAgentAnswerBytes: 1024 * 1024,
          requestsPerMinute: 10,
          offlineAfter: Duration.minutes(2),
          sweepInterval: Duration.seconds(1),
          agentIdleTimeout: Duration.minutes(1),
          agentTimeout: Duration.minutes(2),
          streamStall: Duration.minutes(3),
          offlineGrace: Duration.minutes(4),
          queueLimit: 8,
          queueWait: Duration.minutes(5),
          queueExpiry: Duration.minutes(6),
          queueLease: Duration.minutes(7),
          maxCheckpoints: 7
        }
      )
    })
  )

  const bad: ReadonlyArray<readonly [string, string]> = [
    ["MOLECULE_PLATFORM_PORT", "80a"],
    ["MOLECULE_PLATFORM_PORT", "65536"],
    ["MOLECULE_PLATFORM_ALLOWED_ADDRESSES", "everything"],
    ["MOLECULE_PLATFORM_ALLOWED_ADDRESSES", "10.0.0.0/99"],
    ["MOLECULE_PLATFORM_ALLOWED_ADDRESSES", "300.0.0.0/8"],
    ["MOLECULE_PLATFORM_EXTERNAL_URL", "platform.example"],
    ["MOLECULE_PLATFORM_RATE_LIMIT", "0"],
    ["MOLECULE_PLATFORM_MAX_BODY", "much"],
    ["MOLECULE_PLATFORM_OFFLINE_AFTER", "soon"]
  ]
  for (const [name, value] of bad) {
    it.effect(`${name}=${value} is refused by name`, () =>
      Effect.gen(function* () {
        assert.include((yield* Effect.flip(read({ [name]: value }))).message, name)
      })
    )
  }
})
