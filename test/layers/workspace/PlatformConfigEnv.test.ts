import { assert, describe, it } from "@effect/vitest"
import * as NodePath from "@effect/platform-node/NodePath"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as ContainerFixed from "../../../src/layers/workspace/ContainerFixed.ts"
import * as ContainerNode from "../../../src/layers/workspace/ContainerNode.ts"
import * as PlatformConfigEnv from "../../../src/layers/workspace/PlatformConfigEnv.ts"
import { Container } from "../../../src/services/workspace/Container.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"

const id = "bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"
const defaults = { inContainer: "http://inside:1", onHost: "http://outside:2" }
const INSIDE = "the default inside a container"
const OUTSIDE = "the default on the host"
const expected: Readonly<Record<string, string>> = { [INSIDE]: defaults.inContainer, [OUTSIDE]: defaults.onHost }

const read = (
  environment: Record<string, string>,
  inContainer: boolean,
  options: Parameters<typeof PlatformConfigEnv.layerWith>[0]
) =>
  Effect.provide(
    PlatformConfig,
    PlatformConfigEnv.layerWith(options).pipe(
      Layer.provide(ContainerFixed.layer(inContainer)),
      Layer.provide(NodePath.layer),
      Layer.provide(
        ConfigProvider.layer(ConfigProvider.fromUnknown({ HOME: "/home/me", WORKSPACE_ID: id, ...environment }))
      )
    )
  )

// PLATFORM_URL, what it gives in Docker, and what not in Docker. An error is told by the value that it must name.
const truth: ReadonlyArray<readonly [string | undefined, string, string]> = [
  [undefined, INSIDE, OUTSIDE],
  ["", INSIDE, OUTSIDE],
  ["   ", INSIDE, OUTSIDE],
  ["\t\n", INSIDE, OUTSIDE],
  ["http://platform:8080", "http://platform:8080", "http://platform:8080"],
  ["https://molecule.example", "https://molecule.example", "https://molecule.example"],
  ["http://platform:8080/", "http://platform:8080", "http://platform:8080"],
  ["http://platform:8080///", "http://platform:8080", "http://platform:8080"],
  ["  http://platform:8080/ ", "http://platform:8080", "http://platform:8080"],
  ["http://proxy/team/a/", "http://proxy/team/a", "http://proxy/team/a"],
  ["http://[::1]:8080", "http://[::1]:8080", "http://[::1]:8080"],
  ["ftp://platform", "!ftp://platform", "!ftp://platform"],
  ["platform:8080", "!platform:8080", "!platform:8080"],
  ["platform", "!platform", "!platform"],
  ["http://", "!http:", "!http:"],
  ["http://user:secret@platform", "!http://user:secret@platform", "!http://user:secret@platform"],
  ["http://platform?x=1", "!http://platform?x=1", "!http://platform?x=1"],
  ["http://platform#x", "!http://platform#x", "!http://platform#x"],
  ["http://platform?", "!http://platform?", "!http://platform?"],
  ["http:platform", "!http:platform", "!http:platform"],
  ["http:\\\\platform", "!PLATFORM_URL", "!PLATFORM_URL"],
  ["http://plat\nform", "!PLATFORM_URL", "!PLATFORM_URL"],
  ["javascript:alert(1)", "!javascript:alert(1)", "!javascript:alert(1)"]
]

describe("PlatformConfigEnv", () => {
  for (const [given, inDocker, onHost] of truth) {
    for (const [inContainer, outcome] of [
      [true, inDocker],
      [false, onHost]
    ] as const) {
      const name = `PLATFORM_URL ${given === undefined ? "not set" : JSON.stringify(given)}, ${inContainer ? "in" : "not in"} Docker: ${outcome}`
      it.effect(name, () =>
        Effect.gen(function* () {
          const attempt = read(given === undefined ? {} : { PLATFORM_URL: given }, inContainer, { defaults })
          if (outcome.startsWith("!")) {
            const error = yield* Effect.flip(attempt)
            assert.strictEqual(error._tag, "ConfigError")
            assert.include(error.message, "PLATFORM_URL")
            assert.include(error.message, outcome.slice(1))
          } else {
            assert.strictEqual((yield* attempt).platformUrl, expected[outcome] ?? outcome)
          }
        })
      )
    }
  }

  it.effect("both defaults of the original are host.docker.internal", () =>
    Effect.gen(function* () {
      for (const inContainer of [true, false]) {
        assert.strictEqual((yield* read({}, inContainer, {})).platformUrl, "http://host.docker.internal:8080")
      }
    })
  )

  it.effect("WORKSPACE_ID is required, is a UUID, and may be written in upper case", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read({ WORKSPACE_ID: ` ${id.toUpperCase()} ` }, false, {})).workspaceId, id)
      for (const wrong of ["me", "../../etc"]) {
        const error = yield* Effect.flip(read({ WORKSPACE_ID: wrong }, false, {}))
        assert.include(error.message, "WORKSPACE_ID")
        assert.include(error.message, JSON.stringify(wrong))
      }
      const Nothing = ConfigProvider.layer(ConfigProvider.fromUnknown({ HOME: "/home/me" }))
      const missing = yield* PlatformConfig.pipe(
        Effect.provide(
          PlatformConfigEnv.layer.pipe(Layer.provide([ContainerFixed.layer(false), NodePath.layer, Nothing]))
        ),
        Effect.flip
      )
      assert.include(missing.message, "WORKSPACE_ID")
    })
  )

  it.effect("the state directory is ~/.molecule/<id> unless MOLECULE_STATE_DIR says otherwise", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read({}, false, {})).stateDirectory, `/home/me/.molecule/${id}`)
      assert.strictEqual(
        (yield* read({ MOLECULE_STATE_DIR: "" }, false, {})).stateDirectory,
        `/home/me/.molecule/${id}`
      )
      assert.strictEqual((yield* read({ MOLECULE_STATE_DIR: "/var/x/" }, false, {})).stateDirectory, "/var/x")
    })
  )
})

describe("ContainerNode", () => {
  const cases = [
    [true, {}, true],
    [false, {}, false],
    [false, { DOCKER_VERSION: "27" }, true],
    [false, { DOCKER_VERSION: "  " }, false],
    [true, { DOCKER_VERSION: "" }, true]
  ] as const
  for (const [marked, environment, inContainer] of cases) {
    it.effect(`/.dockerenv ${marked}, ${JSON.stringify(environment)}: ${inContainer}`, () =>
      Effect.gen(function* () {
        const Files = FileSystem.layerNoop({ exists: (path) => Effect.succeed(marked && path === "/.dockerenv") })
        const container = yield* Effect.provide(
          Container,
          ContainerNode.layer.pipe(
            Layer.provide([Files, ConfigProvider.layer(ConfigProvider.fromUnknown(environment))])
          )
        )
        assert.strictEqual(container.inContainer, inContainer)
      })
    )
  }
})
