import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import * as CheckpointSql from "../../../src/layers/durable/CheckpointSql.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import * as Databases from "../../support/databases.ts"
import { checkpointConformance, someWorkspaces } from "./checkpointConformance.ts"

const over = (filename: string) =>
  CheckpointSql.layer.pipe(
    Layer.provideMerge(Databases.layerFor(filename)),
    Layer.provide(NodeCrypto.layerSecureRandom),
    Layer.fresh
  )

checkpointConformance({ name: "CheckpointSql", layer: over(":memory:") })

const [workspaceId] = someWorkspaces
const input = { workspaceId, workflowId: "w", stepName: "task_receive", stepIndex: 0, payload: { a: [1, "ü"] } }

it.effect("what was saved is there after a restart on the same file, and repeats keep their id over it", () =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const database = over(`${yield* files.makeTempDirectoryScoped()}/a.db`)
    const save = Effect.flatMap(Checkpoint, (checkpoint) => checkpoint.save(input))
    const first = yield* Effect.provide(save, database)
    const list = Effect.flatMap(Checkpoint, (checkpoint) => checkpoint.list(workspaceId, "w"))
    assert.deepStrictEqual(yield* Effect.provide(list, database), [first])
    assert.strictEqual((yield* Effect.provide(save, database)).id, first.id)
  }).pipe(Effect.provide(NodeFileSystem.layer))
)

it.effect("a save is part of the caller's transaction", () =>
  Effect.gen(function* () {
    const checkpoint = yield* Checkpoint
    const sql = yield* SqlClient
    yield* Effect.exit(sql.withTransaction(Effect.andThen(checkpoint.save(input), Effect.fail("no"))))
    assert.deepStrictEqual(yield* checkpoint.list(workspaceId, "w"), [])
  }).pipe(Effect.provide(over(":memory:")))
)

it.effect("a store that fails, or holds what is no checkpoint, is unavailable: an error, not a defect", () =>
  Effect.gen(function* () {
    const checkpoint = yield* Checkpoint
    const sql = yield* SqlClient
    yield* checkpoint.save(input)
    yield* sql`UPDATE workflow_checkpoints SET payload = 'no JSON'`
    assert.strictEqual((yield* Effect.flip(checkpoint.latest(workspaceId)))._tag, "CheckpointUnavailable")
    yield* sql`DROP TABLE workflow_checkpoints`
    const errors = [
      yield* Effect.flip(checkpoint.save(input)),
      yield* Effect.flip(checkpoint.latest(workspaceId)),
      yield* Effect.flip(checkpoint.list(workspaceId, "w")),
      yield* Effect.flip(checkpoint.clear(workspaceId, "w"))
    ]
    assert.deepStrictEqual(
      errors.map(({ _tag }) => _tag),
      Array.from({ length: 4 }, () => "CheckpointUnavailable")
    )
  }).pipe(Effect.provide(over(":memory:")))
)
