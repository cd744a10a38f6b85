import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AdminTokenFile from "../../../src/layers/platform/AdminTokenFile.ts"
import * as CallerTokenSignerJose from "../../../src/layers/platform/CallerTokenSignerJose.ts"
import { readOrCreate } from "../../../src/layers/platform/secretFile.ts"
import { AdminToken } from "../../../src/services/platform/AdminToken.ts"
import { CallerTokenSigner } from "../../../src/services/platform/CallerTokenSigner.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"

const inDirectory = <A, E, R>(use: (path: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    return yield* use(yield* files.makeTempDirectoryScoped())
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeFileSystem.layer, NodeCrypto.layer)))

const state = (path: string) =>
  Layer.succeed(StateDirectory, StateDirectory.of({ path, file: (name) => `${path}/${name}` }))
const admin = (path: string) => Effect.provide(AdminToken, AdminTokenFile.layer.pipe(Layer.provide(state(path))))
const signer = (path: string) =>
  Effect.provide(CallerTokenSigner, CallerTokenSignerJose.layer.pipe(Layer.provide(state(path))))
const modeOf = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  return (yield* files.stat(path)).mode & 0o777
})

describe("the platform's secrets", () => {
  it.effect("are made once, closed to others, and the same at the next start", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const first = yield* admin(path)
        const second = yield* admin(path)
        assert.match(Redacted.value(first.value), /^[\w-]{43}$/)
        assert.strictEqual(Redacted.value(first.value), Redacted.value(second.value))
        assert.isTrue(second.matches(first.value))
        for (const wrong of ["", "x", `${Redacted.value(first.value)}x`, Redacted.value(first.value).slice(1)]) {
          assert.isFalse(first.matches(Redacted.make(wrong)))
        }
        assert.deepStrictEqual((yield* signer(path)).publicKeys, (yield* signer(path)).publicKeys)
        assert.notInclude(JSON.stringify((yield* signer(path)).publicKeys), '"d"')
        assert.deepStrictEqual((yield* files.readDirectory(path)).sort(), ["admin-token", "signing-key.json"])
        assert.strictEqual(yield* modeOf(`${path}/admin-token`), 0o600)
        assert.strictEqual(yield* modeOf(`${path}/signing-key.json`), 0o600)
      })
    )
  )

  it.effect("when many start at once there is one secret, and no draft is left", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        let made = 0
        const all = yield* Effect.forEach(
          Array.from({ length: 10 }),
          () =>
            readOrCreate(
              `${path}/secret`,
              Effect.sync(() => `secret ${made++}`)
            ),
          { concurrency: 10 }
        )
        assert.strictEqual(new Set(all.map(({ text }) => text)).size, 1)
        assert.deepStrictEqual(yield* files.readDirectory(path), ["secret"])
      })
    )
  )

  it.effect("a file that others could read is closed; one that is no secret is refused with what to do", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        yield* files.writeFileString(`${path}/admin-token`, `${"a".repeat(32)}\n`, { mode: 0o644 })
        assert.isTrue((yield* admin(path)).matches(Redacted.make("a".repeat(32))))
        assert.strictEqual(yield* modeOf(`${path}/admin-token`), 0o600)
        for (const bad of ["", "short", `${"a".repeat(40)} ${"b".repeat(40)}`]) {
          yield* files.writeFileString(`${path}/admin-token`, bad)
          const error = yield* Effect.flip(admin(path))
          assert.include(error.message, "delete the file")
        }
        yield* files.writeFileString(`${path}/signing-key.json`, '{"kty":"OKP"}')
        assert.include((yield* Effect.flip(signer(path))).message, "signing-key.json")
      })
    )
  )

  it.effect("a place that cannot be written says which", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(admin("/dev/null/nowhere"))
      assert.include(error.message, "/dev/null/nowhere/admin-token")
    }).pipe(Effect.provide(Layer.merge(NodeFileSystem.layer, NodeCrypto.layer)))
  )
})
