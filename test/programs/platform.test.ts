import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { aPort, Machine, start, startPlatform, temporaryDirectory } from "../support/processes.ts"

describe("the platform program", () => {
  it.live("says where it listens and where the token is, never the token; SIGTERM and SIGINT end it with 0", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const port = yield* aPort
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const platform = yield* startPlatform(directory, port)
        yield* platform.signal(signal)
        assert.strictEqual(yield* platform.exitCode, 0, signal)
        const said = yield* platform.output
        assert.include(said, `http://127.0.0.1:${port}`)
        assert.include(said, `${directory}/admin-token`)
        assert.notInclude(said, platform.adminToken)
      }
    }).pipe(Effect.scoped, Effect.provide(Machine))
  )

  it.live(
    "a second one on the same state, on the same port, or with a setting that makes no sense, says so and exits 1",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const port = yield* aPort
        const platform = yield* startPlatform(`${directory}/state`, port)
        const tries: ReadonlyArray<readonly [Record<string, string>, ReadonlyArray<string>]> = [
          [{ MOLECULE_PLATFORM_STATE_DIR: `${directory}/state` }, [`process ${platform.pid}`]],
          [
            { MOLECULE_PLATFORM_STATE_DIR: `${directory}/other`, MOLECULE_PLATFORM_PORT: String(port) },
            [`127.0.0.1:${port}`, "the port is in use", "MOLECULE_PLATFORM_PORT"]
          ],
          [
            { MOLECULE_PLATFORM_STATE_DIR: `${directory}/other`, MOLECULE_PLATFORM_PORT: "no" },
            ["MOLECULE_PLATFORM_PORT"]
          ],
          [
            { MOLECULE_PLATFORM_STATE_DIR: `${directory}/other`, DATABASE_URL: "mysql://me:secret@db/x" },
            ["DATABASE_URL", "postgres://"]
          ],
          [
            { MOLECULE_PLATFORM_STATE_DIR: `${directory}/other`, DATABASE_URL: "postgres://me:secret@127.0.0.1:1/x" },
            ["127.0.0.1:1"]
          ]
        ]
        for (const [environment, expected] of tries) {
          const other = yield* start("platform", [], { MOLECULE_PLATFORM_PORT: "0", ...environment })
          assert.strictEqual(yield* other.exitCode, 1, yield* other.output)
          for (const text of expected) assert.include(yield* other.output, text)
          assert.notInclude(yield* other.output, "secret")
        }
      }).pipe(Effect.scoped, Effect.provide(Machine))
  )

  it.live("kill -9 loses nothing that was answered", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const files = yield* FileSystem.FileSystem
      const port = yield* aPort
      const first = yield* startPlatform(directory, port)
      const made = yield* Effect.forEach(Array.from({ length: 20 }), (_, n) =>
        Effect.flatMap(PlatformClient, ({ workspaces }) => workspaces.create({ payload: { name: `w${n}` } }))
      ).pipe(Effect.provide(first.client))
      yield* first.signal("SIGKILL")
      yield* first.exitCode
      const second = yield* startPlatform(directory, port)
      assert.strictEqual(second.adminToken, first.adminToken)
      const listed = yield* Effect.flatMap(PlatformClient, ({ workspaces }) => workspaces.list()).pipe(
        Effect.provide(second.client)
      )
      assert.deepStrictEqual(
        listed.map(({ id }) => id),
        made.map(({ id }) => id)
      )
      for (const name of yield* files.readDirectory(directory)) {
        if (/admin-token|signing-key|platform\.db/.test(name))
          assert.strictEqual((yield* files.stat(`${directory}/${name}`)).mode & 0o777, 0o600, name)
      }
    }).pipe(Effect.scoped, Effect.provide(Machine))
  )
})
