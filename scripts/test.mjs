// `npm test`: installs what is missing, then every check, then the tests. The last line counts: `N passed, N failed`.
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { ensureInstalled, node, root } from "./install.mjs"

const env = ensureInstalled()
const bin = (name) => join(root, "node_modules", ".bin", name)

const run = (command, args, options = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], ...options })
    let output = ""
    child.stdout?.on("data", (chunk) => (output += chunk))
    child.stderr?.on("data", (chunk) => (output += chunk))
    child.on("error", (error) => resolve({ ok: false, output: String(error) }))
    child.on("exit", (code) => resolve({ ok: code === 0, output }))
  })

const typescriptFiles = (dir) =>
  readdirSync(join(root, dir), { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile() && entry.name.endsWith(".ts")).length

// A wrong configuration checks no file and succeeds: the number of files is part of the check.
const diagnostics = async () => {
  const result = await run(bin("effect-tsgo"), ["diagnostics", "--project", "tsconfig.json", "--strict", "--format", "text"])
  const expected = ["src", "test", "examples", "scripts"].reduce((sum, dir) => sum + typescriptFiles(dir), 0)
  const [, checked = "0"] = /Checked (\d+) files/.exec(result.output) ?? []
  if (Number(checked) >= expected && expected > 0) return result
  return { ok: false, output: `${result.output}\n${checked} files were checked, ${expected} are there` }
}

const checks = [
  ["types (tsc)", () => run(bin("tsc"), ["--noEmit"])],
  ["Effect diagnostics", diagnostics],
  ["lint (oxlint)", () => run(bin("oxlint"), ["--type-aware", "src", "test", "examples"])],
  ["format (oxfmt)", () => run(bin("oxfmt"), ["--check", "src", "test", "examples", "scripts"])],
  ["imports and house rules", () => run(node, ["scripts/check-imports.mjs"])]
]

let failed = 0
const check = async ([name, start]) => {
  const { ok, output } = await start()
  console.error(`${ok ? "ok    " : "FAILED"} ${name}`)
  if (!ok) {
    failed++
    console.error(output)
  }
}
// Two at a time: the machines have two cores.
await Promise.all([checks.slice(0, 2), checks.slice(2)].map(async (group) => {
  for (const one of group) await check(one)
}))
if (failed > 0) {
  console.log(`\n0 passed, ${failed} failed`)
  process.exit(1)
}
if (process.argv.includes("--checks")) process.exit(0)
const { ok } = await run(node, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...process.argv.slice(2)], { stdio: "inherit" })
process.exit(ok ? 0 : 1)
