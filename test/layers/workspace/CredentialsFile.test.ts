import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as CredentialsFile from "../../../src/layers/workspace/CredentialsFile.ts"
import * as CredentialsMemory from "../../../src/layers/workspace/CredentialsMemory.ts"
import { Credentials } from "../../../src/services/workspace/Credentials.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"

const at = (path: string, initial?: string) =>
  CredentialsFile.layerWith({
    initial: Option.map(Option.fromUndefinedOr(initial), (token) => Redacted.make(token))
  }).pipe(
    Layer.provide(Layer.succeed(StateDirectory, StateDirectory.of({ path, file: (name) => `${path}/${name}` }))),
    Layer.provide(NodeServices.layer)
  )

const load = Effect.map(
  Effect.flatMap(Credentials, (credentials) => credentials.load),
  (token) => Option.getOrUndefined(Option.map(token, Redacted.value))
)
const store = (token: string) => Effect.flatMap(Credentials, (credentials) => credentials.store(Redacted.make(token)))

const directory = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempDirectoryScoped()
  return { files, path, file: `${path}/token` }
}).pipe(Effect.provide(NodeServices.layer))

describe("CredentialsFile", () => {
  it.effect(
    "there is no token until one is stored; then it is there for every later reader, in a file of mode 0600",
    () =>
      Effect.gen(function* () {
        const { file, files, path } = yield* directory
        const first = at(path)
        yield* Effect.gen(function* () {
          assert.isUndefined(yield* load)
          yield* store(" one\n")
          assert.strictEqual(yield* load, "one")
          yield* store("two")
          assert.strictEqual(yield* load, "two")
        }).pipe(Effect.provide(first))
        assert.strictEqual((yield* files.stat(file)).mode & 0o777, 0o600)
        assert.strictEqual(yield* Effect.provide(load, at(path)), "two")
        assert.deepStrictEqual(yield* files.readDirectory(path), ["token"])
      })
  )

  it.effect("the current token is not written again", () =>
    Effect.gen(function* () {
      const { file, files, path } = yield* directory
      yield* Effect.gen(function* () {
        yield* store("one")
        const before = yield* files.stat(file)
        yield* store("one")
        assert.deepStrictEqual((yield* files.stat(file)).ino, before.ino)
        yield* store("two")
        assert.notDeepEqual((yield* files.stat(file)).ino, before.ino)
      }).pipe(Effect.provide(at(path)))
    })
  )

  it.effect("an empty or damaged file is no token; a new one takes its place, whatever a crash left beside it", () =>
    Effect.gen(function* () {
      const { file, files, path } = yield* directory
      yield* Effect.gen(function* () {
        for (const content of ["", "  \n", "two words", "line\nbreak", "\u0000\u0001", "tökén"]) {
          yield* files.writeFileString(file, content)
          assert.isUndefined(yield* load, JSON.stringify(content))
        }
        yield* files.writeFile(file, new Uint8Array([0xff, 0xfe, 0x80]))
        assert.isUndefined(yield* load)
        yield* files.writeFileString(`${file}.new`, "half a tok")
        yield* store("whole")
        assert.strictEqual(yield* load, "whole")
      }).pipe(Effect.provide(at(path)))
      assert.deepStrictEqual(yield* files.readDirectory(path), ["token"])
    })
  )

  it.effect("the initial token counts until the file has one, and is not written by itself", () =>
    Effect.gen(function* () {
      const { file, files, path } = yield* directory
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* load, "initial")
        assert.isFalse(yield* files.exists(file))
        yield* store("issued")
        assert.strictEqual(yield* load, "issued")
      }).pipe(Effect.provide(at(path, "initial")))
      assert.strictEqual(yield* Effect.provide(load, at(path, "initial")), "issued")
    })
  )

  it.effect("many at once leave one of theirs, whole", () =>
    Effect.gen(function* () {
      const { path } = yield* directory
      const tokens = Array.from({ length: 20 }, (_, n) => `token-${n}`)
      yield* Effect.gen(function* () {
        yield* Effect.forEach(tokens, store, { concurrency: 5, discard: true })
        assert.include(tokens, yield* load)
      }).pipe(Effect.provide(at(path)))
    })
  )

  it.effect("a place that cannot be read or written is an error that names it, and not the token", () =>
    Effect.gen(function* () {
      const { file, files, path } = yield* directory
      yield* files.makeDirectory(file)
      yield* Effect.gen(function* () {
        const loading = yield* Effect.flip(load)
        assert.deepInclude(loading, { _tag: "CredentialsError", operation: "load", path: file })
        const storing = yield* Effect.flip(store("secret"))
        assert.deepInclude(storing, { _tag: "CredentialsError", operation: "store" })
        assert.notInclude(storing.message, "secret")
      }).pipe(Effect.provide(at(path)))
      const nowhere = yield* Effect.flip(Effect.provide(store("secret"), at("/dev/null/x")))
      assert.deepInclude(nowhere, { operation: "store", path: "/dev/null/x/token" })
    })
  )
})

describe("CredentialsMemory", () => {
  it.effect("begins with what it is given, and keeps what it is told", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* load, "one")
      yield* store("two")
      assert.strictEqual(yield* load, "two")
    }).pipe(Effect.provide(CredentialsMemory.layer(Option.some(Redacted.make("one")))))
  )
})
