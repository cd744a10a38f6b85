/**
 * Raw HTTP against the platform under test, and the workspaces that a test needs.
 *
 * @module
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"
import { TestPlatform } from "../../support/platform.ts"
import * as PlatformSupport from "../../support/platform.ts"

/** One request; `body` is JSON unless it is bytes or text of its own. */
export interface Call {
  readonly method: HttpMethod
  readonly path: string
  readonly bearer?: string | undefined
  readonly headers?: Record<string, string> | undefined
  readonly json?: unknown
  readonly raw?: Uint8Array | string | undefined
}

/** What came back; `json` is undefined if it is none. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  readonly json: unknown
}

const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** Sends it and reads the whole answer. */
export const send = Effect.fnUntraced(function* (call: Call) {
  const { url } = yield* TestPlatform
  const client = yield* HttpClient.HttpClient
  const raw = call.raw === undefined && call.json !== undefined ? JSON.stringify(call.json) : call.raw
  const base = HttpClientRequest.make(call.method)(`${url}${call.path}`).pipe(
    HttpClientRequest.setHeaders({
      ...(call.bearer === undefined ? undefined : { authorization: `Bearer ${call.bearer}` }),
      ...call.headers
    })
  )
  const request =
    raw === undefined
      ? base
      : HttpClientRequest.setBody(
          base,
          typeof raw === "string" ? HttpBody.text(raw, "text/plain") : HttpBody.uint8Array(raw)
        )
  const response = yield* client.execute(request)
  const text = yield* response.text
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    text,
    json: Option.getOrUndefined(parse(text))
  }
  return answer
}, Effect.orDie)

const Created = Schema.Struct({
  id: WorkspaceId,
  connection: Schema.optionalKey(Schema.Struct({ auth_token: Schema.String }))
})

/** A workspace made by the admin: with a URL it has no token yet, without one it has. */
export const create = Effect.fnUntraced(function* (
  fields: {
    readonly name?: string
    readonly parent_id?: string
    readonly url?: string
    readonly [key: string]: unknown
  } = {}
) {
  const { adminToken } = yield* TestPlatform
  const answer = yield* send({
    method: "POST",
    path: "/workspaces",
    bearer: adminToken,
    json: { name: "w", ...fields }
  })
  if (answer.status !== 201) return yield* Effect.die(new Error(answer.text))
  const { connection, id } = yield* Effect.orDie(Schema.decodeUnknownEffect(Created)(answer.json))
  return { id, token: connection?.auth_token ?? "" }
})

/** A workspace that is online at `url`, and its token. */
export const online = Effect.fnUntraced(function* (
  url: string,
  fields: { readonly parent_id?: string; readonly [key: string]: unknown } = {}
) {
  const made = yield* create(fields)
  const answer = yield* send({
    method: "POST",
    path: "/registry/register",
    bearer: made.token,
    json: { id: made.id, url, agent_card: { name: "agent" } }
  })
  if (answer.status !== 200) return yield* Effect.die(new Error(answer.text))
  return made
})

/** An HTTP server on a free loopback port, for as long as the scope lives. */
export const serve = (handler: (request: IncomingMessage, body: string, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => handler(request, Buffer.concat(chunks).toString("utf8"), response))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${port}/`,
            close: () => {
              server.closeAllConnections()
              server.close()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** A server that answers every message with the same JSON-RPC result. */
export const echoAgent = serve((_request, _body, response) => {
  response.setHeader("content-type", "application/json")
  response.end('{"jsonrpc":"2.0","id":"1","result":{}}')
})

/** The platform and a client for {@link send}. */
export const layerWith = (options: PlatformSupport.Options = {}) =>
  Layer.merge(PlatformSupport.layerWith(options), NodeHttpClient.layerUndici)
