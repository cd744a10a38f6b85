// Installs what is missing, as the lockfile says. Plain JavaScript without dependencies: it runs on a machine that has
// only git, npm and some Node.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))
export const node = join(root, "node_modules", ".bin", "node")

const lockfile = join(root, "package-lock.json")
// What was installed last, by us; and what npm leaves behind, whoever called it.
const ours = join(root, "node_modules", ".installed-lock")
const npms = join(root, "node_modules", ".package-lock.json")

const digest = () => createHash("sha256").update(readFileSync(lockfile)).digest("hex")

// The lockfile's time changes with each checkout, its content does not.
const installed = () =>
  existsSync(node) &&
  ((existsSync(ours) && readFileSync(ours, "utf8") === digest()) ||
    (existsSync(npms) && statSync(npms).mtimeMs >= statSync(lockfile).mtimeMs))

/** Makes node_modules match the lockfile, and answers the environment in which its programs are found first. */
export const ensureInstalled = () => {
  if (process.platform === "win32") {
    console.error(
      "molecule-effect runs on Linux and macOS. On Windows, use WSL: https://learn.microsoft.com/windows/wsl/install"
    )
    process.exit(1)
  }
  if (!installed()) {
    console.error("installing what is missing (npm ci)")
    // npm's output goes to standard error: standard output belongs to the program.
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2]
    })
    if (status !== 0) process.exit(status ?? 1)
    writeFileSync(ours, digest())
  }
  return { ...process.env, PATH: join(root, "node_modules", ".bin") + delimiter + (process.env.PATH ?? "") }
}
