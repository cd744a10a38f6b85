import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Stream from "effect/Stream"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../scripts/check-imports.mjs", import.meta.url))

// Runs the check on a repository of these files.
const checkFiles = Effect.fn("checkFiles")(function* (files: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "check-imports-" })
  for (const [file, text] of Object.entries(files)) {
    yield* fs.makeDirectory(path.join(root, path.dirname(file)), { recursive: true })
    yield* fs.writeFileString(path.join(root, file), text)
  }
  const child = yield* ChildProcess.make(process.execPath, [script, root])
  const output = yield* Stream.mkString(Stream.decodeText(child.all))
  return { code: Number(yield* child.exitCode), lines: output.trimEnd().split("\n") }
}, Effect.scoped)

const service = (name: string, key: string) => `/** A service. */
export class ${name} extends Context.Service<
  ${name},
  { readonly f: (a: ReadonlyArray<string>) => Effect.Effect<void> }
>()("${key}") {}
`

const overload = `/** Both. */
export function both(a: string): string
export function both(a: number): number
export function both(a: string | number) {
  return a
}
`

// Everything here is allowed, and much of it looks like what is not.
const allowed = {
  "src/index.ts": `export { A } from "./services/one/A.ts"\nexport * as ASql from "./layers/one/ASql.ts"\n`,
  "src/services/one/A.ts":
    `import * as Context from "effect/Context"\nimport type * as SqlClient from "effect/sql/SqlClient"\n` +
    `import * as HttpApi from "effect/http-api/HttpApi"\nimport * as Workflow from "effect/workflow/Workflow"\n` +
    `import { B } from "../two/B.ts"\n${service("A", "molecule-effect/services/one/A")}` +
    service("Second", "molecule-effect/services/one/A/Second"),
  "src/services/two/B.ts": `/** B: never \`as any\`, never process.env, no console.log, async or not. */\nexport const B = "process.env as any"\n`,
  "src/layers/one/ASql.ts":
    `import * as SqlClient from "effect/sql/SqlClient"\nimport { readFile } from "node:fs"\n` +
    `import { A } from "../../services/one/A.ts"\nimport { B } from "../../services/two/B.ts"\n` +
    `import * as Db from "../sql/Db.ts"\nimport { help } from "./help.ts"\n${overload}` +
    "/** A text. */\nexport const text = `new Promise ${help(`as any ${B}`)} setTimeout(`\n" +
    `/** It has a quote in it. */\nexport const pattern = /["'/]as any/\n/** Bounded. */\nexport const n = { concurrency: 4, async: true } // Date.now()\n`,
  "src/layers/one/help.ts": `/** The same text. */\n// oxlint-disable-next-line some-rule\nexport const help = (a: string) => a\n`,
  "src/layers/sql/Db.ts": `/** A table. */\nexport type Db = "db"\n`,
  "src/programs/ending.ts": `/** How it ends. */\nexport const ending = 0\n`,
  "src/programs/main.ts": `import { ending } from "./ending.ts"\nimport * as ASql from "../layers/one/ASql.ts"\nimport { A } from "../services/one/A.ts"\nvoid [ASql, A, ending]\n`,
  "test/a.test.ts": `import { main } from "../src/programs/main.ts"\nconst x = main as any\n`
}

const key = (own: string) => `molecule-effect/${own}`
const documented = (code: string) => `/** It is. */\nexport const it = ${code}\n`

// Each file breaks one rule, on the line given.
const broken: ReadonlyArray<readonly [file: string, line: number, message: string, text: string]> = [
  [
    "src/services/a/ImportsLayer.ts",
    2,
    "a contract imports src/layers/a/L.ts",
    `\nimport { L } from "../../layers/a/L.ts"\n`
  ],
  ["src/services/a/ImportsIndex.ts", 1, "a contract imports src/index.ts", `import { L } from "../../index.ts"\n`],
  ["src/services/a/ImportsProgram.ts", 1, "imports the program src/programs/p.ts", `import "../../programs/p.ts"\n`],
  ["src/services/a/Node.ts", 1, "node:fs in a contract", `import type { Stats } from "node:fs"\n`],
  ["src/services/a/PlatformNode.ts", 1, "in a contract", `import * as N from "@effect/platform-node/NodeFileSystem"\n`],
  ["src/services/a/Package.ts", 1, "the package jose in a contract", `import { jwtVerify } from "jose"\n`],
  [
    "src/services/a/Unstable.ts",
    2,
    "effect/sql/SqlClient is unstable",
    `import * as E from "effect/Effect"\nimport * as S from "effect/sql/SqlClient"\n`
  ],
  [
    "src/services/a/Engine.ts",
    1,
    "effect/workflow/WorkflowEngine is unstable",
    `import * as W from "effect/workflow/WorkflowEngine"\n`
  ],
  [
    "src/layers/a/OtherRoom.ts",
    5,
    "room a imports a layer of room b",
    `import {\n  one,\n  two\n} from "./x.ts"\nimport { three } from "../b/y.ts"\n`
  ],
  ["src/layers/local/Demo.ts", 1, "room local imports a layer of room a", `export { L } from "../a/L.ts"\n`],
  ["src/layers/a/Program.ts", 1, "imports the program", `const p = import("../../programs/p.ts")\n`],
  ["src/layers/a/Entry.ts", 1, "a layer imports src/index.ts", `import { L } from "../../index.ts"\n`],
  ["src/layers/a/index.ts", 1, "an index file", "\n"],
  ["src/layers/a/Barrel.ts", 1, "the barrel effect", `import { Effect } from "effect"\n`],
  ["src/layers/a/FolderBarrel.ts", 1, "the barrel effect/sql", `import { SqlClient } from "effect/sql"\n`],
  [
    "test/Barrel.test.ts",
    1,
    "the barrel @effect/platform-node",
    `import { NodeRuntime } from "@effect/platform-node"\n`
  ],
  ["src/index.ts", 1, "imports the program src/programs/p.ts", `export * as P from "./programs/p.ts"\n`],
  ["examples/e.ts", 1, "imports the program", `import { p } from "../src/programs/p.ts"\n`],
  ["src/layers/a/Long.ts", 401, "401 lines", "\n".repeat(401)],
  ["test/Long.test.ts", 402, "402 lines", "\n".repeat(402)],
  ["bench/long.ts", 401, "401 lines", "\n".repeat(401)],
  ["src/layers/a/Bare.ts", 1, "bare has no doc comment", "export const bare = 1\n"],
  ["src/layers/a/LineComment.ts", 2, "slow has no doc comment", "// not a doc comment\nexport function slow() {}\n"],
  ["src/layers/a/Apart.ts", 3, "Apart has no doc comment", "/** It is. */\n\nexport interface Apart {}\n"],
  [
    "src/layers/a/Header.ts",
    5,
    "Header has no doc comment",
    "/**\n * A file.\n * @module\n */\nexport type Header = 1\n"
  ],
  ["src/services/a/Key.ts", 2, "the key molecule-effect/services/b/Key", service("Key", key("services/b/Key"))],
  ["src/services/a/Foreign.ts", 2, "the key other/Foreign", service("Foreign", "other/Foreign")],
  [
    "src/services/a/Twice.ts",
    7,
    "is also at src/services/a/Twice.ts:2",
    service("Twice", key("services/a/Twice")).repeat(2)
  ],
  [
    "src/services/a/Reference.ts",
    2,
    "the key x",
    documented(`Context.Reference<number>("x", { defaultValue: () => 1 })`)
  ],
  [
    "src/services/a/Variable.ts",
    2,
    "a service whose key is not a plain string",
    documented("Context.Service<A, B>()(name)")
  ],
  ["src/layers/a/Env.ts", 2, "process.env: use Config", documented("process.env.HOME")],
  ["src/layers/a/Now.ts", 2, "Date.now: use Clock", documented("Date.now()")],
  ["src/layers/a/Random.ts", 2, "Math.random: use Random", documented("Math.random()")],
  ["src/layers/a/Console.ts", 2, "console.: use", documented("() => console.log(1)")],
  ["src/layers/a/Timer.ts", 2, "setTimeout(: use", documented("setTimeout(f, 1)")],
  ["src/layers/a/NewPromise.ts", 2, "new Promise: use", documented("new Promise(f)")],
  ["src/layers/a/Async.ts", 2, "async: use Effect.fn", documented("async () => 1")],
  ["src/layers/a/AsyncMethod.ts", 2, "async: use Effect.fn", documented("{ async f() {} }")],
  ["src/layers/a/Unbounded.ts", 2, `concurrency: "unbounded": use`, documented(`{ concurrency: "unbounded" }`)],
  ["src/layers/a/AsAny.ts", 2, "as any: use", documented("1 as any")],
  ["src/layers/a/InTemplate.ts", 2, "as any: use", documented("`a ${1 as any} b`")],
  ["src/layers/a/AsUnknown.ts", 2, "as unknown as: use", documented("1 as unknown as string")],
  ["src/layers/a/Ignore.ts", 1, "// @ts-ignore", `// @ts-ignore\nimport "./x.ts"\n`]
]

layer(NodeServices.layer)("check-imports", (it) => {
  it.effect("leaves alone what the rules allow", () =>
    Effect.gen(function* () {
      const { code, lines } = yield* checkFiles(allowed)
      assert.deepStrictEqual(lines, [`${Object.keys(allowed).length} files keep the house rules`])
      assert.strictEqual(code, 0)
    })
  )

  it.effect("finds each violation, its file and its line, and nothing else", () =>
    Effect.gen(function* () {
      const { code, lines } = yield* checkFiles(Object.fromEntries(broken.map(([file, , , text]) => [file, text])))
      for (const [file, line, message] of broken) {
        const [found = "", ...further] = lines.filter((one) => one.startsWith(`${file}:`))
        assert.isTrue(
          found.startsWith(`${file}:${line}: `) && found.includes(message),
          `${file}:${line}: ${message}: ${found}`
        )
        assert.deepStrictEqual(further, [])
      }
      assert.strictEqual(lines.at(-1), `${broken.length} problems in ${broken.length} files`)
      assert.strictEqual(code, 1)
    })
  )

  it.effect("fails where there is nothing to check", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* checkFiles({ "src/a.txt": "" })).code, 1)
    })
  )
})
