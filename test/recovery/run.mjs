// `npm run recovery` and `npm run soak`: installs what is missing, then runs the program on the Node that the project pins.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { ensureInstalled, node, root } from "../../scripts/install.mjs"

const [name, ...given] = process.argv.slice(2)
const env = ensureInstalled()

// In a process group of its own: Ctrl-C in a terminal then reaches it through us alone, once. The channel tells it when we
// are gone, however we went.
const child = spawn(
  node,
  ["--disable-warning=ExperimentalWarning", join(root, "test", "recovery", `${name}.ts`), ...given],
  { cwd: root, env, stdio: ["ignore", "inherit", "inherit", "ipc"], detached: true }
)

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
