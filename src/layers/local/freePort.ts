/**
 * Finding a port to listen on.
 *
 * @module
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { TeamError } from "../../services/local/Team.ts"

/** How many ports are tried. */
const attempts = 100

const isFree = (port: number) =>
  Effect.scoped(NodeHttpServer.make(() => createServer(), { port, host: "127.0.0.1" })).pipe(
    Effect.as(true),
    Effect.catchTag("ServeError", () => Effect.succeed(false))
  )

/** The first port from `wanted` on that nobody listens on at 127.0.0.1. */
export const freePort = Effect.fn("freePort")(function* (wanted: number) {
  for (let port = wanted; port < wanted + attempts && port <= 65535; port++) {
    if (yield* isFree(port)) return port
  }
  return yield* new TeamError({
    detail: `no free port from ${wanted} on`,
    remedy: "give another one with MOLECULE_PLATFORM_PORT"
  })
})
