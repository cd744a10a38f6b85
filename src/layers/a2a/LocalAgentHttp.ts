/**
 * The agent card of the server that this process runs.
 *
 * @module
 */
import * as HttpServer from "effect/http/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LocalAgent } from "../../services/a2a/LocalAgent.ts"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"

/** The package's version, on the card. */
const version = "0.1.0"

const listening = HttpServer.addressFormattedWith((url) => Effect.succeed(url))

/** The card, with the public URL if one is set and else the address that the server has bound. */
export const layer = Layer.effect(
  LocalAgent,
  Effect.gen(function* () {
    const settings = yield* WorkspaceSettings
    const executor = yield* AgentExecutor
    const url = settings.publicUrl ?? (yield* listening)
    return LocalAgent.of({
      card: {
        name: settings.name,
        description: settings.description,
        version,
        protocolVersion: "0.3.0",
        url,
        preferredTransport: "JSONRPC",
        capabilities: { streaming: true, pushNotifications: false },
        defaultInputModes: ["text/plain"],
        defaultOutputModes: ["text/plain"],
        skills: [
          {
            id: executor.name,
            name: executor.name,
            description: settings.description,
            tags: ["molecule"]
          }
        ],
        ...(settings.requireCallerToken
          ? {
              securitySchemes: { platform: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
              security: [{ platform: [] }]
            }
          : undefined)
      }
    })
  })
)
