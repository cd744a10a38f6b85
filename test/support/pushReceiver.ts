/**
 * A receiver of push notifications on loopback.
 */
import * as Effect from "effect/Effect"
import { createServer, type IncomingHttpHeaders } from "node:http"

/** A notification as it came. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver that answers what it is told to; it ends with the scope. */
export const receiver = Effect.gen(function* () {
  const received: Array<Received> = []
  const behaviour = { status: (_index: number): number => 200, headers: {} as Record<string, string> }
  let asked = 0
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const status = behaviour.status(asked++)
      if (status === 200) received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(status, behaviour.headers).end()
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { received, behaviour, url: `http://127.0.0.1:${port}/hook`, asked: () => asked }
})
