import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, online, send } from "./call.ts"

describe("a restart on the same directory", () => {
  it.live("loses nothing: workspaces, tree, tokens, checkpoints, admin token, signing key", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const stateDirectory = yield* files.makeTempDirectoryScoped()
      const snapshot = Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const get = (path: string, bearer?: string) =>
          Effect.map(send({ method: "GET", path, bearer }), ({ status, text }) => ({ status, text }))
        return { adminToken, get }
      })

      const before = yield* Effect.gen(function* () {
        const { adminToken, get } = yield* snapshot
        const parent = yield* create({ name: "parent" })
        const own = yield* online("http://127.0.0.1:9/", { parent_id: parent.id })
        const gone = yield* create()
        yield* send({ method: "DELETE", path: `/workspaces/${gone.id}`, bearer: adminToken })
        const checkpoint = { workflow_id: "w", step_name: "s", payload: { a: [1] } }
        yield* send({ method: "POST", path: `/workspaces/${own.id}/checkpoints`, bearer: own.token, json: checkpoint })
        const seen = [
          yield* get("/workspaces", adminToken),
          yield* get("/.well-known/jwks.json"),
          yield* get(`/workspaces/${own.id}/checkpoints/w`, own.token),
          yield* get(`/registry/${own.id}/peers`, own.token),
          yield* get(`/workspaces/${gone.id}/state`, gone.token)
        ]
        return { adminToken, gone, own, seen }
      }).pipe(Effect.provide(layerWith({ stateDirectory })))

      yield* Effect.gen(function* () {
        const { adminToken, get } = yield* snapshot
        const { gone, own, seen } = before
        assert.strictEqual(adminToken, before.adminToken)
        assert.deepStrictEqual(
          [
            yield* get("/workspaces", adminToken),
            yield* get("/.well-known/jwks.json"),
            yield* get(`/workspaces/${own.id}/checkpoints/w`, own.token),
            yield* get(`/registry/${own.id}/peers`, own.token),
            yield* get(`/workspaces/${gone.id}/state`, gone.token)
          ],
          seen
        )
        const beat = yield* send({
          method: "POST",
          path: "/registry/heartbeat",
          bearer: own.token,
          json: { workspace_id: own.id }
        })
        assert.strictEqual(beat.status, 200)
      }).pipe(Effect.provide(layerWith({ stateDirectory })))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
