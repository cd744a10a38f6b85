import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { serve } from "../layers/platform/call.ts"
import { aPort, eventually, Machine, startPlatform, temporaryDirectory } from "../support/processes.ts"

const Asked = Schema.fromJsonString(
  Schema.Struct({ params: Schema.Struct({ message: Schema.Struct({ messageId: Schema.String }) }) })
)
const decode = Schema.decodeUnknownSync(Asked)

describe("the relay's queue over a kill -9 of the platform", () => {
  it.live("keeps every message that waits: it reaches the agent, and who asks again gets the answer", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const port = yield* aPort
      const seen: Array<string> = []
      let busy = true
      const agent = yield* serve((_request, body, response) => {
        const { messageId } = decode(body).params.message
        if (busy) {
          response.writeHead(429, { "retry-after": "1" })
          return response.end("{}")
        }
        seen.push(messageId)
        return response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: { of: messageId } }))
      })

      const first = yield* startPlatform(directory, port)
      const target = yield* Effect.flatMap(PlatformClient, ({ workspaces }) =>
        workspaces.create({ payload: { name: "agent", url: agent.url } })
      ).pipe(Effect.provide(first.client))
      const ask = Effect.fnUntraced(function* (messageId: string) {
        const response = yield* HttpClient.execute(
          HttpClientRequest.post(`${first.url}/workspaces/${target.id}/a2a`).pipe(
            HttpClientRequest.setHeader("authorization", `Bearer ${first.adminToken}`),
            HttpClientRequest.setBody(
              HttpBody.text(
                JSON.stringify({
                  jsonrpc: "2.0",
                  id: 1,
                  method: "message/send",
                  params: { message: { messageId, contextId: "c" } }
                })
              )
            )
          )
        )
        return yield* response.json
      })

      const messages = ["m-1", "m-2", "m-3", "m-4"]
      for (const messageId of messages) {
        yield* Effect.forkChild(Effect.exit(ask(messageId)))
        // Each is in the queue before the next is sent: their order is known.
        const depth = messages.indexOf(messageId) + 1
        yield* eventually(
          Effect.filterOrFail(
            HttpClient.execute(
              HttpClientRequest.post(`${first.url}/workspaces/${target.id}/a2a`).pipe(
                HttpClientRequest.setHeaders({ authorization: `Bearer ${first.adminToken}`, "x-timeout": "0.01" }),
                HttpClientRequest.setBody(
                  HttpBody.text(
                    JSON.stringify({
                      jsonrpc: "2.0",
                      id: 1,
                      method: "message/send",
                      params: { message: { messageId, contextId: "c" } }
                    })
                  )
                )
              )
            ).pipe(Effect.flatMap(({ json }) => json)),
            Schema.is(Schema.Struct({ queue_depth: Schema.Literal(depth) }))
          )
        )
      }
      yield* first.signal("SIGKILL")
      yield* first.exitCode
      busy = false
      yield* startPlatform(directory, port)
      // Two callers come again; the other two messages reach their agent all the same.
      const again = yield* Effect.forkChild(Effect.all([ask("m-4"), ask("m-2")], { concurrency: 2 }))
      assert.deepStrictEqual(yield* Fiber.join(again), [
        { jsonrpc: "2.0", id: 1, result: { of: "m-4" } },
        { jsonrpc: "2.0", id: 1, result: { of: "m-2" } }
      ])
      assert.deepStrictEqual(seen, messages)
    }).pipe(Effect.scoped, Effect.provide(Machine))
  )
})
