/**
 * Workspaces of ours as processes, with `talkingAgent` in them, on a platform that is a process, too: what tests of clients
 * talk to.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { aPort, eventually, Machine, root, startPlatform, startWorkspace, temporaryDirectory } from "./processes.ts"

const make = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  const platform = yield* startPlatform(`${directory}/platform`, yield* aPort)

  /** A workspace: where it is (a port that is free as long as it has not begun), and how to begin it, again after a kill on the same port and the same disk. */
  const workspace = Effect.fnUntraced(function* (name: string, env: Readonly<Record<string, string>> = {}) {
    const created = yield* Effect.flatMap(PlatformClient, (client) =>
      client.workspaces.create({ payload: { name, external: true } })
    ).pipe(Effect.provide(platform.client))
    const port = yield* aPort
    const url = `http://127.0.0.1:${port}`
    const state = `${directory}/${created.id}`
    const begin = Effect.gen(function* () {
      const process = yield* startWorkspace(platform.url, created, state, {
        MOLECULE_A2A_PORT: String(port),
        MOLECULE_REQUIRE_CALLER_TOKEN: "false",
        MOLECULE_PUSH_ALLOW: "loopback",
        MOLECULE_EXECUTOR: "module",
        MOLECULE_EXECUTOR_MODULE: `${root}test/support/talkingAgent.ts`,
        ...env
      })
      yield* eventually(Effect.filterOrFail(HttpClient.get(`${url}/ready`), ({ status }) => status === 200)).pipe(
        Effect.tapError(() => Effect.flatMap(process.output, (text) => Effect.logError(text)))
      )
      return process
    })
    return { begin, id: created.id, port, state, url }
  })
  return { ...platform, workspace }
})

/** The platform, and workspaces on it. */
export class Team extends Context.Service<Team, Effect.Success<typeof make>>()("test/Team") {}

/** One for the tests of a file. */
export const layer = Layer.effect(Team, make).pipe(Layer.provideMerge(Machine))
