/**
 * The listening socket of a program that serves.
 *
 * @module
 */
import { createServer, type Server } from "node:http"

/** A request has to be here, head and body, within this time. Milliseconds. */
const requestTimeout = 60_000

/**
 * A Node server for `NodeHttpServer.layer` that answers 503 until the routes are attached.
 *
 * **Details**
 *
 * The server listens as soon as its layer is built, and the routes come a moment later; Node never answers a request that
 * arrives between the two.
 */
export const makeServer = (): Server => {
  const server = createServer({ requestTimeout })
  server.on("request", (_request, response) => {
    if (server.listenerCount("request") > 1) return
    response.writeHead(503, { "content-type": "application/json", "retry-after": "1" })
    response.end(JSON.stringify({ error: "starting: try again in a moment" }))
  })
  return server
}
