// Completes package-lock.json: adds the entries of optional packages for other systems that `npm install` leaves out
// when its registry does not have them, without which `npm ci` refuses the lockfile. They carry no integrity; a registry
// that has them should be used to refresh the lock before a release. Run it after each `npm install`.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const file = fileURLToPath(new URL("../package-lock.json", import.meta.url))
const lock = JSON.parse(readFileSync(file, "utf8"))
const systems = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
  "wasi"
]
const processors = [
  "arm64",
  "arm",
  "x64",
  "ia32",
  "ppc64le",
  "ppc64",
  "riscv64",
  "s390x",
  "loong64",
  "mips64el",
  "wasm32"
]

let added = 0
for (const [, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`
    if (lock.packages[path] !== undefined) continue
    const words = name.split(/[/\-.@]/)
    const os = systems.filter((system) => words.includes(system))
    const cpu = processors.filter((processor) => words.includes(processor) || words.includes(`${processor}v7`))
    const libc = words.includes("musl")
      ? ["musl"]
      : words.some((word) => word === "gnu" || word === "glibc")
        ? ["glibc"]
        : undefined
    lock.packages[path] = {
      version: version.replace(/^[\^~]/, ""),
      ...(cpu.length > 0 ? { cpu } : {}),
      ...(entry.dev === true ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      ...(os.length > 0 ? { os } : {})
    }
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, JSON.stringify(lock, null, 2) + "\n")
console.log(`${added} entries added`)
