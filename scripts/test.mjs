// `npm test`: installs what is missing, then every check, then the tests. The last line counts: `N passed, N failed`.
// `npm test -- <path>` runs the tests of that path only; `npm run check` runs the checks without tests.
import { spawn } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { ensureInstalled, node, root } from "./install.mjs"

const onlyChecks = process.argv.includes("--checks")
const testArguments = process.argv.slice(2).filter((argument) => argument !== "--checks")

// Whatever ends us before vitest has counted is one failure.
let counted = onlyChecks
process.on("exit", (code) => {
  if (code !== 0 && !counted) process.stdout.write("\n0 passed, 1 failed\n")
})

const env = ensureInstalled()
const bin = (name) => join(root, "node_modules", ".bin", name)

const children = new Set()
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of children) child.kill("SIGTERM")
    process.exit(1)
  })
}

const run = (command, args, { onOutput, ...options } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], ...options })
    children.add(child)
    let output = ""
    const take = (chunk) => {
      output += chunk
      onOutput?.(chunk)
    }
    child.stdout?.on("data", take)
    child.stderr?.on("data", take)
    child.on("error", (error) => resolve({ ok: false, output: `${command}: ${error.message}` }))
    child.on("close", (code) => {
      children.delete(child)
      resolve({ ok: code === 0, output })
    })
  })

// As `include` of tsconfig.json says.
const typescriptFiles = () => {
  const count = (dir, recursive) =>
    existsSync(join(root, dir))
      ? readdirSync(join(root, dir), { withFileTypes: true, recursive }).filter(
          (entry) => entry.isFile() && entry.name.endsWith(".ts")
        ).length
      : 0
  return (
    ["src", "test", "bench", "examples"].reduce((sum, dir) => sum + count(dir, true), 0) +
    count("scripts", false) +
    readdirSync(root).filter((name) => name.endsWith(".config.ts")).length
  )
}

// A wrong configuration checks no file and succeeds: the number of files is part of the check.
const diagnostics = async () => {
  const args = ["diagnostics", "--project", "tsconfig.json", "--strict", "--format", "text"]
  const { ok, output } = await run(bin("effect-tsgo"), args)
  const expected = typescriptFiles()
  const [, checked = "0"] = /Checked (\d+) files/.exec(output) ?? []
  if (Number(checked) === expected && expected > 0) return { ok, output }
  return {
    ok: false,
    output: `${output}\n${checked} files were checked, ${expected} are there: see include in tsconfig.json`
  }
}

const checks = [
  { name: "types (tsc)", start: () => run(bin("tsc"), ["--noEmit"]) },
  { name: "Effect diagnostics (effect-tsgo)", start: diagnostics },
  { name: "lint (oxlint)", start: () => run(bin("oxlint"), ["--type-aware"]) },
  { name: "format (oxfmt; npm run format mends it)", start: () => run(bin("oxfmt"), ["--check"]) },
  { name: "imports and house rules (check-imports)", start: () => run(node, ["scripts/check-imports.mjs"]) }
]

let failed = 0
const waiting = [...checks]
const checkOn = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { name, start } = next
    const { ok, output } = await start()
    console.error(ok ? `ok      ${name}` : `\nFAILED  ${name}\n\n${output.trim()}\n`)
    if (!ok) failed++
  }
}
// Two at a time: the machines have two cores.
await Promise.all([checkOn(), checkOn()])
if (failed > 0) {
  console.error(`${failed} of ${checks.length} checks failed; the tests were not run`)
  process.exit(1)
}
if (onlyChecks) process.exit(0)

console.error("\ntests (vitest)")
const colours = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}
const { ok, output } = await run(node, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...testArguments], {
  env: { ...env, ...colours },
  stdio: ["ignore", "pipe", "inherit"],
  onOutput: (chunk) => process.stdout.write(chunk)
})
counted = /\n\d+ passed, \d+ failed\s*$/.test(output)
process.exitCode = ok && counted ? 0 : 1
