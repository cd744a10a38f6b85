// `npm run build`: dist from src, anew, with `a2a` in one piece. The programs of `bin` get the line that lets a shell run them.
import { spawnSync } from "node:child_process"
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundle } from "./bundle.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const shebang = "#!/usr/bin/env node\n"

rmSync(join(root, "dist"), { recursive: true, force: true })
const { status } = spawnSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})
if (status !== 0) process.exit(status ?? 1)

await bundle(join(root, "dist", "programs"))

const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
for (const program of Object.values(bin)) {
  const file = join(root, program)
  const text = readFileSync(file, "utf8")
  if (!text.startsWith("#!")) writeFileSync(file, shebang + text)
  chmodSync(file, 0o755)
}
