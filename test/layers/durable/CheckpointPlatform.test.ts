import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as CheckpointPlatform from "../../../src/layers/durable/CheckpointPlatform.ts"
import * as CredentialsMemory from "../../../src/layers/workspace/CredentialsMemory.ts"
import * as PlatformClientHttp from "../../../src/layers/workspace/PlatformClientHttp.ts"
import * as PlatformConfigFixed from "../../../src/layers/workspace/PlatformConfigFixed.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { PlatformClient } from "../../../src/services/platform/PlatformClient.ts"
import * as PlatformSupport from "../../support/platform.ts"
import { checkpointConformance, someWorkspaces } from "./checkpointConformance.ts"

const Client = Layer.unwrap(
  Effect.map(PlatformSupport.TestPlatform, ({ adminToken, url }) =>
    PlatformClientHttp.layer.pipe(
      Layer.provide(CredentialsMemory.layer(Option.some(Redacted.make(adminToken)))),
      Layer.provide(
        PlatformConfigFixed.layer({ platformUrl: url, workspaceId: someWorkspaces[0], stateDirectory: "/nowhere" })
      ),
      Layer.provide(NodeHttpClient.layerUndici)
    )
  )
)

const createTwo = Effect.gen(function* () {
  const { workspaces } = yield* PlatformClient
  const { id: a } = yield* workspaces.create({ payload: { name: "a" } })
  const { id: b } = yield* workspaces.create({ payload: { name: "b" } })
  return [a, b] as const
})

checkpointConformance({
  name: "CheckpointPlatform, over a real platform,",
  // Fresh: the platform has a Checkpoint of its own, and this must not be that.
  layer: Layer.fresh(CheckpointPlatform.layer).pipe(
    Layer.provideMerge(Client),
    Layer.provide(PlatformSupport.layerWith({}))
  ),
  workspaces: Effect.runSync(Effect.cached(Effect.orDie(createTwo))),
  live: true,
  runs: 15
})

const [workspaceId] = someWorkspaces
const input = { workspaceId, workflowId: "w", stepName: "s", stepIndex: 0, payload: null }

const answering = (answer: Response | "no answer", retries = 0) =>
  CheckpointPlatform.layer.pipe(
    Layer.provide(PlatformClientHttp.layerWith({ retries })),
    Layer.provide(CredentialsMemory.layer()),
    Layer.provide(PlatformConfigFixed.layerTest),
    Layer.provide(
      Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make((request) =>
          answer === "no answer"
            ? Effect.fail(
                new HttpClientError({ reason: new TransportError({ request, description: "connection refused" }) })
              )
            : Effect.succeed(HttpClientResponse.fromWeb(request, answer.clone()))
        )
      )
    )
  )

describe("CheckpointPlatform", () => {
  const json = (status: number, body: unknown) => Response.json(body, { status })
  const rejected: ReadonlyArray<readonly [Response, string]> = [
    [
      json(400, { error: "invalid request body", issues: [{ path: "step_name", message: "too long" }] }),
      "step_name: too long"
    ],
    [json(403, { error: "not for you" }), "not for you"],
    [json(404, { error: "workspace not found" }), "workspace not found"],
    [json(413, { error: "request body too large" }), "request body too large"],
    [json(429, { error: "too many checkpoints" }), "too many checkpoints"],
    [new Response("<html>too large", { status: 413 }), "413"]
  ]
  for (const [answer, detail] of rejected) {
    it.effect(`a save that is answered with ${answer.status} (${detail}) is rejected`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* Checkpoint).save(input))
        assert.strictEqual(error._tag, "CheckpointRejected")
        assert.include(error.message, detail)
      }).pipe(Effect.provide(answering(answer)))
    )
  }

  const unavailable = [
    "no answer",
    json(401, { error: "invalid workspace auth token" }),
    json(503, { error: "platform datastore unavailable — retry shortly", code: "platform_unavailable" }),
    json(429, { error: "rate limit exceeded", retry_after: 3 }),
    json(500, { error: "?" }),
    new Response("<html>bad gateway", { status: 502 }),
    new Response("<html>not found", { status: 404 }),
    new Response("<html>welcome to the captive portal", { status: 200 }),
    json(201, { surprising: true })
  ] as const
  for (const answer of unavailable) {
    it.effect(`every operation is unavailable on ${answer === "no answer" ? answer : answer.status}`, () =>
      Effect.gen(function* () {
        const checkpoint = yield* Checkpoint
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
      }).pipe(Effect.provide(answering(answer)))
    )
  }

  it.effect("the platform's own 404 is nothing there", () =>
    Effect.gen(function* () {
      const checkpoint = yield* Checkpoint
      assert.deepStrictEqual(yield* checkpoint.latest(workspaceId), Option.none())
      assert.deepStrictEqual(yield* checkpoint.list(workspaceId, "w"), [])
      assert.strictEqual(yield* checkpoint.clear(workspaceId, "w"), 0)
    }).pipe(Effect.provide(answering(json(404, { error: "no checkpoints" }))))
  )

  it.effect("workflows that a URL cannot name are refused, not sent somewhere else", () =>
    Effect.gen(function* () {
      const checkpoint = yield* Checkpoint
      for (const workflowId of [".", "..", "latest", "\ud800"]) {
        const errors = [
          yield* Effect.flip(checkpoint.save({ ...input, workflowId })),
          yield* Effect.flip(checkpoint.list(workspaceId, workflowId)),
          yield* Effect.flip(checkpoint.clear(workspaceId, workflowId))
        ]
        assert.deepStrictEqual(
          errors.map(({ _tag }) => _tag),
          Array.from({ length: 3 }, () => "CheckpointRejected")
        )
      }
    }).pipe(Effect.provide(answering("no answer")))
  )
})
