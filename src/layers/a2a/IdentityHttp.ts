/**
 * The agent card of the server that this process runs.
 *
 * @module
 */
import * as HttpServer from "effect/http/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { streamResumption } from "../../services/a2a/A2AOperations.ts"
import { AgentIdentity } from "../../services/a2a/AgentCard.ts"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"
import * as MediaTypes from "./mediaTypes.ts"

/** The package's version, on the card. */
const version = "0.1.0"

const listening = HttpServer.addressFormattedWith((url) => Effect.succeed(url))

const scheme = "platform"

/** The card, with the public URL if one is set, else the address that the server has bound, or the platform's way to it. */
export const layer = Layer.effect(
  AgentIdentity,
  Effect.gen(function* () {
    const settings = yield* WorkspaceSettings
    const executor = yield* AgentExecutor
    const { platformUrl, workspaceId } = yield* PlatformConfig
    // Nobody can connect to an agent that comes for its messages: the way to it is the platform's.
    const otherwise = settings.mode === "poll" ? `${platformUrl}/workspaces/${workspaceId}/a2a` : yield* listening
    const url = settings.publicUrl ?? otherwise
    const { description, name } = settings
    return AgentIdentity.of({
      extendedCard: undefined,
      card: {
        name,
        description,
        version,
        supportedInterfaces: [
          { url, protocolBinding: "JSONRPC", protocolVersion: "1.0" },
          { url, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
          { url, protocolBinding: "JSONRPC", protocolVersion: "0.3" }
        ],
        capabilities: {
          streaming: true,
          pushNotifications: true,
          extendedAgentCard: false,
          extensions: [
            {
              uri: streamResumption.uri,
              description: "A stream can be taken up again behind the last event that was received",
              required: false
            }
          ]
        },
        defaultInputModes: executor.inputModes ?? MediaTypes.textOnly,
        defaultOutputModes: executor.outputModes ?? MediaTypes.textOnly,
        skills: [{ id: executor.name, name: executor.name, description, tags: ["molecule"] }],
        ...(settings.requireCallerToken
          ? {
              securitySchemes: { [scheme]: { httpAuthSecurityScheme: { scheme: "bearer", bearerFormat: "JWT" } } },
              securityRequirements: [{ schemes: { [scheme]: { list: [] } } }]
            }
          : undefined)
      }
    })
  })
)
