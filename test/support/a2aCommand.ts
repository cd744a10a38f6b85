/**
 * `a2a` as a process, in one piece as it is installed: the tests start it a hundred times.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
// Nobody's settings, and one cache for all.
const home = mkdtempSync(join(tmpdir(), "molecule-test-a2a-"))

const program = join(home, "dist", "programs", "a2a.js")
copyFileSync(join(root, "package.json"), join(home, "package.json"))
const built = spawnSync(
  process.execPath,
  [
    "--input-type=module",
    "-e",
    `await (await import("./scripts/bundle.mjs")).bundle(${JSON.stringify(join(home, "dist", "programs"))})`
  ],
  { cwd: root, encoding: "utf8" }
)
if (built.status !== 0) throw new Error(`a2a was not bundled: ${built.stderr}`)

/** From the sources, for what only they can show. */
export const sources = join(root, "src", "programs", "a2a.ts")

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts it; `input` goes to its stdin. It gets SIGINT as soon as its stderr matches `interruptAt`, or its
 * stdout `interruptAfter`. */
export const a2aWith = (
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly input?: string
    readonly cwd?: string
    readonly interruptAt?: RegExp
    readonly interruptAfter?: RegExp
    readonly file?: string
    /** Is told what it has said on stderr so far. */
    readonly onStderr?: (stderr: string) => void
  },
  ...args: ReadonlyArray<string>
) =>
  Effect.callback<Ran>((resume) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", options.file ?? program, ...args], {
      cwd: options.cwd ?? home,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, ...options.env }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => {
      stdout += String(chunk)
      if (options.interruptAfter?.test(stdout) === true) child.kill("SIGINT")
    })
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk)
      options.onStderr?.(stderr)
      if (options.interruptAt?.test(stderr) === true) child.kill("SIGINT")
    })
    child.stdin.end(options.input ?? "")
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Runs it. */
export const a2a = (...args: ReadonlyArray<string>) => a2aWith({}, ...args)

/** The lines of text as fields; blocks are left out. */
export const fieldsOf = (text: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>()
  let inBlock = false
  for (const line of text.split("\n")) {
    if (inBlock) {
      inBlock = line !== ""
      continue
    }
    const [, label, value] = /^([A-Za-z ]+):(?: (.*))?$/.exec(line) ?? []
    if (label === undefined) continue
    if (value === undefined) inBlock = true
    else fields.set(label, value)
  }
  return fields
}

/** The JSON objects that it has printed, one a line. */
export const lines = ({ stdout }: Ran) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
/** The one JSON object that it has printed. */
export const only = (ran: Ran) => {
  const all = lines(ran)
  assert.strictEqual(all.length, 1, ran.stdout)
  return all[0]
}
