import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { create, layerWith, send } from "./call.ts"

const Rows = Schema.Array(Schema.Struct({ step_name: Schema.String, step_index: Schema.Int, payload: Schema.Json }))
const Saved = Schema.Struct({ id: Schema.String })

describe("checkpoints over HTTP", () => {
  layer(layerWith({ maxCheckpoints: 5 }))((it) => {
    it.effect("a repeat replaces and keeps its id; lists by index downwards; latest is the last one written", () =>
      Effect.gen(function* () {
        const own = yield* create()
        const path = `/workspaces/${own.id}/checkpoints`
        const save = (json: unknown) => send({ method: "POST", path, bearer: own.token, json })
        const first = yield* save({ workflow_id: "w/1 ?", step_name: "a", payload: { n: "\u0000", m: null } })
        const second = yield* save({ workflow_id: "w/1 ?", step_name: "b", step_index: 1 })
        assert.deepStrictEqual([first.status, second.status], [201, 201])
        const again = yield* save({ workflow_id: "w/1 ?", step_name: "a", step_index: 0, payload: [1] })
        assert.strictEqual(
          (yield* Schema.decodeUnknownEffect(Saved)(again.json)).id,
          (yield* Schema.decodeUnknownEffect(Saved)(first.json)).id
        )
        const one = `${path}/${encodeURIComponent("w/1 ?")}`
        const list = yield* send({ method: "GET", path: one, bearer: own.token })
        assert.deepStrictEqual(
          (yield* Schema.decodeUnknownEffect(Rows)(list.json)).map(({ payload, step_index, step_name }) => ({
            payload,
            step_index,
            step_name
          })),
          [
            { payload: null, step_index: 1, step_name: "b" },
            { payload: [1], step_index: 0, step_name: "a" }
          ]
        )
        const latest = yield* send({ method: "GET", path: `${path}/latest`, bearer: own.token })
        assert.deepInclude(latest.json, { step_name: "a", workspace_id: own.id })
        const deleted = yield* send({ method: "DELETE", path: one, bearer: own.token })
        assert.deepStrictEqual(deleted.json, { deleted: 2, workflow_id: "w/1 ?" })
        assert.deepStrictEqual((yield* send({ method: "GET", path: one, bearer: own.token })).json, {
          error: "no checkpoints found for workflow"
        })
        assert.deepStrictEqual((yield* send({ method: "DELETE", path: one, bearer: own.token })).status, 404)
        const none = yield* send({ method: "GET", path: `${path}/latest`, bearer: own.token })
        assert.deepStrictEqual([none.status, none.json], [404, { error: "no checkpoints found for workspace" }])
      })
    )

    it.effect("names are bounded, long ones work in paths, and there is a limit to their number", () =>
      Effect.gen(function* () {
        const own = yield* create()
        const path = `/workspaces/${own.id}/checkpoints`
        const save = (json: unknown) => send({ method: "POST", path, bearer: own.token, json })
        const long = "ü".repeat(255)
        assert.strictEqual((yield* save({ workflow_id: long, step_name: long })).status, 201)
        assert.strictEqual(
          (yield* send({ method: "GET", path: `${path}/${encodeURIComponent(long)}`, bearer: own.token })).status,
          200
        )
        const bad = [
          { workflow_id: `${long}x`, step_name: "a" },
          { workflow_id: "", step_name: "a" },
          { workflow_id: "a" },
          { workflow_id: "a", step_name: "a", step_index: 2147483648 },
          { workflow_id: "a", step_name: "a", step_index: 0.5 },
          { workflow_id: "\ud800", step_name: "a" }
        ]
        for (const json of bad) assert.strictEqual((yield* save(json)).status, 400, JSON.stringify(json))
        for (let n = 1; n < 5; n++)
          assert.strictEqual((yield* save({ workflow_id: "w", step_name: `s${n}` })).status, 201)
        const full = yield* save({ workflow_id: "w", step_name: "one more" })
        assert.strictEqual(full.status, 429)
        assert.isUndefined(full.headers["retry-after"])
        // What is there is written over nevertheless, and what is cleared makes room.
        const again = yield* save({ workflow_id: "w", step_name: "s1", payload: "again" })
        assert.strictEqual(again.status, 201)
        assert.strictEqual((yield* save({ workflow_id: "w", step_name: "one more" })).status, 429)
        const cleared = yield* send({ method: "DELETE", path: `${path}/w`, bearer: own.token })
        assert.deepStrictEqual(cleared.json, { deleted: 4, workflow_id: "w" })
        assert.strictEqual((yield* save({ workflow_id: "w", step_name: "one more" })).status, 201)
      })
    )
  })
})
