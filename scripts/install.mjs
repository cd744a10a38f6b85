// Installs what is missing, as the lockfile says. Plain JavaScript without dependencies: it runs on a machine that has
// only git, npm and some Node.
import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))
export const node = join(root, "node_modules", ".bin", "node")

const installed = () => {
  const marker = join(root, "node_modules", ".package-lock.json")
  return (
    existsSync(node) &&
    existsSync(marker) &&
    statSync(marker).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs
  )
}

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
  }
  return { ...process.env, PATH: join(root, "node_modules", ".bin") + delimiter + (process.env.PATH ?? "") }
}
