// The house rules that no linter knows: who may import whom, one key for each service, a comment on every export,
// files of a readable length, and no back door around Effect. `node scripts/check-imports.mjs [folder]`.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)))
const maxLines = 400

const files = (dir) =>
  existsSync(join(root, dir))
    ? readdirSync(join(root, dir), { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    : []

const problems = []
const report = (file, line, what, remedy) => problems.push(`${file}:${line}: ${what}: ${remedy}`)

// Modules of Effect that are tagged unstable and may change in a minor: contracts must not hang on them, except for the
// three that are data (HttpApi, Workflow, Rpc).
const unstable = /^effect\/(http|sql|cluster|cli|process|persistence|observability|socket|ai|reactivity|workflow)\//
const data = /^effect\/(http-api\/|workflow\/Workflow$|rpc\/)/

const place = (file) => {
  const [src, floor, room] = file.split("/")
  return src === "src" ? { floor, room } : { floor: src, room: undefined }
}

const checkImport = (file, line, specifier, typeOnly) => {
  const from = place(file)
  if (/^(effect|@effect\/platform-node)$/.test(specifier)) {
    report(file, line, `the barrel of ${specifier}`, "import the module itself, such as effect/Effect")
  }
  if (from.floor === "services") {
    if (specifier.startsWith("node:") || specifier.startsWith("@effect/")) report(file, line, `${specifier} in a contract`, "move what needs it to src/layers")
    if (!typeOnly && unstable.test(specifier) && !data.test(specifier)) report(file, line, `${specifier} is unstable`, "import it as a type, or move its use to src/layers")
  }
  if (!specifier.startsWith(".")) return
  const target = relative(root, resolve(root, dirname(file), specifier))
  const to = place(target)
  if (!target.startsWith("src/") || !file.startsWith("src/")) return
  if (to.floor === "programs" && from.floor !== "programs") report(file, line, "imports a program", "programs are the top floor; move what is shared to a layer")
  if (from.floor === "services" && to.floor !== "services") report(file, line, `a contract imports ${target}`, "contracts know contracts only")
  if (from.floor === "layers" && to.floor === "layers" && to.room !== from.room && to.room !== "sql") {
    report(file, line, `room ${from.room} imports a layer of room ${to.room}`, "ask for its contract, and let a program provide the layer")
  }
}

const banned = [
  [/process\.env/, "Config"],
  [/\bDate\.now\(/, "Clock"],
  [/\bMath\.random\(/, "Random"],
  [/\bconsole\.(log|error|warn|info|debug)\b/, "Effect.log, or Effect's Console in a program"],
  [/[^.\w]setTimeout\(/, "Effect.sleep or a Schedule"],
  [/\bnew Promise\b/, "Effect.callback"],
  [/[^.\w]async\s+(function|\(|\w+\s*=>)/, "Effect.fn"],
  [/concurrency:\s*"unbounded"/, "a number from the settings"],
  [/\bas any\b/, "a Schema, or the right type"],
  [/\bas unknown as\b/, "a Schema, or the right type"],
  [/@ts-(ignore|expect-error|nocheck)/, "the right type"]
]

const keys = new Map()

for (const file of files("src")) {
  const lines = readFileSync(join(root, file), "utf8").split("\n")
  const text = lines.join("\n")
  const lineOf = (index) => text.slice(0, index).split("\n").length
  if (file.endsWith("/index.ts") && file !== "src/index.ts") report(file, 1, "an index file", "import the module itself")
  for (const match of text.matchAll(/(?:^|\n)(import|export)\s+(type\s+)?[^;"]*?from\s+"([^"]+)"/g)) {
    checkImport(file, lineOf(match.index + 1), match[3], match[2] !== undefined)
  }
  for (const match of text.matchAll(/"(molecule-effect\/(?:services|layers|programs)\/[^"]+)"/g)) {
    const key = match[1]
    const own = `molecule-effect/${file.slice("src/".length, -".ts".length)}`
    if (key !== own && !key.startsWith(`${own}/`)) report(file, lineOf(match.index), `the key ${key}`, `write ${own}, or ${own}/<Name> for a second one`)
    if (keys.has(key)) report(file, lineOf(match.index), `the key ${key} is also in ${keys.get(key)}`, "two services of one key share a slot")
    keys.set(key, file)
  }
  lines.forEach((line, index) => {
    const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, "").replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (quoted === '"unbounded"' ? quoted : '""'))
    for (const [pattern, remedy] of banned) if (pattern.test(code)) report(file, index + 1, line.trim(), `use ${remedy}`)
    if (/^export (default |abstract )?(const|let|class|type|interface|function|namespace)\b/.test(line)) {
      const above = lines[index - 1] ?? ""
      if (!/\*\/\s*$/.test(above)) report(file, index + 1, "an export without a doc comment", "say what it is, its units, its errors")
    }
  })
}
for (const file of [...files("src"), ...files("test"), ...files("bench"), ...files("examples")]) {
  const count = readFileSync(join(root, file), "utf8").split("\n").length - 1
  if (count > maxLines) report(file, count, `${count} lines`, `split it: files stay under ${maxLines}`)
}

if (problems.length > 0) {
  console.error(problems.join("\n"))
  console.error(`${problems.length} problems`)
  process.exit(1)
}
console.log(`${files("src").length} files of src keep the house rules`)
