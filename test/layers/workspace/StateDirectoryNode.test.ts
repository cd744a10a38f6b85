import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { fileURLToPath } from "node:url"
import * as StateDirectoryNode from "../../../src/layers/workspace/StateDirectoryNode.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"

const use = (path: string) => Effect.provide(StateDirectory, StateDirectoryNode.layerWith({ path }))

const holder = fileURLToPath(new URL("./stateDirectoryHolder.ts", import.meta.url))

describe("StateDirectoryNode", () => {
  it.live("makes the directory 0700, also where it was open to others, and notes its format", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = `${yield* files.makeTempDirectoryScoped()}/a/b`
      const state = yield* use(path)
      assert.strictEqual(state.file("x"), `${path}/x`)
      assert.strictEqual((yield* files.stat(path)).mode & 0o777, 0o700)
      assert.strictEqual(yield* files.readFileString(`${path}/format`), `{"format":1}`)
      yield* files.chmod(path, 0o755)
      yield* use(path)
      assert.strictEqual((yield* files.stat(path)).mode & 0o777, 0o700)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("refuses a newer format, and one that it cannot read", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${path}/format`, `{"format":2}`)
      const newer = yield* Effect.flip(use(path))
      assert.deepInclude(newer.reason, { _tag: "TooNew", found: 2, supported: 1 })
      yield* files.writeFileString(`${path}/format`, "?")
      assert.strictEqual((yield* Effect.flip(use(path))).reason._tag, "Inaccessible")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("says what is wrong with a path that cannot be used", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(use("/dev/null/state"))
      assert.strictEqual(error.reason._tag, "Inaccessible")
      assert.include(error.message, "/dev/null/state")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("leaves a folder alone that is somebody's, named by mistake", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${path}/notes.txt`, "mine")
      yield* files.chmod(path, 0o755)
      const error = yield* Effect.flip(use(path))
      assert.strictEqual(error.reason._tag, "Inaccessible")
      assert.include(error.message, "not ours")
      assert.strictEqual((yield* files.stat(path)).mode & 0o777, 0o755)
      assert.deepStrictEqual(yield* files.readDirectory(path), ["notes.txt"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("a lock that is damaged is not one that is held", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${path}/lock`, "this is no database, but quite long enough for one ".repeat(50))
      const error = yield* Effect.flip(use(path))
      assert.strictEqual(error.reason._tag, "Inaccessible")
      assert.include(error.message, "not a database")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it("knows network file systems by their number, signed or not, and takes local ones for local", () => {
    assert.strictEqual(StateDirectoryNode.networkFileSystem(0x6969), "NFS")
    assert.strictEqual(StateDirectoryNode.networkFileSystem(0xff534d42), "CIFS")
    assert.strictEqual(StateDirectoryNode.networkFileSystem(0xff534d42 | 0), "CIFS")
    const local = {
      ext4: 0xef53,
      xfs: 0x58465342,
      btrfs: 0x9123683e,
      tmpfs: 0x01021994,
      overlay: 0x794c7630,
      "9p": 0x01021997,
      fuse: 0x65735546
    }
    for (const [name, type] of Object.entries(local)) {
      assert.isUndefined(StateDirectoryNode.networkFileSystem(type), name)
    }
  })

  it.live("is held by one process, which a second is told of, and is free again after kill -9", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempDirectoryScoped()
      const child = yield* ChildProcess.make(process.execPath, ["--disable-warning=ExperimentalWarning", holder, path])
      yield* child.stdout.pipe(
        Stream.decodeText,
        Stream.filter((text) => text.includes("held")),
        Stream.take(1),
        Stream.runDrain
      )
      const refused = yield* Effect.flip(use(path))
      assert.deepInclude(refused.reason, { _tag: "InUse", pid: Number(child.pid) })
      assert.include(refused.message, `process ${child.pid}`)
      process.kill(Number(child.pid), "SIGKILL")
      yield* Effect.retry(use(path), Schedule.max([Schedule.spaced("20 millis"), Schedule.recurs(200)]))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is held within one process too", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempDirectoryScoped()
      yield* Layer.build(StateDirectoryNode.layerWith({ path }))
      assert.deepInclude((yield* Effect.flip(use(path))).reason, { _tag: "InUse", pid: process.pid })
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
