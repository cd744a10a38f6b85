// `npm run bench`: installs what is missing, then runs the benches on the Node that the project pins.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { ensureInstalled, node, root } from "../scripts/install.mjs"

const env = ensureInstalled()
const program = join(root, "bench", "main.ts")

// In a process group of its own: Ctrl-C in a terminal then reaches it through us alone, once. The channel tells it
// when we are gone, however we went.
const child = spawn(node, ["--disable-warning=ExperimentalWarning", program, ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: ["ignore", "inherit", "inherit", "ipc"],
  detached: true
})

// npm passes on the SIGINT that the terminal has sent us too: only the first counts.
let asked = false
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (!asked) child.kill("SIGTERM")
    asked = true
  })
}

child.on("error", (error) => {
  process.stderr.write(`${node} does not start: ${error.message}. Remove node_modules, then try again.\n`)
  process.exit(1)
})
child.on("exit", (code) => process.exit(asked ? 130 : (code ?? 1)))
