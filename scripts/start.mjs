// `npm start`: installs what is missing, then runs the local team on the Node that the project pins.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { ensureInstalled, node, root } from "./install.mjs"

const env = ensureInstalled()
const program = join(root, "src", "programs", "local.ts")

// In a process group of its own: Ctrl-C in a terminal, which is sent to the whole foreground group, then reaches the
// program through us alone, once.
const child = spawn(node, ["--disable-warning=ExperimentalWarning", program, ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: "inherit",
  detached: true
})

// npm passes on the SIGINT that the terminal has sent us too. A closed terminal (SIGHUP) is an orderly end as well: by
// default it would end the program at once, and leave its team running.
const forwarded = new Map([
  ["SIGINT", "SIGINT"],
  ["SIGTERM", "SIGTERM"],
  ["SIGHUP", "SIGTERM"]
])
const repeatMillis = 1000
let lastForwarded = -Infinity
for (const [received, sent] of forwarded) {
  process.on(received, () => {
    const now = performance.now()
    if (now - lastForwarded < repeatMillis) return
    lastForwarded = now
    child.kill(sent)
  })
}

child.on("error", (error) => {
  console.error(`${node} does not start: ${error.message}. Remove node_modules and run npm start again.`)
  process.exit(1)
})
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  for (const received of forwarded.keys()) process.removeAllListeners(received)
  process.kill(process.pid, signal)
})
