// `npm start`: installs what is missing, then runs the local team on the Node that the project pins.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { ensureInstalled, node, root } from "./install.mjs"

const env = ensureInstalled()
const program = join(root, "src", "programs", "local.ts")
const child = spawn(node, ["--disable-warning=ExperimentalWarning", program, ...process.argv.slice(2)], { cwd: root, env, stdio: "inherit" })

// Ctrl-C in a terminal reaches the child by itself, being sent to the whole foreground group; it must not get it twice.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) child.kill("SIGINT")
})
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))

child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  for (const handled of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(handled)
  process.kill(process.pid, signal)
})
