/**
 * The Postgres server of the test run: made before the first test of the project `postgres`, gone after the last.
 *
 * @module
 */
import { spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** Vitest's hook: starts the server, and answers what stops it. */
export const setup = async () => {
  const folder = mkdtempSync(join(tmpdir(), "molecule-postgres-"))
  // Run by root, the server is another user's.
  chmodSync(folder, 0o755)
  const program = fileURLToPath(new URL("../../bench/durable/server.ts", import.meta.url))
  const child = spawn(process.execPath, ["--no-warnings", program, join(folder, "data")], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = new Promise((resolve) => child.once("exit", resolve))
  const lines = createInterface(child.stdout)
  const line = await Promise.race([new Promise<string>((resolve) => lines.once("line", resolve)), ended])
  if (typeof line !== "string") throw new Error("the Postgres server of the tests does not start: see above why")
  process.env["MOLECULE_TEST_POSTGRES"] = `postgres://bench:bench@127.0.0.1:${Number(/"port":(\d+)/.exec(line)?.[1])}`
  return async () => {
    child.stdin.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}
