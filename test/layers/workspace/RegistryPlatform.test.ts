import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as PlatformClientAdmin from "../../../src/layers/local/PlatformClientAdmin.ts"
import * as CredentialsMemory from "../../../src/layers/workspace/CredentialsMemory.ts"
import * as PlatformClientHttp from "../../../src/layers/workspace/PlatformClientHttp.ts"
import * as PlatformConfigFixed from "../../../src/layers/workspace/PlatformConfigFixed.ts"
import * as RegistryPlatform from "../../../src/layers/workspace/RegistryPlatform.ts"
import { PlatformClient } from "../../../src/services/platform/PlatformClient.ts"
import { Credentials, CredentialsError } from "../../../src/services/workspace/Credentials.ts"
import { Registry } from "../../../src/services/workspace/Registry.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"
import * as PlatformSupport from "../../support/platform.ts"

const announcement = { url: "http://127.0.0.1:9", agentCard: { name: "me" } }

const workspace = Effect.fnUntraced(function* (workspaceId: WorkspaceId, token: Option.Option<string>) {
  const { url } = yield* PlatformSupport.TestPlatform
  return RegistryPlatform.layer.pipe(
    Layer.provide(PlatformClientHttp.layer),
    Layer.provideMerge(CredentialsMemory.layer(Option.map(token, (value) => Redacted.make(value)))),
    Layer.provide(PlatformConfigFixed.layer({ platformUrl: url, workspaceId, stateDirectory: "/x" })),
    Layer.provide(NodeHttpClient.layerUndici),
    Layer.fresh
  )
})

const Admin = Layer.unwrap(
  Effect.map(PlatformSupport.TestPlatform, ({ adminToken, url }) =>
    PlatformClientAdmin.layerWith({ platformUrl: url, adminToken: Redacted.make(adminToken) })
  )
).pipe(Layer.provide(NodeHttpClient.layerUndici), Layer.provideMerge(PlatformSupport.layerWith({})))

const loaded = Effect.map(
  Effect.flatMap(Credentials, ({ load }) => load),
  (token) => Option.getOrUndefined(Option.map(token, Redacted.value))
)

layer(Admin, { excludeTestServices: true })("RegistryPlatform, over a real platform", (it) => {
  it.effect("registers, beats, finds its peers, and is told when it was deleted", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* PlatformClient
      const parent = yield* workspaces.create({ payload: { name: "parent", url: "http://127.0.0.1:8" } })
      const child = yield* workspaces.create({ payload: { name: "child", parent_id: parent.id } })
      const token = child.connection?.auth_token
      yield* Effect.gen(function* () {
        const registry = yield* Registry
        yield* registry.register(announcement)
        assert.strictEqual(yield* loaded, token)
        yield* registry.heartbeat({ active_tasks: 1, current_task: "thinking" })
        const seen = yield* workspaces.get({ params: { id: child.id } })
        assert.deepInclude(seen, { status: "online", active_tasks: 1, url: announcement.url })
        assert.deepInclude(yield* registry.state, { status: "online", paused: false, deleted: false })
        assert.deepStrictEqual(
          (yield* registry.peers).map(({ name }) => name),
          ["parent"]
        )
        yield* workspaces.delete({ params: { id: child.id }, query: {} })
        assert.deepStrictEqual(yield* registry.state, {
          workspace_id: child.id,
          status: "removed",
          paused: false,
          deleted: true
        })
        const beat = yield* Effect.flip(registry.heartbeat({}))
        assert.deepInclude(beat, { _tag: "RegistryRefused", status: 401 })
        assert.include(beat.message, "WORKSPACE_AUTH_TOKEN")
      }).pipe(Effect.provide(yield* workspace(child.id, Option.fromUndefinedOr(token))))
    })
  )

  it.effect("keeps the token that a workspace is given at its first registration", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* PlatformClient
      // Created with its URL it is not given a token: the first registration is.
      const { id } = yield* workspaces.create({ payload: { name: "first", url: announcement.url } })
      yield* Effect.gen(function* () {
        const registry = yield* Registry
        yield* registry.register(announcement)
        assert.isNotEmpty(yield* loaded)
        yield* registry.heartbeat({})
      }).pipe(Effect.provide(yield* workspace(id, Option.none())))
      const stranger = yield* workspace(id, Option.none())
      const refused = yield* Effect.flip(
        Effect.provide(
          Effect.flatMap(Registry, (registry) => registry.register(announcement)),
          stranger
        )
      )
      assert.deepInclude(refused, { _tag: "RegistryRefused", status: 401, operation: "register" })
    })
  )

  it.effect("is refused where it is unknown, and where the hierarchy does not connect", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* PlatformClient
      const unknown = yield* workspace(WorkspaceId.make("00000000-0000-4000-8000-000000000001"), Option.some("nobody"))
      const error = yield* Effect.flip(
        Effect.provide(
          Effect.flatMap(Registry, (registry) => registry.register(announcement)),
          unknown
        )
      )
      assert.strictEqual(error._tag, "RegistryRefused")
      const one = yield* workspaces.create({ payload: { name: "one" } })
      const two = yield* workspaces.create({ payload: { name: "two" } })
      const below = yield* workspaces.create({
        payload: { name: "below", parent_id: two.id, url: "http://127.0.0.1:7" }
      })
      const discover = Effect.flatMap(Registry, (registry) => registry.discover(below.id))
      const token = Option.fromUndefinedOr(one.connection?.auth_token)
      const refused = yield* Effect.flip(Effect.provide(discover, yield* workspace(one.id, token)))
      assert.deepInclude(refused, { _tag: "RegistryRefused", status: 403 })
      const tokenOfParent = Option.fromUndefinedOr(two.connection?.auth_token)
      const found = yield* Effect.result(Effect.provide(discover, yield* workspace(two.id, tokenOfParent)))
      assert.isTrue(found._tag === "Success" || found.failure._tag === "RegistryUnavailable", String(found))
    })
  )
})

describe("RegistryPlatform", () => {
  const answering = (answer: Response | "no answer", credentials = CredentialsMemory.layer()) =>
    RegistryPlatform.layer.pipe(
      Layer.provide(PlatformClientHttp.layerWith({ retries: 0 })),
      Layer.provideMerge(credentials),
      Layer.provide(PlatformConfigFixed.layerTest),
      Layer.provide(
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make((request) =>
            answer === "no answer"
              ? Effect.fail(new HttpClientError({ reason: new TransportError({ request, description: "refused" }) }))
              : Effect.succeed(HttpClientResponse.fromWeb(request, answer.clone()))
          )
        )
      )
    )
  const json = (status: number, body: unknown) => Response.json(body, { status })

  const unavailable = [
    "no answer",
    json(503, { error: "platform datastore unavailable — retry shortly", code: "platform_unavailable" }),
    json(429, { error: "rate limit exceeded", retry_after: 1 }),
    json(500, {}),
    new Response("<html>", { status: 502 }),
    json(200, { surprising: true })
  ] as const
  for (const answer of unavailable) {
    it.effect(`every operation is unavailable on ${answer === "no answer" ? answer : answer.status}`, () =>
      Effect.gen(function* () {
        const registry = yield* Registry
        const errors = [
          yield* Effect.flip(registry.register(announcement)),
          yield* Effect.flip(registry.heartbeat({})),
          yield* Effect.flip(registry.state),
          yield* Effect.flip(registry.peers)
        ]
        assert.deepStrictEqual(
          errors.map(({ _tag }) => _tag),
          Array.from({ length: 4 }, () => "RegistryUnavailable")
        )
      }).pipe(Effect.provide(answering(answer)))
    )
  }

  for (const [status, error] of [
    [400, "bad"],
    [401, "who"],
    [403, "no"],
    [413, "big"]
  ] as const) {
    it.effect(`every operation is refused with ${status}`, () =>
      Effect.gen(function* () {
        const registry = yield* Registry
        for (const refused of [
          yield* Effect.flip(registry.register(announcement)),
          yield* Effect.flip(registry.heartbeat({}))
        ]) {
          assert.deepInclude(refused, { _tag: "RegistryRefused", status })
          assert.include(refused.message, error)
        }
      }).pipe(Effect.provide(answering(json(status, { error }))))
    )
  }

  it.effect("a token that was issued and cannot be kept is an error, not a success", () => {
    const Broken = Layer.succeed(Credentials, {
      load: Effect.succeedNone,
      store: () => Effect.fail(new CredentialsError({ operation: "store", path: "/x/token", cause: "disk full" }))
    })
    return Effect.gen(function* () {
      const error = yield* Effect.flip((yield* Registry).register(announcement))
      assert.include(error.message, "disk full")
    }).pipe(Effect.provide(answering(json(200, { status: "registered", auth_token: "shown once" }), Broken)))
  })
})
