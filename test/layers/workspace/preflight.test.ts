import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ContainerFixed from "../../../src/layers/workspace/ContainerFixed.ts"
import * as PlatformConfigFixed from "../../../src/layers/workspace/PlatformConfigFixed.ts"
import * as Preflight from "../../../src/layers/workspace/preflight.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"

const at = (platformUrl: string, inContainer: boolean) =>
  Layer.merge(
    ContainerFixed.layer(inContainer),
    PlatformConfigFixed.layer({
      platformUrl,
      workspaceId: WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"),
      stateDirectory: "/x"
    })
  )
const nowhere = () => Effect.succeed(false)

describe("preflight", () => {
  it.effect("asks for the host alone, an IPv6 address without its brackets", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const note = (host: string) => Effect.sync(() => asked.push(host) > 0)
      yield* Effect.provide(Preflight.check(note), at("http://platform:8080/x", false))
      yield* Effect.provide(Preflight.check(note), at("http://[::1]:8080", false))
      assert.deepStrictEqual(asked, ["platform", "::1"])
    })
  )

  it.effect("where the default host does not resolve it names both remedies", () =>
    Effect.gen(function* () {
      for (const inContainer of [true, false]) {
        const problem = Preflight.check(nowhere).pipe(
          Effect.provide(at("http://host.docker.internal:8080", inContainer))
        )
        const { message } = yield* Effect.flip(problem)
        assert.include(message, "host.docker.internal does not resolve")
        assert.include(message, "set PLATFORM_URL")
        assert.include(message, inContainer ? "--add-host=host.docker.internal:host-gateway" : "/etc/hosts")
      }
      const other = yield* Effect.flip(Effect.provide(Preflight.check(nowhere), at("http://molecule.test", true)))
      assert.include(other.message, "molecule.test")
      assert.notInclude(other.message, "--add-host")
    })
  )

  it.live("asks the system's resolver", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* Preflight.systemResolves("localhost"))
      assert.isTrue(yield* Preflight.systemResolves("127.0.0.1"))
      assert.isFalse(yield* Preflight.systemResolves("no-such-host.invalid"))
    })
  )
})
