import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { root } from "./support/processes.ts"

const blocks = (readme: string) => [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code)

const run = (command: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.flatMap(ChildProcessSpawner, (spawner) =>
    spawner.string(ChildProcess.make(command, args, { cwd, stdin: "ignore" }), { includeStderr: true })
  )

describe("README", () => {
  it.live("shows the examples as they are, in at most 25 lines", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const [embed, swap, ...more] = blocks(yield* files.readFileString(`${root}README.md`))
      assert.deepStrictEqual(more, [])
      for (const [block, file] of [
        [embed, "embed.ts"],
        [swap, "swap.test.ts"]
      ] as const) {
        const code = yield* files.readFileString(`${root}examples/${file}`)
        assert.strictEqual(block, code.replace("../src/index.ts", "molecule-effect"))
        assert.isAtMost(code.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("import")).length, 20)
      }
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("its embedding example runs", () =>
    Effect.gen(function* () {
      assert.include((yield* run(process.execPath, [`${root}examples/embed.ts`], root)).split("\n"), "hello world")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  // The registry may be out of reach: what the package depends on is linked from here instead of being installed.
  it.live(
    "the package, as npm would publish it, runs the example in an empty project and ships its programs",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const project = yield* files.makeTempDirectoryScoped({ prefix: "molecule-pack-" })
        const packed = yield* run("npm", ["pack", "--silent", "--pack-destination", project], root)
        const tarball = packed.trim().split("\n").at(-1) ?? ""
        yield* run("tar", ["xzf", tarball], project)
        yield* files.makeDirectory(`${project}/node_modules/@effect`, { recursive: true })
        yield* files.rename(`${project}/package`, `${project}/node_modules/molecule-effect`)
        for (const dependency of ["effect", "@effect/platform-node", "@effect/platform-node-shared", "jose"]) {
          if (yield* files.exists(`${root}node_modules/${dependency}`)) {
            yield* files.symlink(`${root}node_modules/${dependency}`, `${project}/node_modules/${dependency}`)
          }
        }
        yield* files.writeFileString(`${project}/package.json`, `{"type":"module"}`)
        const [embed = ""] = blocks(yield* files.readFileString(`${root}README.md`))
        yield* files.writeFileString(`${project}/app.ts`, embed)
        assert.include((yield* run(process.execPath, ["app.ts"], project)).split("\n"), "hello world")
        const shipped = yield* files.readDirectory(`${project}/node_modules/molecule-effect`)
        assert.sameMembers(
          shipped.filter((name) => !name.startsWith(".")),
          ["LICENSE", "README.md", "dist", "package.json"]
        )
        const help = yield* run(
          process.execPath,
          ["node_modules/molecule-effect/dist/programs/local.js", "--help"],
          project
        )
        assert.include(help, "--once")
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )
})
