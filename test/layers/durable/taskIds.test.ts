import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as TaskIds from "../../../src/layers/durable/taskIds.ts"

describe("taskIds", () => {
  it.effect("are UUIDs of version 4, no two alike, across the batches that their randomness comes in", () =>
    Effect.gen(function* () {
      const newId = yield* TaskIds.make
      const ids = yield* Effect.replicateEffect(newId, 1000)
      for (const id of ids) {
        assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      }
      assert.strictEqual(new Set(ids).size, 1000)
      // Each of the four variants, and each digit where a digit is free, comes up among so many.
      for (const place of [0, 15, 20, 35]) assert.strictEqual(new Set(ids.map((id) => id[place])).size, 16)
      assert.strictEqual(new Set(ids.map((id) => id[19])).size, 4)
    }).pipe(Effect.provide(SecureRandom.layerWebCrypto))
  )
})
