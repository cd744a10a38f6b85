/**
 * The checks before the start: said clearly, once, instead of failing later in a strange way.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import { lookup } from "node:dns/promises"
import { Container } from "../../services/workspace/Container.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { PreflightError } from "../../services/workspace/PreflightError.ts"

/** The name that Docker Desktop gives the host; on plain Linux nobody does, unless asked. */
const dockerHost = "host.docker.internal"

/** Does the name have an address? Asked of the system's own resolver, hosts file included. */
export const systemResolves = (host: string) =>
  Effect.tryPromise({ try: () => lookup(host), catch: () => "no address" as const }).pipe(
    Effect.as(true),
    Effect.orElseSucceed(() => false)
  )

const remediesFor = (host: string, inContainer: boolean) => {
  const point = "set PLATFORM_URL to where the platform is, such as http://127.0.0.1:8080"
  if (host !== dockerHost) return ["check the name in PLATFORM_URL, and this machine's DNS"]
  return inContainer
    ? [`start the container with --add-host=${dockerHost}:host-gateway`, point]
    : [point, `give ${dockerHost} an address in /etc/hosts`]
}

/**
 * Fails with a {@link PreflightError} that names every problem and its remedies.
 *
 * **Details**
 *
 * It looks whether the platform's host has an address. Whether the platform answers is not its business: the workspace
 * waits for that. It never falls back by itself. The state directory and the executor's program are checked by the layers
 * that open them, which fail as early.
 */
export const check = Effect.fn("preflight.check")(function* (
  resolves: (host: string) => Effect.Effect<boolean> = systemResolves
) {
  const { platformUrl } = yield* PlatformConfig
  const { inContainer } = yield* Container
  const { hostname } = new URL(platformUrl)
  if (yield* resolves(hostname.replace(/^\[|\]$/g, ""))) return
  return yield* new PreflightError({
    problems: [
      {
        what: `the platform's host ${hostname} does not resolve${inContainer ? " inside this container" : ""} (its URL is ${platformUrl})`,
        remedies: remediesFor(hostname, inContainer)
      }
    ]
  })
})
