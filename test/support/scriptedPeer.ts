/**
 * An HTTP server that answers as a test says, request by request.
 */
import * as Effect from "effect/Effect"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createSecureServer, type ServerOptions } from "node:https"
import type { Server } from "node:net"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers a request; `n` counts from 0. */
export type Handler = (asked: Asked, response: ServerResponse, n: number) => void

/** Where a server listens. */
export const portOf = (server: Server): number => {
  const address = server.address()
  return address === null || typeof address === "string" ? 0 : address.port
}

/** The server, and what it was asked. */
export const startScripted = Effect.fnUntraced(function* (handler: Handler, tls?: ServerOptions) {
  const asked: Array<Asked> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const listener = (request: IncomingMessage, response: ServerResponse) => {
        let body = ""
        request.on("data", (chunk) => (body += String(chunk)))
        request.on("end", () => {
          const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body }
          asked.push(one)
          handler(one, response, asked.length - 1)
        })
      }
      const made = tls === undefined ? createServer(listener) : createSecureServer(tls, listener)
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.closeAllConnections()
        made.close()
      })
  )
  return { url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${portOf(server)}`, asked }
})

/** Sends JSON. */
export const json = (response: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}) => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(value))
}

/** A card of 1.0 with one interface. */
export const cardAt = (
  url: string,
  more: Readonly<Record<string, unknown>> = {},
  protocolBinding: "JSONRPC" | "HTTP+JSON" = "JSONRPC"
) => ({
  name: "Scripted",
  description: "",
  version: "1",
  supportedInterfaces: [{ url, protocolBinding, protocolVersion: "1.0" }] as const,
  capabilities: { streaming: true, ...more },
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: []
})

/** An answer of JSON-RPC. */
export const result = (value: unknown) => ({ jsonrpc: "2.0", id: 1, result: value })

/** The task in some state, in 1.0. */
export const task = (state: string, more: Readonly<Record<string, unknown>> = {}) => ({
  id: "t",
  contextId: "c",
  status: { state: `TASK_STATE_${state}` },
  ...more
})
