// The house rules that no linter knows: who may import whom, one key for each service, a comment on every export,
// files of a readable length, and no back door around Effect. `node scripts/check-imports.mjs [folder]`.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { codeOf } from "./source-text.mjs"

const root = resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)))
const maxLines = 400

const files = (dir) =>
  existsSync(join(root, dir))
    ? readdirSync(join(root, dir), { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
        .sort()
    : []

const problems = []
const report = (file, line, what, remedy) => problems.push(`${file}:${line}: ${what}: ${remedy}`)

const place = (file) => {
  const [top, floor, room] = file.split("/")
  return top === "src" ? { floor, room } : { floor: top, room: undefined }
}

// Effect's modules in folders are tagged unstable and may change in a minor, so contracts must not hang on them, except
// for those that are definitions and data.
const unstable = /^effect\/[^/]+\//
const definitions = /^effect\/(encoding\/.+|http-api\/.+|workflow\/Workflow|rpc\/(Rpc|RpcGroup))$/

const checkContractImport = (file, line, specifier, typeOnly) => {
  if (specifier.startsWith("node:") || specifier.startsWith("@effect/")) {
    report(file, line, `${specifier} in a contract`, "move what needs it to src/layers")
  } else if (typeOnly || specifier.startsWith(".")) {
    return
  } else if (!/^effect(\/|$)/.test(specifier)) {
    report(file, line, `the package ${specifier} in a contract`, "import it as a type, or move its use to src/layers")
  } else if (unstable.test(specifier) && !definitions.test(specifier)) {
    report(file, line, `${specifier} is unstable`, "import it as a type, or move its use to src/layers")
  }
}

// What every room stands on: the database driver, the writing of files, and the journal.
const infrastructure = new Set(["sql", "disk", "journal", "tracing"])

const checkImport = (file, line, specifier, typeOnly) => {
  const from = place(file)
  if (/^(effect|@effect\/platform-node(-shared)?)$/.test(specifier) || /^effect\/[a-z-]+$/.test(specifier)) {
    report(file, line, `the barrel ${specifier}`, "import the module itself, such as effect/Effect")
  }
  if (from.floor === "services") checkContractImport(file, line, specifier, typeOnly)
  if (!specifier.startsWith(".")) return
  const target = relative(root, resolve(root, dirname(file), specifier))
  if (!target.startsWith("src/")) return
  const to = place(target)
  if (to.floor === "programs" && !["programs", "test", "scripts"].includes(from.floor)) {
    report(file, line, `imports the program ${target}`, "programs are the top floor; move what is shared to a layer")
  }
  if (from.floor === "services" && !["services", "programs"].includes(to.floor)) {
    report(file, line, `a contract imports ${target}`, "contracts know contracts only")
  }
  if (from.floor === "layers" && !["services", "layers", "programs"].includes(to.floor)) {
    report(file, line, `a layer imports ${target}`, "import the module itself")
  }
  if (from.floor === "layers" && to.floor === "layers" && to.room !== from.room && !infrastructure.has(to.room)) {
    report(
      file,
      line,
      `room ${from.room} imports a layer of room ${to.room}`,
      "ask for its contract, and let a program provide the layer"
    )
  }
}

const banned = [
  [/\bprocess\s*\.\s*env\b/g, "Config"],
  [/\bDate\s*\.\s*now\b/g, "Clock"],
  [/\bMath\s*\.\s*random\b/g, "Random"],
  [/(?<![.\w$])console\s*\./g, "Effect.log, or effect/Console in a program"],
  [/\bsetTimeout\s*\(/g, "Effect.sleep or a Schedule"],
  [/\bnew\s+Promise\b/g, "Effect.callback or Effect.tryPromise"],
  [/(?<![.\w$"])async(?=\s+[\w*(]|\s*\()/g, "Effect.fn"],
  [/\bconcurrency:\s*"unbounded"/g, "a number, from the settings where it matters"],
  [/\bas\s+any\b/g, "a Schema, or the right type"],
  [/\bas\s+unknown\s+as\b/g, "a Schema, or the right type"]
]

// The position after the type arguments that begin at `at`, where `=>` closes nothing.
const afterTypeArguments = (code, at) => {
  if (code[at] !== "<") return at
  let depth = 0
  for (let i = at; i < code.length; i++) {
    if (code[i] === "<") depth++
    else if (code[i] === ">" && code[i - 1] !== "=" && --depth === 0) return i + 1
  }
  return code.length
}

const keys = new Map()

const checkKeys = (file, text, code, lineOf) => {
  const own = `molecule-effect/${file.slice("src/".length, -".ts".length)}`
  for (const match of code.matchAll(/\b(?:Context|HttpApiMiddleware)\.(?:Service|Reference)(?=\s*[<(])/g)) {
    const line = lineOf(match.index)
    const end = afterTypeArguments(code, match.index + match[0].length)
    const call = /^\s*(?:\(\s*\)\s*)?\(\s*"/.exec(code.slice(end))
    if (call === null) {
      report(file, line, "a service whose key is not a plain string", `write "${own}"`)
      continue
    }
    const start = end + call[0].length
    const key = text.slice(start, text.indexOf('"', start))
    const name = key.startsWith(`${own}/`) ? key.slice(own.length + 1) : undefined
    if (key !== own && !/^\w+$/.test(name ?? "")) {
      report(file, line, `the key ${key}`, `write ${own}, or ${own}/<Name> for a second one`)
    }
    const other = keys.get(key)
    if (other !== undefined)
      report(file, line, `the key ${key} is also at ${other}`, "two services of one key share a slot")
    else keys.set(key, `${file}:${line}`)
  }
}

const declaration =
  /^export\s+(?:default\s+|abstract\s+|async\s+|declare\s+)*(const|let|var|class|interface|function\*?|namespace|enum|type(?!\s*[{*]))\s+(\w+)/

const checkComments = (file, lines, codeLines) => {
  let before
  codeLines.forEach((line, index) => {
    const match = declaration.exec(line)
    if (match === null) return
    // The further signatures of one overloaded function share its comment.
    const overload = match[1] === "function" && before === match[2]
    before = match[1] === "function" ? match[2] : undefined
    if (overload) return
    let above = index - 1
    // A directive for a checker may stand between.
    while (above >= 0 && /^\s*\/\/ (@effect-diagnostics|oxlint-disable|eslint-disable)/.test(lines[above])) above--
    let open = above
    if (/\*\/\s*$/.test(lines[above] ?? "")) while (open > 0 && !/^\s*\/\*/.test(lines[open])) open--
    const comment = lines.slice(Math.max(open, 0), above + 1).join("\n")
    if (!/^\s*\/\*\*[^]*\*\/\s*$/.test(comment) || /@module\b/.test(comment)) {
      report(file, index + 1, `${match[2]} has no doc comment directly above`, "say what it is, its units, its errors")
    }
  })
}

const check = (file) => {
  const text = readFileSync(join(root, file), "utf8")
  const code = codeOf(text)
  const lines = text.split("\n")
  const lineOf = (index) => text.slice(0, index).split("\n").length
  const lineCount = text.endsWith("\n") ? lines.length - 1 : lines.length
  const top = file.split("/")[0]
  if (top !== "scripts" && lineCount > maxLines) {
    report(file, lineCount, `${lineCount} lines`, `split it: a file has at most ${maxLines}`)
  }

  const imports = /(?:^|[\n;])[ \t]*(?:import|export)\s+(type\s+)?(?:[\w$*{},\s]*?\bfrom\s+)?"|\bimport\s*\(\s*"/g
  for (const match of code.matchAll(imports)) {
    const start = match.index + match[0].length
    const at = lineOf(match.index + match[0].search(/\S/) + (match[0].startsWith(";") ? 1 : 0))
    checkImport(file, at, text.slice(start, text.indexOf('"', start)), match[1] !== undefined)
  }
  if (top !== "src") return

  if (file.endsWith("/index.ts") && file !== "src/index.ts")
    report(file, 1, "an index file", "import the module itself")
  checkKeys(file, text, code, lineOf)
  checkComments(file, lines, code.split("\n"))
  for (const [pattern, remedy] of banned) {
    for (const match of code.matchAll(pattern)) {
      report(file, lineOf(match.index), match[0].replace(/\s+/g, " "), `use ${remedy}`)
    }
  }
  for (const match of text.matchAll(/(?:\/\/|\/\*)\s*@ts-(?:ignore|expect-error|nocheck)/g)) {
    report(file, lineOf(match.index), match[0], "use the right type")
  }
}

const checked = ["src", "test", "bench", "examples", "scripts"].flatMap(files)
checked.forEach(check)
if (checked.length === 0) report(root, 0, "no .ts file found", "give the repository's folder")

if (problems.length > 0) {
  console.error(problems.join("\n"))
  console.error(`${problems.length} ${problems.length === 1 ? "problem" : "problems"} in ${checked.length} files`)
  process.exit(1)
}
console.log(`${checked.length} files keep the house rules`)
