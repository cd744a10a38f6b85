/**
 * Ends vitest's output with one line that counts: `N passed, N failed`.
 *
 * @module
 */
import type { Reporter, TestModule } from "vitest/node"

/** A vitest reporter; the numbers are the runner's own. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>): void {
    let passed = 0
    // An error outside of any test is a failure too, and so is a file that could not be loaded.
    let failed = errors.length
    // A path that names no test is a mistake, not a success.
    if (modules.length === 0 && failed === 0) failed++
    for (const module of modules) {
      let tests = 0
      for (const test of module.children.allTests()) {
        tests++
        const { state } = test.result()
        if (state === "passed") passed++
        else if (state === "failed") failed++
      }
      if (tests === 0 && module.state() === "failed") failed++
    }
    // At exit, so that it comes after vitest's own summary.
    process.once("exit", () => process.stdout.write(`\n${passed} passed, ${failed} failed\n`))
  }
}
