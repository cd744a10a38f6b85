import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The tests of programs mostly wait for processes: more workers than cores keep the cores busy.
    maxWorkers: 3,
    reporters: ["default", "./scripts/summary-reporter.ts"]
  }
})
