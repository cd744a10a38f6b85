import { defineConfig } from "vitest/config"

/**
 * What runs on a database of the platform runs on Postgres, too. Not the tests of sweeps in virtual time: that goes on while
 * Postgres answers.
 */
const onDatabases = [
  "test/layers/platform/{access,checkpoints,registry,relayForward,relayInbox,relayQueue,restart}.test.ts",
  "test/layers/platform/{defectsIdentity,defectsMessages,orgTokens,robustness,storeFailure,tokens,workspaces}.test.ts",
  "test/layers/durable/CheckpointSql.test.ts",
  "test/layers/sql/{dialect,migrate}.test.ts",
  "test/programs/platform.test.ts"
]

export default defineConfig({
  test: {
    // The tests of programs mostly wait for processes: more workers than cores keep the cores busy.
    maxWorkers: 3,
    reporters: ["default", "./scripts/summary-reporter.ts"],
    projects: [
      {
        test: {
          name: "main",
          include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000
        }
      },
      {
        test: {
          name: "postgres",
          include: onDatabases,
          env: { MOLECULE_TEST_DATABASE: "postgres" },
          globalSetup: "./test/support/postgresServer.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000
        }
      }
    ]
  }
})
